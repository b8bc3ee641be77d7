# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options for the desired state of virtual machines."""

    DOCUMENTATION = r"""
options:
  vms:
    description: Virtual machines, each with its own options. The options of the task are the defaults of each entry.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name or inventory path (V(/DC/vm/folder/web), or the end of it). Not a managed object id.
        type: str
      moid:
        description: Managed object id. Set either this or O(vms[].name).
        type: str
      devices:
        description:
          - Desired passthrough devices. Each entry is what C(match) takes, such as V("10de:20f1"), or a mapping of C(match), C(count) and
            C(label), as in the variable C(passthrough_vms).
          - C(match) selects the device. Either the string V(vendor:device) as C(lspci -n) prints it, such as V("10de:20f1"), or a mapping
            of conditions such as C(vendor_id), C(device_id), C(class_id), C(name), C(address), C(slot) and C(label).
          - C(count) is the number of devices, or V(all). The default is one. C(label) is the hardware label that the device must have.
          - C(virtual_function) set to V(true) selects virtual functions of SR-IOV cards, which are never given to a virtual machine
            otherwise. A virtual function is a fixed device.
          - Other kinds of devices have entries of their own, each with C(count). C(vgpu) is the profile of vGPUs, such as V(grid_a100-40c).
            C(group) is the name of a vendor device group, such as V(Nvidia:2@grid_a100-40c%NVLink). C(dvx) is a mapping of C(class) and
            C(parameters) of a DVX device; parameters that are not named keep their value or get their default.
          - C(advanced) of a C(vgpu) entry sets C(pciPassthruN.cfg.NAME) of each of its vGPUs, by NAME, such as C(enable_uvm).
          - C(numa_node) of an entry with C(match), C(vgpu) or C(dvx) is the virtual NUMA node of its devices, V(0) to V(63), or V(-1) for
            none. It requires hardware version 20. Devices that are attached already are edited in place while the virtual machine is off.
            Without it, they keep what they have.
          - Without this option, and with C(sriov_networks), the passthrough devices stay as they are, also with C(state) set to V(exactly).
        type: list
        elements: raw
      sriov_networks:
        description:
          - Desired SR-IOV network adapters, as in O(directpath.vsphere.vm_sriov_network#module:sriov_networks). Without this option, the
            adapters stay as they are, also with C(state) set to V(exactly).
        type: list
        elements: dict
      state:
        description: As O(state).
        type: str
        choices: [present, absent, exactly]
      kinds:
        description: As O(kinds).
        type: str
        choices: [named, all]
      backing:
        description: As O(backing).
        type: str
        choices: [auto, dynamic, fixed]
      power:
        description: As O(power).
        type: str
        choices: [keep, "off", cycle, "on"]
      shutdown_timeout:
        description: As O(shutdown_timeout).
        type: int
      allow_shutdown:
        description: As O(allow_shutdown).
        type: bool
      allow_power_off:
        description: As O(allow_power_off).
        type: bool
      mmio:
        description: As O(mmio).
        type: dict
        suboptions:
          size_gb:
            description: As in O(mmio.size_gb).
            type: int
          device_gb:
            description: As in O(mmio.device_gb).
            type: dict
      unlock_memory:
        description: As O(unlock_memory).
        type: bool
      disable_hot_add:
        description: As O(disable_hot_add).
        type: bool
      latency_sensitivity:
        description: As O(latency_sensitivity).
        type: str
        choices: [high, normal]
      minimum_hardware_version:
        description: As O(minimum_hardware_version).
        type: int
      pin_to_host:
        description: As O(pin_to_host).
        type: bool
  state:
    description:
      - V(present) attaches these devices and keeps others. V(absent) detaches every device that matches. V(exactly) attaches these devices
        and detaches all other devices of the kinds that O(kinds) says.
    type: str
    choices: [present, absent, exactly]
    default: present
  kinds:
    description:
      - The kinds of devices that O(state=exactly) detaches. V(named) is the kinds that the list names. Fixed and dynamic devices are one
        kind, and an empty list names it. V(all) is every kind, also vGPUs, vendor device groups and DVX devices that the list does not
        name.
      - A warning lists the devices that stay.
    type: str
    choices: [named, all]
    default: named
  backing:
    description:
      - V(dynamic) (Dynamic DirectPath I/O) accepts any free device of the model on any host. It requires hardware version 17. V(fixed) is
        one device of one host, and pins the virtual machine to this host.
      - V(auto) uses V(dynamic) if host and hardware version support it. It does not change attached devices that already match.
    type: str
    choices: [auto, dynamic, fixed]
    default: auto
  power:
    description:
      - The power state after the change. V(keep) leaves it as it was. V(on) also powers on a virtual machine that is off, except with
        O(state=absent), because detaching powers on no virtual machine that was off. V(off) leaves a virtual machine off that must be off
        for a change. V(cycle) is V(keep) with O(allow_shutdown=true).
      - Whether a running guest may be shut down for a change decides O(allow_shutdown). V(cycle) and V(off) imply it. The module shuts
        down nothing when there is no change.
    type: str
    choices: [keep, "off", cycle, "on"]
    default: keep
  shutdown_timeout:
    description: Seconds to wait until a guest is shut down.
    type: int
    default: 300
  allow_shutdown:
    description: Whether to shut down a running guest for a change that needs the virtual machine powered off. Otherwise the change is
      refused while it runs.
    type: bool
    default: false
  allow_power_off:
    description: Whether to do a hard power-off of a guest that does not shut down in time or does not support a shutdown.
    type: bool
    default: false
  mmio:
    description:
      - Sets the 64-bit MMIO window, which cards with much memory require. An empty mapping computes the size, which is the sum of the card
        memory, rounded up to a power of two. An existing larger window is kept. Requires EFI firmware.
    type: dict
    suboptions:
      size_gb:
        description: Size of the window in GB, a power of two.
        type: int
      device_gb:
        description: Memory of cards in GB by V(vendor:device), from 0 to 65536, for models that the module does not know.
        type: dict
  unlock_memory:
    description: Whether to remove the memory lock together with the last device.
    type: bool
    default: false
  disable_hot_add:
    description: Whether to disable hot-add of memory and CPU, which is not compatible with passthrough.
    type: bool
    default: false
  latency_sensitivity:
    description:
      - Sets the latency sensitivity of a virtual machine, while it is off. V(high) also locks its memory and reserves its CPUs, because
        vSphere requires both. The CPU reservation is the number of virtual CPUs times the speed of a core of its host in MHz. A higher
        reservation stays.
      - V(normal) resets only the level. Reservations stay. Without this option the level does not change.
    type: str
    choices: [high, normal]
  minimum_hardware_version:
    description:
      - Upgrades the hardware version of a virtual machine to this number, such as V(20) for C(vmx-20), if its own version is lower. If the
        host does not offer exactly this version, the next later one that it offers.
      - An upgrade cannot be reverted, so a virtual machine is upgraded only with this option, and never to an earlier version. It is done
        while the virtual machine is off, before its devices change. Firmware is not changed.
    type: int
  pin_to_host:
    description:
      - V(true) makes a mandatory VM-host rule for a virtual machine with fixed devices, so that DRS, HA and people do not try to run it on
        another host. The rule follows the virtual machine when its fixed devices are on another host. V(false) removes this rule.
      - The rule and its two groups are named C(directpath.vsphere pin) and the managed object id of the virtual machine. Other rules and
        groups are never changed. When the last fixed device is detached, the rule is removed.
      - Without this option no rule is made. The default is not to have one.
    type: bool
"""

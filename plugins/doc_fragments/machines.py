# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What is wanted of virtual machines."""

    DOCUMENTATION = r"""
options:
  vms:
    description: Virtual machines, each with options of its own. What an entry leaves out it takes from the options of the task.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name or inventory path (V(/DC/vm/folder/web), or the end of it). Never a managed object id.
        type: str
      moid:
        description: Managed object id. Give either this or O(vms[].name).
        type: str
      devices:
        description: Passthrough devices it is to have.
        type: list
        elements: dict
        suboptions:
          match:
            description:
              - What the device is. Either the string V(vendor:device) as C(lspci -n) prints it, such as V("10de:20f1"), or a mapping of
                conditions such as C(vendor_id), C(device_id), C(class_id), C(name), C(address), C(slot) and C(label).
            type: raw
            required: true
          count:
            description: How many, or V(all). Without it, one.
            type: raw
          label:
            description: Hardware label that the device has to have.
            type: str
      state:
        description: As O(state).
        type: str
        choices: [present, absent, exactly]
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
  state:
    description:
      - V(present) - at least these devices. V(absent) - no device that matches. V(exactly) - these and no other passthrough device.
    type: str
    choices: [present, absent, exactly]
    default: present
  backing:
    description:
      - V(dynamic) (Dynamic DirectPath I/O) accepts any free device of the model on whichever host the virtual machine starts; it needs
        hardware version 17. V(fixed) is one device of one host, and ties the virtual machine to it.
      - V(auto) takes V(dynamic) where host and hardware version offer it, and leaves devices alone that serve already.
    type: str
    choices: [auto, dynamic, fixed]
    default: auto
  power:
    description:
      - What may be done to a virtual machine that has to be off for a change. V(keep) - nothing; the change is refused while it runs.
        V(off) - shut down and left off. V(cycle) - shut down and started again, as it was. V(on) - as V(cycle), and started in the end
        even when it was off.
      - Nothing is shut down when nothing changes.
    type: str
    choices: [keep, "off", cycle, "on"]
    default: keep
  shutdown_timeout:
    description: Seconds to wait for a guest to shut down.
    type: int
    default: 300
  allow_power_off:
    description: Whether a guest that does not shut down in time, or cannot be asked, is powered off.
    type: bool
    default: false
  mmio:
    description:
      - Set the 64-bit MMIO window, which cards with much memory need. An empty mapping computes it from the cards - the sum of their
        memory, up to the next power of two. A larger window that is there is kept. Needs EFI firmware.
    type: dict
    suboptions:
      size_gb:
        description: The window itself in GB, a power of two.
        type: int
      device_gb:
        description: Memory of a card in GB by V(vendor:device), where the computation does not know it.
        type: dict
  unlock_memory:
    description: Whether the memory lock goes with the last device.
    type: bool
    default: false
  disable_hot_add:
    description: Whether memory and CPU hot-add, which do not go together with passthrough, are switched off.
    type: bool
    default: false
"""

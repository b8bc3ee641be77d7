# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Which hosts and devices are meant."""

    HOSTS = r"""
options:
  hosts:
    description:
      - ESXi hosts by name, as vCenter shows them, by inventory path (V(/DC/host/cluster/esx-01.lab)) or by managed object id. The first
        label of a name is enough where it is unique.
    type: list
    elements: str
    aliases: [esxi_hostname]
  cluster:
    description:
      - Clusters by name, by inventory path (V(/DC/host/cluster), or V(DC/cluster)) or by managed object id. All of their hosts are meant.
      - A name that several clusters have is refused, with the paths of all of them.
    type: list
    elements: str
    aliases: [cluster_name]
"""

    DEVICES = r"""
options:
  devices:
    description:
      - Which PCI devices are meant.
    type: list
    elements: dict
    suboptions:
      match:
        description:
          - What the device is. Either the string V(vendor:device) as C(lspci -n) prints it, such as V("10de:20f1"), or an address such
            as V("0000:3b:00.0"), or a mapping of any of C(vendor_id), C(device_id), C(subvendor_id), C(subdevice_id), C(class_id)
            (four hexadecimal digits in quotes; C(class_id) also two), C(address), C(slot) (number or description, vSphere 9.0 and
            later), C(name) (in any case; V(*) and V(?) stand for other characters, brackets for themselves) and C(label) (hardware
            label). All given conditions have to hold.
          - An address alone is refused when more than one host is meant, as the same address is another device on another host. Give the
            ids with it.
        type: raw
        required: true
      count:
        description:
          - How many devices, or V(all).
          - Without it, all matching devices of a host are meant as long as they are of one model; a match that hits several models is
            refused with the list of them. For a VM it means one device.
        type: raw
      label:
        description:
          - Hardware label to set on the device (ESXi 7.0 U2 and later), for Dynamic DirectPath I/O.
        type: str
"""

    TARGETS = r"""
options:
  targets:
    description:
      - Several sets of hosts, each with its own devices, in one call. A host named by several entries gets the devices of all.
      - Use it in place of O(hosts), O(cluster) and O(devices).
    type: list
    elements: dict
    suboptions:
      hosts:
        description: ESXi hosts by name, inventory path or managed object id.
        type: list
        elements: str
        aliases: [esxi_hostname]
      cluster:
        description: Clusters by name, inventory path or managed object id.
        type: list
        elements: str
        aliases: [cluster_name]
      devices:
        description: Devices meant on these hosts, as in O(devices).
        type: list
        elements: dict
        suboptions:
          match:
            description: As in O(devices[].match).
            type: raw
            required: true
          count:
            description: As in O(devices[].count).
            type: raw
          label:
            description: As in O(devices[].label).
            type: str
"""

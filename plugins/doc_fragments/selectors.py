# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options that select hosts and devices."""

    HOSTS = r"""
options:
  hosts:
    description:
      - ESXi hosts by name as vCenter shows it, by inventory path (V(/DC/host/cluster/esx-01.lab)) or by managed object id. The first label
        of a name is enough if it is unique.
      - An empty list, such as the result of a template, selects nothing and is an error if O(cluster) selects nothing either.
    type: list
    elements: str
    aliases: [esxi_hostname]
  cluster:
    description:
      - Clusters by name, by inventory path (V(/DC/host/cluster), or V(DC/cluster)) or by managed object id. Selects all their hosts.
      - A name that is not unique is refused. The message lists the paths of these clusters.
    type: list
    elements: str
    aliases: [cluster_name]
"""

    DEVICES = r"""
options:
  devices:
    description:
      - Selects PCI devices. Each entry is what C(match) takes, such as V("10de:20f1"), or a mapping of C(match), C(count) and C(label).
        The variables of the desired state take the same entries.
      - C(match) selects the device. One of the string V(vendor:device) as C(lspci -n) prints it, such as V("10de:20f1"), an address such as
        V("0000:3b:00.0"), or a mapping of any of C(vendor_id), C(device_id), C(subvendor_id), C(subdevice_id), C(class_id) (four
        hexadecimal digits in quotes; C(class_id) also two), C(address), C(slot) (number or description, vSphere 9.0 and later),
        C(name) (upper and lower case are the same; V(*) and V(?) are wildcards; brackets have no special meaning) and C(label)
        (hardware label). A device must meet all conditions.
      - An address without ids is refused when more than one host is selected, because the same address is another device on another
        host. Add the ids.
      - C(count) is the number of devices, or V(all). For a host, the default is all matching devices of the host if they are of one model.
        If they are of several models, the entry is refused and the message lists the models. For a VM, the default is one device.
      - C(label) is the hardware label to set on the device, for Dynamic DirectPath I/O. Requires ESXi 7.0 U2 or later.
    type: list
    elements: raw
"""

    TARGETS = r"""
options:
  targets:
    description:
      - Several sets of hosts, each with its own devices, in one call. A host that several entries name gets the devices of all of them.
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
        description: Devices of these hosts, as in O(devices).
        type: list
        elements: raw
"""

# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: pci_hosts
short_description: ESXi hosts of one or many vCenters, grouped by their PCI devices
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Makes every ESXi host an inventory host, with a few facts on its passthrough devices. One bulk read serves a vCenter, whatever its
    size; several vCenters are read at the same time.
  - The hosts work as they are with the playbooks of this collection. They carry C(vcenter_hostname), C(vcenter_port) and what else
    leads to their vCenter; the account comes from C(vcenter_username) and C(vcenter_password) in C(group_vars), or from the
    environment. Devices are wanted by C(passthrough_devices) on the groups made here.
  - Built-in groups are C(esxi_hosts), C(vcenter_NAME), C(cluster_NAME), C(pci_10de_20f1) for a device model, C(label_NAME) for a
    hardware label, C(pending_reboot), C(maintenance_mode), C(disconnected) and C(esxi_8_0_3) for a release. Characters that a group
    name cannot have become underscores. Virtual machines are in C(vms_with_devices).
  - The group of a cluster is named after its inventory path, as in C(cluster_Lyon_host_Cluster1), where several clusters of the vCenter
    have its name.
  - What stands in vSphere is never a template. In the name of an inventory host, braces that could begin one become parentheses, and
    control characters are written by their numbers.
  - The name of the file has to end in C(pci_hosts.yml) or C(pci_hosts.yaml).
extends_documentation_fragment:
  - constructed
  - inventory_cache
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [directpath.vsphere.pci_hosts]
  hostname:
    description: Name or address of the vCenter, or of one ESXi host.
    type: str
    env:
      - name: VMWARE_HOST
  username:
    description: Account to log in with. Rights to read are enough. May be a template.
    type: str
    env:
      - name: VMWARE_USER
  password:
    description: Password of the account. May be a template or encrypted with Ansible Vault.
    type: str
    env:
      - name: VMWARE_PASSWORD
  port:
    description: Port of the vSphere API.
    type: int
    default: 443
    env:
      - name: VMWARE_PORT
  validate_certs:
    description: Whether the server's TLS certificate has to be trusted.
    type: bool
    default: true
    env:
      - name: VMWARE_VALIDATE_CERTS
  ca_path:
    description: PEM file or directory with the CA certificates to trust beside those of the system.
    type: path
    env:
      - name: VMWARE_CA_PATH
  proxy_host:
    description: HTTP proxy to connect through.
    type: str
    env:
      - name: VMWARE_PROXY_HOST
  proxy_port:
    description: Port of the HTTP proxy.
    type: int
    env:
      - name: VMWARE_PROXY_PORT
  connect_timeout:
    description: Seconds until a connection to a vCenter stands, and for the first answer on it.
    type: int
    default: 30
    env:
      - name: VMWARE_CONNECT_TIMEOUT
  vcenters:
    description:
      - Several vCenters. Each is a name, or a mapping of O(hostname), O(username), O(password), O(port), O(validate_certs),
        O(ca_path), O(proxy_host), O(proxy_port). What an entry leaves out it takes from the options of these names.
    type: list
    elements: raw
  on_error:
    description:
      - What becomes of the inventory when a vCenter cannot be read. V(fail) fails the whole source. V(warn) goes on with the others,
        which then look as if those hosts did not exist.
    type: str
    choices: [fail, warn]
    default: fail
  group_by:
    description: Which built-in groups are made.
    type: list
    elements: str
    choices: [vcenter, cluster, device, label, pending_reboot, maintenance_mode, disconnected, version]
    default: [vcenter, cluster, device, label, pending_reboot, maintenance_mode, disconnected, version]
  group_devices:
    description: In which state a device must be for its host to be in the group of its model.
    type: str
    choices: [capable, enabled, active]
    default: capable
  devices:
    description:
      - Whether C(directpath_devices) holds every PCI device of a host, as M(directpath.vsphere.host_pci_device_info) shows it. Without
        it there are only numbers by model, in C(directpath_models).
    type: bool
    default: false
  vms:
    description: Whether virtual machines that have passthrough devices are inventory hosts, too.
    type: bool
    default: false
  inventory_name:
    description:
      - Jinja2 expression for the inventory name of an ESXi host, made of C(name), C(vcenter), C(moid), C(cluster) and the other facts
        without their prefix. Where two vCenters have hosts of one name it has to tell them apart, as V(name ~ '.' ~ vcenter) does.
    type: str
    default: name
  vm_inventory_name:
    description: The same for virtual machines; there is C(path) as well.
    type: str
    default: name
requirements:
  - python >= 3.11
  - pyvmomi >= 8.0.3.0.1
"""

EXAMPLES = r"""
# Everything from the environment (VMWARE_HOST, VMWARE_USER, VMWARE_PASSWORD)
plugin: directpath.vsphere.pci_hosts

---
# Three vCenters, one with another account. A vCenter that is down fails the run; on_error: warn would go on without it.
plugin: directpath.vsphere.pci_hosts
username: reader@vsphere.local
password: "{{ lookup('ansible.builtin.env', 'VC_PASSWORD') }}"
vcenters:
  - vc-a.example.com
  - vc-b.example.com
  - {hostname: vc-c.example.com, username: reader@lab.local, password: "{{ lookup('ansible.builtin.env', 'VC_C_PASSWORD') }}"}
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/directpath
cache_timeout: 600

---
# Groups of one's own
plugin: directpath.vsphere.pci_hosts
strict: true
keyed_groups:
  - key: directpath_cluster
    prefix: rack
compose:
  a100: (directpath_models['10de:20f1'] | default({})).active | default(0)
groups:
  gpu_ready: directpath_models['10de:20f1'] is defined and directpath_models['10de:20f1'].active > 0 and not directpath_pending_reboot
"""

from typing import Any

from ansible import constants
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import DirectPathError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.suggest import suggest_word
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.text import all_visible, visible
from ansible_collections.directpath.vsphere.plugins.plugin_utils.inventory.entries import facts, groups, inventory_name
from ansible_collections.directpath.vsphere.plugins.plugin_utils.inventory.read import (
    OPTIONS,
    Depth,
    connection_variables,
    fingerprint,
    label,
    read_all,
    sources,
)


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """ESXi hosts, and VMs that hold devices, as inventory hosts."""

    NAME = "directpath.vsphere.pci_hosts"

    def verify_file(self, path: str) -> bool:
        return bool(super().verify_file(path)) and path.endswith(("pci_hosts.yml", "pci_hosts.yaml"))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        self._refuse_unknown(self._read_config_data(path))
        depth = Depth(vms=self.get_option("vms"), devices=self.get_option("devices"))
        try:
            shared = {"connect_timeout": self.get_option("connect_timeout")}
            options = {name: self._filled(self.get_option(name)) for name in OPTIONS}
            wanted = sources({**options, **shared}, self._listed())
            found = self._entries(wanted, depth, self.get_cache_key(path), cache)
        except DirectPathError as error:
            raise AnsibleParserError(visible(error.sentence())) from None
        # Nothing is added before everything was read: a source that fails leaves no half of itself behind.
        owners: dict[str, str] = {}
        for source in wanted:
            for entry in found.get(source, ()):
                self._add(entry, connection_variables(source), owners)

    def _refuse_unknown(self, config: Any) -> None:
        """Ansible passes over words it does not know; a misspelt on_error would not be noticed until it is needed."""
        known = set(constants.config.get_configuration_definitions("inventory", self._load_name))
        for key in config:
            if key not in known:
                raise AnsibleParserError(f"{self.NAME} has no option {key}{suggest_word(str(key), sorted(known))}")

    def _listed(self) -> list[Any] | None:
        listed = self.get_option("vcenters")
        return [self._filled(entry) for entry in listed] if listed else None

    def _filled(self, value: Any) -> Any:
        """A connection option with its template, if it is one, filled in, as plain text."""
        if isinstance(value, dict):
            return {str(key): self._filled(entry) for key, entry in value.items()}
        if isinstance(value, bool | int | float | list) or value is None:
            return value
        return str(self.templar.template(value) if self.templar.is_template(value) else value)

    def _entries(self, wanted: Any, depth: Depth, key: str, cache: bool) -> dict[Any, Any]:
        """What each vCenter holds, from the cache or read now. Each has its own place in the cache, so that one that could not be
        read this time is asked the next time, and the others are not."""
        caching = self.get_option("cache")
        keys = {source: f"{key}_{fingerprint(source, depth)}" for source in wanted}
        found = {
            source: self._cache[keys[source]] for source in wanted if caching and cache and keys[source] in self._cache
        }
        for answer in read_all([source for source in wanted if source not in found], depth):
            if answer.error is None:
                found[answer.source] = list(answer.entries)
                if caching:
                    self._cache[keys[answer.source]] = list(answer.entries)
                continue
            problem = visible(f"{label(answer.source)}: {answer.error.sentence()}")
            if self.get_option("on_error") == "fail":
                raise AnsibleParserError(f"{problem} With on_error: warn the inventory goes on without it.")
            self.display.warning(f"The inventory is incomplete. {problem}")
        return found

    def _add(self, told: Any, connection: dict[str, Any], owners: dict[str, str]) -> None:
        entry = all_visible(told)
        is_vm = entry["type"] == "vm"
        place = f"{entry['name']} ({entry['moid']}) of {entry['vcenter']}"
        name = self._inventory_name("vm_inventory_name" if is_vm else "inventory_name", entry, place)
        if name in owners:
            raise AnsibleParserError(
                f"Two would be called {name} in the inventory: {owners[name]} and {place}. Tell them apart, as with "
                + ("vm_inventory_name: path" if is_vm else "inventory_name: name ~ '.' ~ vcenter")
            )
        owners[name] = place
        variables = _data(facts(entry) if is_vm else {**connection, **facts(entry)})
        if not is_vm and name != entry["name"]:
            variables["passthrough_host_name"] = _data(entry["name"])
        self.inventory.add_host(name)
        for variable, value in variables.items():
            self.inventory.set_variable(name, variable, value)
        for group in groups(entry, self.get_option("group_by"), self.get_option("group_devices")):
            self.inventory.add_child(self.inventory.add_group(self._sanitize_group_name(group)), name)
        strict, variables["inventory_hostname"] = self.get_option("strict"), name
        self._set_composite_vars(self.get_option("compose"), variables, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, name, strict=strict)

    def _inventory_name(self, option: str, entry: Any, place: str) -> str:
        expression = self.get_option(option)
        if expression == "name":
            return inventory_name(entry["name"])
        try:
            return inventory_name(str(self._compose(expression, _data(entry))))
        except AnsibleError as error:
            raise AnsibleParserError(f"{option}: {expression!r} gives no name for {place}: {error}") from error


def _data(value: Any) -> Any:
    """What stands in vSphere is data: a VM or a label called "{{ ... }}" is no template. Releases before 2.19 have to be told, and show
    that they were, so only where it matters: a brace can begin a template, and a sharp sign a line that says what begins one."""
    if isinstance(value, dict):
        return {_data(key): _data(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_data(entry) for entry in value]
    return wrap_var(value) if isinstance(value, str) and ("{" in value or value.startswith("#")) else value

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
  - Creates an inventory host for every ESXi host, with facts about its passthrough devices. One bulk read per vCenter is enough for any
    number of hosts. Several vCenters are read at the same time.
  - The hosts work with the playbooks of this collection. They have C(vcenter_hostname), C(vcenter_port) and the other connection
    variables. Set the account in C(vcenter_username) and C(vcenter_password) in C(group_vars), or in the environment. Set the desired
    devices in C(passthrough_devices) of the groups that this plugin creates.
  - Built-in groups are C(esxi_hosts), C(vcenter_NAME), C(cluster_NAME), C(pci_10de_20f1) for a device model, C(label_NAME) for a
    hardware label, C(sriov) for hosts with SR-IOV virtual functions, C(pending_reboot), C(maintenance_mode), C(disconnected) and
    C(esxi_8_0_3) for a release. Characters that are not allowed in a group name become underscores. Virtual machines are in
    C(vms_with_devices).
  - If the name of a cluster is not unique in its vCenter, its group has the name of its inventory path, such as
    C(cluster_Lyon_host_Cluster1).
  - Text from vSphere is never evaluated as a template. In the name of an inventory host, braces that could start a template become
    parentheses, and control characters become numbers.
  - The file name must end in C(pci_hosts.yml) or C(pci_hosts.yaml).
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
    description: Name or address of the vCenter or of a single ESXi host.
    type: str
    env:
      - name: VMWARE_HOST
  username:
    description: Account to log in with. Read-only privileges are enough. May be a template.
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
    description: Whether the TLS certificate of the server must be trusted.
    type: bool
    default: true
    env:
      - name: VMWARE_VALIDATE_CERTS
  ca_path:
    description: PEM file or directory with CA certificates to trust, in addition to those of the system.
    type: path
    env:
      - name: VMWARE_CA_PATH
  proxy_host:
    description: HTTP proxy for the connection.
    type: str
    env:
      - name: VMWARE_PROXY_HOST
  proxy_port:
    description: Port of the HTTP proxy.
    type: int
    env:
      - name: VMWARE_PROXY_PORT
  connect_timeout:
    description: Time limit in seconds for a connection to a vCenter, and for the first response on it.
    type: int
    default: 30
    env:
      - name: VMWARE_CONNECT_TIMEOUT
  vcenters:
    description:
      - Several vCenters. Each is a name, or a mapping of O(hostname), O(username), O(password), O(port), O(validate_certs), O(ca_path),
        O(proxy_host) and O(proxy_port). The options of the plugin are the defaults of each entry.
    type: list
    elements: raw
  on_error:
    description:
      - What to do when a vCenter cannot be read. V(fail) fails the whole inventory source. V(warn) continues with the other vCenters. Then
        the hosts of the failed vCenter are missing from the inventory.
    type: str
    choices: [fail, warn]
    default: fail
  group_by:
    description: The built-in groups to create.
    type: list
    elements: str
    choices: [vcenter, cluster, device, label, sriov, pending_reboot, maintenance_mode, disconnected, version]
    default: [vcenter, cluster, device, label, sriov, pending_reboot, maintenance_mode, disconnected, version]
  group_devices:
    description: The state that a device must have for its host to be in the group of the device model.
    type: str
    choices: [capable, enabled, active]
    default: capable
  devices:
    description:
      - Whether to set C(directpath_devices) to every PCI device of a host, in the format of M(directpath.vsphere.host_pci_device_info). By
        default there are only numbers by model, in C(directpath_models).
    type: bool
    default: false
  vms:
    description:
      - Whether to create inventory hosts for virtual machines with passthrough devices, too. Their devices are counted in
        C(directpath_models), C(directpath_vgpu_profiles), C(directpath_device_groups) and C(directpath_dvx_classes).
    type: bool
    default: false
  inventory_name:
    description:
      - Jinja2 expression for the inventory name of an ESXi host. It can use C(name), C(vcenter), C(moid), C(cluster) and the other facts
        without their prefix. If two vCenters have hosts with the same name, the expression must produce different names, such as
        V(name ~ '.' ~ vcenter).
    type: str
    default: name
  vm_inventory_name:
    description: As O(inventory_name), for virtual machines. It can also use C(path).
    type: str
    default: name
requirements:
  - python >= 3.11
  - pyvmomi >= 8.0.3.0.1
"""

EXAMPLES = r"""
# All connection options from the environment (VMWARE_HOST, VMWARE_USER, VMWARE_PASSWORD)
plugin: directpath.vsphere.pci_hosts

---
# Three vCenters, one with another account. If one is down, the inventory fails. With on_error: warn it continues without that one.
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
# Custom groups
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
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.text import all_visible, inert, visible
from ansible_collections.directpath.vsphere.plugins.plugin_utils.inventory.entries import facts, groups
from ansible_collections.directpath.vsphere.plugins.plugin_utils.inventory.read import (
    OPTIONS,
    Depth,
    connection_variables,
    fingerprint,
    label,
    may_cache,
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
            options = {name: self._fill_templates(self.get_option(name)) for name in OPTIONS}
            vcenters = sources({**options, **shared}, self._read_vcenters())
            found = self._read_entries(vcenters, depth, self.get_cache_key(path), cache)
        except DirectPathError as error:
            raise AnsibleParserError(visible(error.sentence())) from None
        # Hosts are added after all vCenters were read, so that a failed source adds none.
        owners: dict[str, str] = {}
        for source in vcenters:
            for entry in found.get(source, ()):
                self._add(entry, connection_variables(source), owners)

    def _refuse_unknown(self, config: Any) -> None:
        """Ansible ignores unknown options. A misspelled on_error would not be noticed until a vCenter fails."""
        known = set(constants.config.get_configuration_definitions("inventory", self._load_name))
        for key in config:
            if key not in known:
                raise AnsibleParserError(f"{self.NAME} has no option {key}{suggest_word(str(key), sorted(known))}")

    def _read_vcenters(self) -> list[Any] | None:
        listed = self.get_option("vcenters")
        return [self._fill_templates(entry) for entry in listed] if listed else None

    def _fill_templates(self, value: Any) -> Any:
        """A connection option as plain text. If it is a template, its result."""
        if isinstance(value, dict):
            return {str(key): self._fill_templates(entry) for key, entry in value.items()}
        if isinstance(value, bool | int | float | list) or value is None:
            return value
        return str(self.templar.template(value) if self.templar.is_template(value) else value)

    def _read_entries(self, vcenters: Any, depth: Depth, key: str, cache: bool) -> dict[Any, Any]:
        """Inventory entries by vCenter, from the cache or read now. Each vCenter has its own cache key: after a failure only the vCenters
        that could not be read are read the next time."""
        caching = self.get_option("cache") and may_cache()
        keys = {source: f"{key}_{fingerprint(source, depth)}" for source in vcenters}
        found = {
            source: self._cache[keys[source]]
            for source in vcenters
            if caching and cache and keys[source] in self._cache
        }
        for answer in read_all([source for source in vcenters if source not in found], depth):
            if answer.error is None:
                found[answer.source] = list(answer.entries)
                if caching:
                    self._cache[keys[answer.source]] = list(answer.entries)
                continue
            problem = visible(f"{label(answer.source)}: {answer.error.sentence()}")
            if self.get_option("on_error") == "fail":
                raise AnsibleParserError(f"{problem} Set on_error: warn to continue without this vCenter.")
            self.display.warning(f"The inventory is incomplete. {problem}")
        return found

    def _add(self, read: Any, connection: dict[str, Any], owners: dict[str, str]) -> None:
        entry = all_visible(read)
        is_vm = entry["type"] == "vm"
        place = f"{entry['name']} ({entry['moid']}) of {entry['vcenter']}"
        name = self._evaluate_name("vm_inventory_name" if is_vm else "inventory_name", entry, place)
        if name in owners:
            raise AnsibleParserError(
                f"Two inventory hosts would have the name {name}: {owners[name]} and {place}. Give them different names, such as with "
                + ("vm_inventory_name: path" if is_vm else "inventory_name: name ~ '.' ~ vcenter")
            )
        owners[name] = place
        variables = _mark_as_data(facts(entry) if is_vm else {**connection, **facts(entry)})
        if not is_vm and name != entry["name"]:
            variables["passthrough_host_name"] = _mark_as_data(entry["name"])
        self.inventory.add_host(name)
        for variable, value in variables.items():
            self.inventory.set_variable(name, variable, value)
        for group in groups(entry, self.get_option("group_by"), self.get_option("group_devices")):
            self.inventory.add_child(self.inventory.add_group(self._sanitize_group_name(group)), name)
        strict, variables["inventory_hostname"] = self.get_option("strict"), name
        self._set_composite_vars(self.get_option("compose"), variables, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, name, strict=strict)

    def _evaluate_name(self, option: str, entry: Any, place: str) -> str:
        expression = self.get_option(option)
        if expression == "name":
            return inert(entry["name"])
        try:
            return inert(str(self._compose(expression, _mark_as_data(entry))))
        except AnsibleError as error:
            raise AnsibleParserError(f"{option}: {expression!r} produces no name for {place}: {error}") from error


def _mark_as_data(value: Any) -> Any:
    """Marks text from vSphere as data, so that a VM or label with the name "{{ ... }}" is not a template.

    Releases before 2.19 need this mark, and show it in their output. So it is set only where it matters: a brace can begin a template, and
    a leading number sign can begin a line that changes what begins a template."""
    if isinstance(value, dict):
        return {_mark_as_data(key): _mark_as_data(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_mark_as_data(entry) for entry in value]
    return wrap_var(value) if isinstance(value, str) and ("{" in value or value.startswith("#")) else value

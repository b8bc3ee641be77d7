# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input to the modules for hosts: connection, device selectors, targets, what a host refuses."""

from __future__ import annotations

from typing import Any

from tests.unit.modules.bad_input.cases import Case
from tests.unit.modules.harness import Lab
from tests.unit.pains.labs import BLIND, FIRST, SECOND, blind, desired, host, lab, on, vm

HOST_A, HOST_B = {"hosts": ["esx-01"]}, {"cluster": ["gpu"]}
BOOT, MANAGEMENT, BRIDGE = "0000:01:00.0", "0000:04:00.0", "0000:3a:00.0"
VSAN = {"card": "p4510", "use": "vsan-capacity"}
WAITING = {FIRST: {"enabled": True, "active": False}}


def pair() -> Lab:
    """Two equal hosts."""
    return lab([host("esx-01"), host("esx-02")])


def no_host_seen(module: str) -> Case:
    """An account that sees no host: for modules that read all hosts."""
    return Case(
        module=module,
        title="an account that sees no host",
        options={},
        code="no_hosts_seen",
        says=("Read-only on the hosts", "right vCenter"),
        lab=blind,
        user=BLIND,
    )


def connection(title: str, code: str, says: tuple[str, ...], *, over_tls: bool = False, **more: Any) -> Case:
    """Logging in to look at a host; ``options`` replaces connection options."""
    options = {"hosts": ["esx-01"], **more.pop("options", {})}
    return Case(
        title=title,
        module="host_pci_device_info",
        options=options,
        code=code,
        says=says,
        lab=more.pop("lab", lab),
        over_tls=over_tls,
        **more,
    )


def two_datacenters() -> Lab:
    """The same cluster name in both."""
    places = [
        {"name": name, "clusters": [{"name": "gpu", "hosts": [host(esx)]}]}
        for name, esx in (("DC", "esx-01"), ("DC2", "esx-02"))
    ]
    return Lab.load({"kind": "vcenter", "datacenters": places})


def enable(title: str, devices: Any, code: str | None, says: tuple[str, ...], **more: Any) -> Case:
    """Passing devices through; other options of the module stand in ``options``."""
    where = more.pop("where", HOST_A)
    given = {"devices": devices} if devices is not None else {}
    return Case(
        title=title,
        module="host_passthrough",
        options={**where, **given, **more.pop("options", {})},
        code=code,
        says=says,
        lab=more.pop("lab", lab),
        **more,
    )


def disable(title: str, devices: Any, code: str, says: tuple[str, ...], **more: Any) -> Case:
    return enable(title, devices, code, says, options={"state": "disabled", **more.pop("options", {})}, **more)


def _always(method: str, **rule: Any) -> Any:
    return lambda lab: lab.sim.faults.add(method=method, **rule)


def _share(lab: Lab) -> None:
    """desk-01 runs on a slice of the first GPU."""
    server, desk = lab.sim.find("HostSystem", "esx-01"), lab.sim.find("VirtualMachine", "desk-01")
    with server.edit("config") as config:
        shared = [info for info in config.graphicsInfo if info.pciId == FIRST]
        shared[0].vm = [desk.ref]


CONNECTION = [
    connection("no host name", "missing_connection", ("hostname", "VMWARE_HOST"), options={"hostname": ""}),
    connection("no user name", "missing_connection", ("username", "VMWARE_USER"), options={"username": ""}),
    connection("no password", "missing_connection", ("password", "VMWARE_PASSWORD"), options={"password": ""}),
    connection(
        "a URL for a host name",
        "bad_hostname",
        ("'https://vc.lab:8443/ui'", "Write hostname: vc.lab, port: 8443"),
        options={"hostname": "https://vc.lab:8443/ui"},
    ),
    connection(
        "a host name with a port",
        "bad_hostname",
        ("'vc.lab:443'", "Write hostname: vc.lab, port: 443"),
        options={"hostname": "vc.lab:443"},
    ),
    connection(
        "an address with a zone",
        "bad_hostname",
        ("fe80::1%eth0", "an IPv6 address with a zone", "Use a name or another address"),
        options={"hostname": "fe80::1%eth0"},
    ),
    connection(
        "a port that does not exist",
        "out_of_range",
        ("port is 65536, but must be 1 to 65535",),
        options={"port": 65536},
    ),
    connection(
        "a proxy without its port",
        "missing_connection",
        ("proxy_host", "proxy_port", "VMWARE_PROXY_PORT"),
        options={"proxy_host": "proxy.test"},
    ),
    connection(
        "wrong password",
        "invalid_login",
        ("administrator@vsphere.local", "vcenter.test", "Check username and password"),
        password="wrong",
    ),
    connection(
        "unknown user",
        "invalid_login",
        ("nobody@vsphere.local", "Check username and password"),
        options={"username": "nobody@vsphere.local"},
    ),
    connection(
        "a certificate that no known CA signed",
        "certificate_untrusted",
        ("localhost", "ca_path", "validate_certs"),
        over_tls=True,
        options={"ca_path": None},
        shown="hostname: localhost, without ca_path",
    ),
    connection(
        "a CA file that does not exist",
        "bad_ca_path",
        ("/no/such/ca.pem", "PEM file"),
        over_tls=True,
        options={"ca_path": "/no/such/ca.pem"},
    ),
    connection(
        "a CA file that holds no certificate",
        "bad_ca_path",
        ("host_cases.py", "PEM file"),
        over_tls=True,
        options={"ca_path": __file__},
        shown="ca_path: some text file",
    ),
    connection(
        "a port without a server",
        "refused",
        ("localhost", "Check hostname and port"),
        over_tls=True,
        options={"port": 1},
    ),
    connection(
        "a port that does not speak TLS",
        "tls_failed",
        ("localhost", "Check"),
        over_tls=True,
        options={"port": "{control}"},
        shown="port: that of a plain web server",
    ),
    connection(
        "a name that does not exist",
        "unknown_name",
        ("vcenter.invalid", "Check hostname and DNS"),
        over_tls=True,
        options={"hostname": "vcenter.invalid"},
    ),
    connection(
        "a web server that is neither vCenter nor ESXi",
        "not_vsphere",
        ("localhost", "neither", "Check hostname and port"),
        over_tls=True,
        setup=lambda lab: lab.sim.faults.add(http=404),
        shown="hostname: some web server",
    ),
    connection(
        "a vCenter that answers 503 for minutes",
        "unavailable",
        ("503", "run the task again"),
        setup=_always("RetrievePropertiesEx", http=503),
    ),
    connection(
        "a vCenter with no sessions left",
        "unavailable",
        ("503", "open sessions"),
        setup=lambda lab: lab.sim.knobs.set("max_session_count", 0),
    ),
    connection(
        "a connection that breaks again and again",
        "connection_lost",
        ("the connection broke", "run the task again"),
        setup=_always("RetrievePropertiesEx", drop="before"),
    ),
    connection(
        "a session that ends at once, each time",
        "session_lost",
        ("vcenter.test", "run the task again"),
        setup=_always("RetrievePropertiesEx", fault="NotAuthenticated"),
    ),
]

SELECTORS = [
    enable(
        "an id as a YAML number",
        desired({"vendor_id": 8086}),
        "bad_selector",
        ("vendor_id 8086", "Put the value in quotes"),
    ),
    enable("an id that is no hexadecimal number", desired("10de:20g1"), "bad_id", ("10de:20g1", "lspci -n")),
    enable("a name where ids belong", desired("A100"), "bad_id", ("'A100'", "vendor:device")),
    enable("an impossible address", desired("0000:3b:20.0"), "bad_address", ("0000:3b:20.0", "0000:3b:00.0")),
    enable("a match without a condition", desired({}), "bad_selector", ("every device", "10de:20f1")),
    enable("an empty match", desired(""), "bad_selector", ("match is empty", "10de:20f1")),
    enable(
        "a match with a key that does not exist", desired({"vendor": "10de"}), "bad_selector", ("vendor", "vendor_id")
    ),
    enable("a match that is a list", desired(["10de:20f1"]), "bad_selector", ("list", "a mapping")),
    enable("a class that is none", desired({"class_id": "gpu"}), "bad_id", ("'gpu'", '"0302"')),
    enable("a condition left empty", desired({"name": ""}), "bad_selector", ("name", "leave the key out")),
    enable("a count of nothing", desired(count=0), "bad_count", ("count 0", "of at least 1")),
    enable("a count in words", desired(count="some"), "bad_count", ("'some'", "or all")),
    enable("an entry without match", [{"count": 2}], "bad_devices", ("match is missing",)),
    enable(
        "an entry with a key that does not exist", [{"mach": "10de:20f1"}], "bad_devices", ("mach", "match is meant")
    ),
    enable("an entry that is a number", [1064], "bad_devices", ("a number", "quotes")),
    enable("an empty list of devices", [], "no_devices", ("devices is empty", "10de:20f1")),
    enable("no devices at all", None, None, ("devices",)),
    enable("the same device twice", [*desired(), *desired()], "duplicate_wish", ("10de:20f1 twice", "count")),
    enable(
        "a wide entry that leaves nothing for a narrow one",
        [{"match": {"class_id": "0302"}}, {"match": {"class_id": "0302", "vendor_id": "10de"}, "count": 1}],
        "contradicting_wishes",
        ("has conflicting entries", "Give the wider entry a count"),
    ),
    enable(
        "choosing by a label that the list sets",
        [{"match": "8086:2700", "label": "fast"}, {"match": {"label": "fast", "class_id": "0302"}, "count": 1}],
        "label_chosen_and_set",
        ("label", "Select by ids"),
    ),
    enable(
        "two labels for one device",
        [{"match": {"class_id": "0302"}, "label": "a"}, {"match": {"name": "*A100*"}, "label": "b"}],
        "contradicting_labels",
        ("esx-01", "different labels: a, b", "Make the entries narrower"),
    ),
    enable(
        "an address for several hosts",
        desired(FIRST),
        "address_needs_identity",
        (FIRST, "esx-01, esx-02", "Add vendor_id and device_id"),
        where=HOST_B,
        lab=pair,
    ),
    enable("a choice that does not exist", desired(), None, ("apply", "sometimes"), options={"apply": "sometimes"}),
    enable("an option that does not exist", desired(), None, ("force",), options={"force": True}),
]

TARGETS = [
    enable("neither hosts nor cluster", desired(), None, ("hosts", "cluster"), where={}),
    enable(
        "an empty list of hosts",
        desired(),
        "no_hosts",
        ("hosts is empty", "nothing is selected", "skip the task with when"),
        where={"hosts": []},
    ),
    enable(
        "a target without hosts",
        None,
        "no_hosts",
        ("targets[0]", "neither hosts nor cluster"),
        where={"targets": [{"devices": desired()}]},
    ),
    enable(
        "a target without devices",
        None,
        "no_devices",
        ("targets[0].devices", "Give at least one entry"),
        where={"targets": [{"hosts": ["esx-01"]}]},
    ),
    enable(
        "targets and hosts together", None, None, ("targets", "hosts"), options={"targets": [{"hosts": ["esx-01"]}]}
    ),
    enable(
        "a host that does not exist", desired(), "unknown_host", ("'esx-10'", "esx-01"), where={"hosts": ["esx-10"]}
    ),
    enable(
        "a cluster that does not exist", desired(), "unknown_cluster", ("'gpus'", "gpu"), where={"cluster": ["gpus"]}
    ),
    enable(
        "a short name that two hosts have",
        desired(),
        "ambiguous_host",
        ("'esx-01'", "esx-01.a.test", "esx-01.b.test", "inventory path"),
        lab=lambda: lab([host("esx-01.a.test"), host("esx-01.b.test")]),
    ),
    enable(
        "a cluster name that two datacenters have",
        desired(),
        "ambiguous_cluster",
        ("'gpu'", "/DC/host/gpu", "/DC2/host/gpu", "inventory path"),
        where={"cluster": ["gpu"]},
        lab=two_datacenters,
    ),
    enable(
        "a host the account may not see",
        desired(),
        "unknown_host",
        ("'esx-01'",),
        user=BLIND,
        lab=blind,
    ),
    enable(
        "an override that does not say on which host",
        desired(),
        "override_needs_host",
        (MANAGEMENT, "2 hosts", f"esx-01/{MANAGEMENT}"),
        where=HOST_B,
        options={"allow_protected": [MANAGEMENT]},
        lab=pair,
    ),
    enable(
        "an override that is no address",
        desired(),
        "bad_address",
        ("'vmnic0'", "0000:3b:00.0"),
        options={"allow_protected": ["esx-01/vmnic0"]},
    ),
]

DEVICES = [
    enable(
        "no such device, but one much like it",
        desired({"vendor_id": "10de", "device_id": "20f5"}),
        "no_match",
        ("esx-01", "10de:20f5", "device_id 20f1", "on_missing: skip"),
    ),
    enable(
        "more than there are",
        desired(count=3),
        "too_few",
        ("esx-01", "2 of the 3", "Lower the count to 2", "on_missing: skip"),
    ),
    enable(
        "a match for several models",
        desired({"vendor_id": "10de"}),
        "ambiguous",
        ("esx-01", "10de:20f1, 10de:2235", "count: all"),
        lab=lambda: lab([host(cards=["a100", "a40"])]),
    ),
    enable(
        "another card at the address than expected",
        desired({"address": FIRST, "vendor_id": "10de", "device_id": "2235"}),
        "identity_changed",
        ("esx-01", "10de:20f1", "Correct the address"),
    ),
    enable(
        "a bridge",
        desired(BRIDGE),
        "bridge",
        ("esx-01", BRIDGE, "Give the address of the device behind the bridge"),
        shown=f"devices: {BRIDGE}",
    ),
    enable(
        "a device the host does not offer",
        desired("10de:2235"),
        "not_capable",
        ("esx-01", "10de:2235", "ACS"),
        lab=lambda: lab([host(cards=["a100", {"card": "a40", "capable": False}])]),
    ),
    enable(
        "a device that lost its capability",
        desired(FIRST),
        "not_capable",
        ("esx-01", "no longer offers it", "KB 391460", "disable the device"),
        lab=lambda: lab([host(states={FIRST: {"enabled": True, "active": False, "capable": False}})]),
    ),
    enable(
        "VT-d or AMD-Vi is off",
        desired(),
        "iommu_off",
        ("esx-01", "IOMMU", "Enable Intel VT-d or AMD-Vi"),
        lab=lambda: lab([host(iommu=False)]),
    ),
    enable(
        "the same, on a host that lists no device at all",
        desired(),
        "iommu_off",
        ("esx-01", "IOMMU", "Enable Intel VT-d or AMD-Vi"),
        lab=lambda: lab([host(iommu=False, knobs={"iommu_off_shape": "empty"})]),
    ),
    enable(
        "an uplink",
        desired(SECOND),
        "protected",
        ("esx-01", SECOND, "uplink of vSwitch1", f'allow_protected: ["esx-01/{SECOND}='),
        lab=lambda: lab([host(cards=["a100", {"card": "x710", "uplinks": {0: "vSwitch1"}}])]),
    ),
    enable(
        "the last uplink for management",
        desired(MANAGEMENT),
        "protected",
        ("esx-01", "the last management uplink of the host", "This protection cannot be overridden"),
    ),
    enable(
        "the same, with an override",
        desired(MANAGEMENT),
        "protected",
        ("esx-01", "This protection cannot be overridden"),
        options={"allow_protected": [f"esx-01/{MANAGEMENT}"]},
    ),
    enable(
        "all uplinks for management together",
        desired("14e4:165f", count=2),
        "last_management_uplink",
        ("esx-01", MANAGEMENT, "Take one of them out of the desired devices"),
        options={"allow_protected": [f"esx-01/{MANAGEMENT}", "esx-01/0000:04:00.1"]},
        lab=lambda: lab([host(onboard=[{"card": "lom", "at": "04", "uplinks": [0, 1]}, "nvme-boot"])]),
    ),
    enable(
        "the boot disk",
        desired(BOOT),
        "protected",
        ("esx-01", "the disk ESXi boots from", f'allow_protected: ["esx-01/{BOOT}='),
    ),
    enable(
        "a disk with a datastore",
        desired("144d:a80a"),
        "protected",
        ("esx-01", "holds datastore", "allow_protected"),
        lab=lambda: lab([host(cards=["nvme-data"])]),
    ),
    enable(
        "a disk of vSAN",
        desired("8086:0a54"),
        "protected",
        ("esx-01", "vSAN", "allow_protected"),
        lab=lambda: lab([host(vsan="osa", cards=[{"card": "nvme", "use": "vsan-cache"}, VSAN])]),
    ),
    enable(
        "any NVMe device of a host with vSAN ESA",
        desired("8086:2700"),
        "protected",
        ("esx-01", "vSAN ESA", "allow_protected"),
        lab=lambda: lab([host(vsan="esa", cards=["p5800x"])]),
    ),
    enable(
        "a USB controller of a host that boots from USB",
        desired({"class_id": "0c03"}),
        "protected",
        ("esx-01", "boots from a USB device", "allow_protected"),
        lab=lambda: lab([host(boot="usb")]),
    ),
    enable(
        "a GPU that VMs share",
        desired(FIRST),
        "protected",
        ("esx-01", "shared as vGPU by desk-01", "allow_protected"),
        lab=lambda: lab([host(shared_gpus=[FIRST])], [vm("desk-01", power="on")]),
        setup=_share,
    ),
    enable(
        "apply: now on a host that needs a reboot",
        desired(),
        "rebind_unsupported",
        ("esx-01", "without a reboot", "apply: auto"),
        options={"apply": "now"},
        lab=lambda: lab([host(rebind=False)]),
    ),
    enable(
        "a disconnected host",
        desired(),
        "host_unreachable",
        ("esx-01 is disconnected", "Check its power and network"),
        lab=lambda: lab([host(connection="disconnected")]),
    ),
    enable(
        "a host that does not answer",
        desired(),
        "host_unreachable",
        ("esx-01 is notResponding", "Check its power and network"),
        lab=lambda: lab([host(connection="notResponding")]),
    ),
    enable(
        "a mixed cluster: one host without the card",
        desired(),
        "no_match",
        ("esx-02", "on_missing: skip", "1 refused"),
        where=HOST_B,
        lab=lambda: lab([host(cards=[on(), on()]), host("esx-02", ["a40"])]),
    ),
    enable(
        "an account that may only read",
        desired(),
        "no_permission",
        ("esx-01", "Host.Config.PciPassthru", "Grant"),
        user="reader@vsphere.local",
        lab=lambda: lab(users=[{"name": "admin"}, {"name": "reader@vsphere.local", "role": "ReadOnly"}]),
    ),
    enable(
        "a host that refuses the setting",
        desired(),
        "host_config_refused",
        ("esx-01", "vmkernel.log"),
        setup=_always("UpdatePassthruConfig", fault="HostConfigFault", message="Device is claimed."),
    ),
    disable(
        "disabling what a VM uses",
        desired(FIRST),
        "in_use",
        ("esx-01", FIRST, "train-01 (powered on)", "state: absent"),
        lab=lambda: lab([host(cards=[on(), on()])], [vm(power="on", devices=[{"fixed": FIRST}])]),
    ),
    disable(
        "disabling what a VM that is off refers to",
        desired(FIRST),
        "in_use",
        ("train-01 (configured, powered off)", "vm_pci_device"),
        lab=lambda: lab([host(cards=[on(), on()])], [vm(devices=[{"fixed": FIRST}])]),
    ),
]


LOOKING = [
    Case(
        title="looking at a host that does not exist",
        module="host_pci_device_info",
        options={"hosts": ["esx-9"]},
        code="unknown_host",
        says=("'esx-9'", "esx-01"),
        lab=lab,
    ),
    Case(
        title="looking for a device that is described wrongly",
        module="host_pci_device_info",
        options={"devices": desired("10de")},
        code="bad_id",
        says=("'10de'", "10de:20f1"),
        lab=lab,
    ),
]

WARNINGS = [
    enable(
        "a label, on a host that knows none",
        desired(label="a100"),
        None,
        ("esx-01 does not support hardware labels", "7.0.2", "a100"),
        lab=lambda: lab([host(version="6.7.0")]),
        warns=True,
    ),
    enable(
        "the GPU that drives the console",
        desired({"class_id": "0300"}),
        None,
        ("esx-01", "shows the console"),
        warns=True,
    ),
    enable(
        "a function that takes another along",
        desired("10de:2230"),
        None,
        ("0000:3b:00.1", "esx-01 is changed too", "shares a reset"),
        lab=lambda: lab([host(cards=["rtx-gpu-with-audio"])]),
        warns=True,
    ),
    enable(
        "a host without the card, skipped",
        desired("10de:2235"),
        None,
        ("Skipped", "esx-01"),
        options={"on_missing": "skip"},
        warns=True,
    ),
]

CASES = [*CONNECTION, *SELECTORS, *TARGETS, *DEVICES, *LOOKING]

# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recorded answers of real servers as elements of the API, and as pyVmomi's values of them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from pyVmomi import SoapAdapter, vim, vmodl

RECORDED = Path(__file__).resolve().parents[2] / "recorded"
HOST = RECORDED / "esxi-8.0.3-host.xml"
HOST_API = "vim.version.v8_0_2_0"
"""What the client spoke that recorded the host: its answers have no field of a later API."""
CONFIG_TARGETS = ("esxi-9-vgpu-config-target", "host-9-config-target", "cluster-9-config-target")
NAMESPACE = "urn:vim25"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
BYTES = ("bus", "slot", "function")


def host_element() -> Element:
    """The host as the ``objects`` element of an answer to RetrievePropertiesEx."""
    root = ElementTree.parse(HOST).getroot()
    root.tag = f"{{{NAMESPACE}}}objects"
    obj = Element(f"{{{NAMESPACE}}}obj", {"type": "HostSystem"})
    obj.text = "host-14"
    root.insert(0, obj)
    return root


@cache
def host_values() -> dict[str, Any]:
    """The properties of the host, as pyVmomi reads them."""
    text = HOST.read_text(encoding="utf-8").strip()
    text = re.sub(r"</HostSystem>$", "</objects>", text.replace("<HostSystem ", "<objects ", 1))
    content = SoapAdapter.Deserialize(text.encode(), vmodl.query.PropertyCollector.ObjectContent)
    return {item.name: item.val for item in content.propSet}


def config_target_element(name: str) -> Element:
    """A ConfigTarget as the server sent it: the Go client that wrote the file left out the namespace and the sign of bytes."""
    return _as_sent(ElementTree.parse(RECORDED / f"{name}.xml").getroot())


VERSIONS = tuple(f"vmx-{number}" for number in (13, 14, 15, 17, 18, 19, 20, 21, 22))
"""Hardware versions whose ConfigOption is recorded."""


@cache
def _config_options() -> dict[str, Element]:
    root = _as_sent(ElementTree.parse(RECORDED / "esxi-9-vgpu-config-options.xml").getroot())
    return {item.attrib.pop("version"): item for item in root}


def config_option_versions() -> set[str]:
    """Those in the file."""
    return set(_config_options())


def _as_sent(root: Element) -> Element:
    for element in root.iter():
        name = element.tag
        element.tag = f"{{{NAMESPACE}}}{name}"
        if name in BYTES and int(element.text or "0") > 0x7F:
            element.text = str(int(element.text or "0") - 0x100)
    return root


def read(element: Element, kind: Any) -> Any:
    """An element as pyVmomi reads it."""
    return SoapAdapter.Deserialize(text_of(element).encode(), kind)


def text_of(element: Element) -> str:
    """An element as text of its own."""
    ElementTree.register_namespace("xsi", XSI)
    text = ElementTree.tostring(element, encoding="unicode")
    # xsi:type names types of the default namespace, so the API's has to be that one.
    prefix = re.search(rf'xmlns:(\w+)="{NAMESPACE}"', text)
    assert prefix is not None
    return text.replace(f"xmlns:{prefix[1]}=", "xmlns=").replace(f"<{prefix[1]}:", "<").replace(f"</{prefix[1]}:", "</")


@cache
def config_target(name: str) -> Any:
    """A recorded ConfigTarget."""
    return read(config_target_element(name), vim.vm.ConfigTarget)


@cache
def config_option(version: str) -> Any:
    """A recorded ConfigOption; what it left out (guests, disks ...) is unset."""
    return read(_config_options()[version], vim.vm.ConfigOption)

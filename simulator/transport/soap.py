# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SOAP envelope to request, and result or fault to SOAP envelope. Requests are read by pyVmomi's own deserialiser."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from xml.parsers.expat import ExpatError, ParserCreate

from pyVmomi import SoapAdapter, vmodl
from pyVmomi import VmomiSupport as vs

from ..api import wire
from ..api.data import memo
from ..core.faults import with_text

NAMESPACE = "urn:vim25"
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<soapenv:Envelope xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/" '
    'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n<soapenv:Body>\n'
)
TAIL = "\n</soapenv:Body>\n</soapenv:Envelope>"


class BadRequest(Exception):
    """The body is not a SOAP request this API could have sent."""


@dataclass
class Request:
    """One decoded call."""

    method: str = ""
    moid: str = ""
    type: type[Any] | None = None
    type_name: str = ""
    values: dict[str, Any] = field(default_factory=dict)


@memo
def method_info(wsdl_name: str) -> Any:
    """pyVmomi's description of a method in the vim25 namespace; None when the API has no such method."""
    try:
        return vs.GetWsdlMethod(NAMESPACE, wsdl_name).info
    except KeyError:
        return None


class _Reader(SoapAdapter.ExpatDeserializerNSHandlers):  # type: ignore[misc]
    """Expat handlers for Envelope/Body/method/parameters."""

    def __init__(self, version: str) -> None:
        super().__init__()
        self.version = version
        self.request = Request()
        self.depth = 0
        self.in_body = False
        self.info: Any = None
        self.open_param: Any = None
        self.deserializer: Any = None
        self.parser = ParserCreate(namespace_separator=SoapAdapter.NS_SEP)
        self.parser.buffer_text = True
        self.text = ""

    def read(self, body: bytes) -> Request:
        SoapAdapter.SetHandlers(self.parser, SoapAdapter.GetHandlers(self))
        self.parser.Parse(body, True)
        self._collect()
        if not self.request.method:
            raise BadRequest("no method in the SOAP body")
        return self.request

    def StartElementHandler(self, tag: str, attr: dict[str, str]) -> None:
        self._collect()
        self.depth += 1
        self.text = ""
        name = tag.rpartition(SoapAdapter.NS_SEP)[2]
        if self.depth == 2:
            self.in_body = name == "Body"
        elif self.depth == 3 and self.in_body:
            self.request.method = name
            self.info = method_info(name)
        elif self.depth == 4 and self.in_body:
            self._param(tag, name, attr)

    def EndElementHandler(self, tag: str) -> None:
        self._collect()
        self.depth -= 1

    def CharacterDataHandler(self, text: str) -> None:
        self.text += text

    def _param(self, tag: str, name: str, attr: dict[str, str]) -> None:
        if name == "_this":
            self.request.type_name = attr.get("type", "").rpartition(":")[2]
            wanted: type[Any] = vs.ManagedObject
        elif self.request.method == "Fetch" and name == "prop":
            wanted = str
        elif self.info is None:
            return
        else:
            param = next((item for item in self.info.params if item.name == name), None)
            if param is None:
                raise BadRequest(f"{self.request.method} has no parameter {name}")
            if not wire.is_known(self.version, param.version):
                raise BadRequest(f"{self.request.method} has no parameter {name} at version {self.version}")
            wanted = param.type
        # Without a version: with one, pyVmomi replaces newer types by older ones and drops the difference.
        self.deserializer = SoapAdapter.SoapDeserializer()
        self.open_param = (name, wanted)
        is_list = issubclass(wanted, list)
        self.depth -= 1
        self.deserializer.Deserialize(self.parser, wanted.Item if is_list else wanted, False, self.nsMap)
        self.deserializer.StartElementHandler(tag, attr)

    def _collect(self) -> None:
        """Take the parameter that the nested deserialiser has finished, if any."""
        if self.open_param is None:
            return
        (name, wanted), self.open_param = self.open_param, None
        value = self.deserializer.GetResult()
        newer = wire.newer_part(value, self.version)
        if newer:
            raise BadRequest(f"{newer} does not exist at version {self.version}")
        if name == "_this":
            self.request.moid = value._moId
            self.request.type = value.__class__
        elif issubclass(wanted, list):
            self.request.values.setdefault(name, wanted()).append(value)
        else:
            self.request.values[name] = value


def decode(body: bytes, version: str) -> Request:
    """Read a SOAP request. Raises BadRequest."""
    try:
        return _Reader(version).read(body)
    except BadRequest:
        raise
    except ExpatError as error:
        raise BadRequest(f"not well-formed XML: {error}") from None
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise BadRequest(f"cannot understand the request: {type(error).__name__}: {error}") from None


def encode_result(method: str, result: Any, declared: type[Any], version: str) -> str:
    """The response envelope of a call that went well."""
    out = [HEAD, f'<{method}Response xmlns="{NAMESPACE}">']
    if result is not None and not issubclass(declared, type(None)):
        wire.write(out, "returnval", result, declared, version)
    out.append(f"</{method}Response>")
    out.append(TAIL)
    return "".join(out)


def encode_fault(fault: Any, version: str) -> str:
    """The response envelope of a fault, its fields in the detail element."""
    cls = wire.compatible(with_text(fault).__class__, version)
    out = [HEAD, "<soapenv:Fault><faultcode>ServerFaultCode</faultcode>"]
    out.append(f"<faultstring>{wire.escape(fault.msg)}</faultstring><detail>")
    name = cls._wsdlName
    attr = f' xmlns="{NAMESPACE}" xsi:type="{name}"'
    wire.write_fields(out, f"{name}Fault", fault, None, version, skip="msg", attr=attr)
    out.append("</detail></soapenv:Fault>")
    out.append(TAIL)
    return "".join(out)


def bad_request(error: BadRequest) -> Any:
    """The fault for an undecodable request."""
    return vmodl.fault.InvalidRequest(msg=str(error))

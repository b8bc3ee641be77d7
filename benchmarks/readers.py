# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One reader in a process of its own: ``python -m benchmarks.readers "bare pyVmomi" hosts``. Prints its costs as one line of JSON.

All readers request the same properties, in pages of the same size, compressed with gzip. The measured time is that of the read alone.
Imports and login are measured separately. Peak memory is that of the whole process.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import resource
import sys
import time
import zlib
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

from benchmarks.servers import Server

THIS_COLLECTION = "this collection"
UTILS = "ansible_collections.directpath.vsphere.plugins.module_utils._vsphere"


def _import_own(name: str) -> Any:
    return importlib.import_module(f"{UTILS}.{name}")


def _endpoint(server: Server) -> Any:
    return _import_own("session.endpoint").Endpoint(
        hostname="localhost",
        port=server.port,
        username=server.username,
        password=server.password,
        ca_path=server.ca_file,
        validate_certs=server.ca_file is not None,
    )


def _paths(session: Any, what: str) -> dict[Any, tuple[str, ...]]:
    from pyVmomi import vim

    if what == "hosts":
        return {vim.HostSystem: _import_own("read.hosts").host_paths(session), vim.ClusterComputeResource: ("name",)}
    return {vim.VirtualMachine: _import_own("read.vms")._paths(session)}


def read_with_collection(session: Any, what: str) -> int:
    """The reader of this collection, up to the dataclasses that planning works with."""
    if what == "hosts":
        return len(_import_own("read.hosts").read_hosts(session).hosts)
    paths = _paths(session, what)
    rows = next(iter(_import_own("property_collector.retrieve").collect_view(session, paths).values()))
    return len([_import_own("read.vms").vm_from_row(row, None) for row in rows])


def read_without_cache(session: Any, what: str) -> int:
    """The same on a fleet where no two cards are alike: the cache of values that were already read does not help."""
    _import_own("property_collector.kept_values").MOST_KNOWN = 0
    return read_with_collection(session, what)


def read_with_pyvmomi(session: Any, what: str) -> int:
    """The same read by pyVmomi. The answer is not used."""
    from pyVmomi import vim, vmodl

    collector, pc = session.content.propertyCollector, vmodl.query.PropertyCollector
    paths = _paths(session, what)
    view = session.content.viewManager.CreateContainerView(session.content.rootFolder, list(paths), True)
    walk = pc.TraversalSpec(name="view", type=vim.view.ContainerView, path="view", skip=False)
    spec = pc.FilterSpec(
        objectSet=[pc.ObjectSpec(obj=view, skip=True, selectSet=[walk])],
        propSet=[pc.PropertySpec(type=kind, all=False, pathSet=list(names)) for kind, names in paths.items()],
    )
    page = collector.RetrievePropertiesEx(
        [spec], pc.RetrieveOptions(maxObjects=_import_own("property_collector.retrieve").PAGE)
    )
    found = list(page.objects) if page else []
    while page is not None and page.token:
        page = collector.ContinueRetrievePropertiesEx(page.token)
        found.extend(page.objects)
    view.DestroyView()
    return len(found)


def read_http(session: Any, what: str, parse: Callable[[bytes], Any] | None = None) -> int:
    """The bytes alone: requested, transferred and decompressed, but not parsed (unless ``parse`` is given)."""
    bulk = _import_own("property_collector.parser")
    from pyVmomi import vim

    paths = _paths(session, what)
    collector = session.content.propertyCollector._moId
    view = session.content.viewManager.CreateContainerView(session.content.rootFolder, list(paths), True)
    start = bulk.PageStart(kind=vim.view.ContainerView, moids=(view._moId,), link="view")
    part = bulk.ReadPart(starts=[start], paths=paths)
    body = bulk.first_request(
        collector, [part], page=_import_own("property_collector.retrieve").PAGE, may_be_gone=False
    )
    found = 0
    while True:
        connection = session.stub.GetConnection()
        connection.request("POST", "/sdk", body, _import_own("http.soap").headers(session.stub))
        answer = connection.getresponse()
        text = answer.read()
        session.stub.ReturnConnection(connection)
        session.stub.calls["RetrievePropertiesEx"] += 1
        if answer.getheader("Content-Encoding") == "gzip":
            text = zlib.decompress(text, zlib.MAX_WBITS | 32)
        if parse is not None:
            parse(text)
        found += text.count(b"<objects>")
        token = re.search(rb"<token>(.*?)</token>", text)
        if token is None:
            break
        body = bulk.next_request(collector, token[1].decode())
    view.DestroyView()
    return found


def read_http_and_parse(session: Any, what: str) -> int:
    """The bytes, and a tree of each page made by the C parser of the standard library: the least work for a reader that uses all of it."""
    return read_http(session, what, ElementTree.fromstring)


READERS: dict[str, Callable[[Any, str], int]] = {
    THIS_COLLECTION: read_with_collection,
    f"{THIS_COLLECTION}, no two cards alike": read_without_cache,
    "bare pyVmomi": read_with_pyvmomi,
    "HTTP + C parser": read_http_and_parse,
    "HTTP alone": read_http,
}
PROPERTY_CALLS = ("RetrievePropertiesEx", "ContinueRetrievePropertiesEx")


def measure(name: str, what: str, server: Server) -> dict[str, Any]:
    """Run one reader and return its costs: counts, bytes, seconds and megabytes."""
    began = time.process_time()
    module = _import_own("session.connect")
    _import_own("read.vms")
    _import_own("read.hosts")
    imported = time.process_time()
    with module.open_session(_endpoint(server), read_only=True) as session:
        connected = time.process_time()
        calls = session.stub.calls.copy()
        before, spent, wall = server.counters(), server.cpu(), time.monotonic()
        cpu = time.process_time()
        found = READERS[name](session, what)
        cpu, wall, spent = time.process_time() - cpu, time.monotonic() - wall, server.cpu() - spent
        made = session.stub.calls - calls
    after = server.counters()
    return {
        "objects": found,
        "property_calls": sum(made[method] for method in PROPERTY_CALLS),
        "bytes": after["bytes_out"] - before["bytes_out"] if after else None,
        "cpu": cpu,
        "wall": wall,
        "server_cpu": spent,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "import_cpu": imported - began,
        "login_cpu": connected - imported,
    }


def main() -> None:
    """Arguments: the reader, and ``hosts`` or ``vms``. The server is in the environment variable ``BENCH_SERVER``."""
    server = Server(**json.loads(os.environ["BENCH_SERVER"]))
    print(json.dumps(measure(sys.argv[1], sys.argv[2], server)))


if __name__ == "__main__":
    from tools.collection_path import install

    install()
    main()

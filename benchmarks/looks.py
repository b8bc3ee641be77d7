# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one look of a rolling reboot costs: ``python -m benchmarks.looks``. Prints its costs as one line of JSON.

A look is one call that waits for changes, and then everything up to the decision and the progress. It is measured when nothing changed,
when one host changed, and when everything is built again from what was received before: the cost of a look without a ``Memo``.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import time
from collections.abc import Callable
from typing import Any

from benchmarks.readers import _endpoint, _import_own
from benchmarks.servers import Server

LOOKS = 12
"""Looks of each kind; the best one counts."""
UTILS = "ansible_collections.directpath.vsphere.plugins.module_utils"


def _own(name: str) -> Any:
    return importlib.import_module(f"{UTILS}.{name}")


class Looks:
    """A rolling reboot of all hosts that has locked all clusters, and looks without doing anything."""

    def __init__(self, session: Any) -> None:
        state, attributes = "_domain.rolling.state", _import_own("attributes.journal")
        inventory, journals = _import_own("rolling.inventory"), _own(f"{state}.journal")
        hosts = [host.moid for host in _import_own("read.hosts").read_host_names(session).hosts]
        self._session, self._attributes, self._journals = session, attributes, journals
        self._encode, self._memo = _own(f"{state}.codec").encode, _own("_domain.memo").Memo
        self.journal = attributes.AttributeJournal(session, why="it is measured")
        self.fleet = inventory.FleetInventory(session, [inventory.RequestedHost(moid=moid) for moid in hosts])
        self.loop = _own("_shell.rolling.loop").Loop(
            _own("_shell.rolling.context").RunContext(
                session=session,
                fleet=self.fleet,
                journal=self.journal,
                policy=_own(f"{state}.policy").Policy(reason="firmware", max_unavailable="25%", canary=False),
                me="bench@here",
                scope="bench",
                progress_writer=_own("_shell.rolling.progress_file").ProgressWriter(None),
                is_gone=lambda owner: False,
            )
        )

    def look(self) -> Any:
        """One look, and the decision."""
        seen = self.loop.look(0.0)
        return self.loop.decide(seen)

    def lock(self) -> None:
        """Lock all clusters, as a run does before it starts hosts."""
        now = float(int(self.fleet.now()))
        for cluster in self.fleet.clusters:
            lock = self._journals.Lock(
                owner="bench@here", run_id="bench", scope="bench", since=now - 60, beat=now, ttl=300.0
            )
            self.journal.write(self._attributes.Subject(kind="cluster", moid=cluster.moid), self._encode(lock))

    def change_host(self, number: int) -> None:
        """Another run has rebooted a host."""
        now = float(int(self.fleet.now()))
        entry = self._journals.Entry(run_id=f"other{number}", step="done", at=now, started=now)
        hosts = self.fleet.hosts
        subject = self._attributes.Subject(kind="host", moid=hosts[number % len(hosts)].moid)
        self._attributes.AttributeJournal(self._session, why="").write(subject, self._encode(entry))

    def forget(self) -> None:
        """Everything that was built is built again at the next look."""
        self.fleet._memo, self.loop._observer.memo, self.loop._memo = self._memo(), self._memo(), self._memo()

    def cost(self, prepare: Callable[[int], None] = lambda number: None) -> float:
        """CPU milliseconds of a look after ``prepare``."""
        found = []
        for number in range(LOOKS):
            prepare(number)
            began = time.process_time()
            self.look()
            found.append(1000 * (time.process_time() - began))
        return min(found)


def measure(server: Server) -> dict[str, Any]:
    """The costs of looks at all hosts of the server, in milliseconds of CPU, and those of the first one, with all reads."""
    with _import_own("session.connect").open_session(_endpoint(server), read_only=False) as session:
        looks = Looks(session)
        began = time.process_time()
        looks.look()
        first = 1000 * (time.process_time() - began)
        looks.lock()
        looks.look()
        decision = looks.look()
        costs = {
            "full": looks.cost(lambda number: looks.forget()),
            "unchanged": looks.cost(),
            "one_changed": looks.cost(looks.change_host),
        }
        looks.fleet.close()
    return {
        **costs,
        "first": first,
        "actions": len(decision.actions),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    """The server is in the environment variable ``BENCH_SERVER``."""
    print(json.dumps(measure(Server(**json.loads(os.environ["BENCH_SERVER"])))))


if __name__ == "__main__":
    from tools.collection_path import install

    install()
    main()

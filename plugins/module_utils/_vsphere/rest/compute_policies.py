# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMs that compute policies of vCenter stop when their host is evacuated. PRIVATE to the collection.

Sources: vSphere Automation API reference, vcenter/compute/policies (Policies, TagUsage: both with System.Read); vSphere 8.0 resource
management guide, policies for evacuation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..._domain.errors import DirectPathError
from ..._domain.rolling.compute_policies import stops_vms
from ..session.connect import Session
from .tags import Automation

FIRST_RELEASE = 8
"""vCenter stops VMs by compute policies since 8.0; earlier releases have such policies only in VMware Cloud on AWS."""
TRY_AGAIN = 300.0
"""Seconds after which policies that could not be read are tried again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyVms:
    """``reasons``: VM id → a clause: which policy would stop it. ``problem``: a sentence, when policies could not be read now, or not all
    of them; ``reasons`` may then be incomplete, or from the last reading."""

    reasons: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


class ComputePolicies:
    """Read when hosts are about to be evacuated: one request, or three if a policy may stop VMs. ``api``: the caller closes it."""

    def __init__(self, session: Session, api: Automation) -> None:
        self._session, self._api = session, api
        self._again = 0.0
        self.last = PolicyVms()
        """The last reading."""

    def read(self) -> PolicyVms:
        """What would be stopped now. Never raises: if policies cannot be read, the run finds out from the events of the VMs."""
        if not may_have_policies(self._session) or (self.last.problem and self._session.clock() < self._again):
            return self.last
        try:
            self.last = self._read()
        except DirectPathError as error:
            self.last = replace(self.last, problem=error.message)
        if self.last.problem:
            self._again = self._session.clock() + TRY_AGAIN
        return self.last

    def _read(self) -> PolicyVms:
        policies = {key: (one, clause) for key, one in self._api.policies().items() if (clause := stops_vms(*one))}
        if not policies:
            return PolicyVms()
        tags = {key: found for key, found in self._api.policy_tags().items() if key in policies}
        named = {tag for found in tags.values() for tag in found}
        holders = self._api.tagged_vms(named) if named else {}
        clauses: dict[str, list[str]] = defaultdict(list)
        for key, found in tags.items():
            for moid in {moid for tag in found for moid in holders.get(tag, ())}:
                clauses[moid].append(policies[key][1])
        hidden = sorted(name for key, ((_unused, name), _clause) in policies.items() if not tags.get(key))
        return PolicyVms(
            reasons={moid: ", ".join(sorted(found)) for moid, found in clauses.items()},
            problem=f"The server does not show to which VMs {', '.join(hidden)} apply" if hidden else "",
        )


def may_have_policies(session: Session) -> bool:
    """Whether the server is a vCenter of a release in which policies can stop VMs. A release that is not readable counts."""
    release = str(session.content.about.apiVersion or "").partition(".")[0]
    return session.is_vcenter and (not release.isdecimal() or int(release) >= FIRST_RELEASE)

# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the file of a journal is lost when the job ends. PRIVATE to the collection.

ansible-runner, and with it a controller such as AWX, runs a playbook in a container (the execution environment), and removes it
afterwards. The journal of an interrupted run would be removed, too. A directory that was mounted into the container stays, except that of
the job itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from ..._domain.rolling.scheduling.notices import lost_journal_warning
from ..._vsphere.attributes.journal import Journal

OF_THE_JOB = Path("/runner")
"""Where ansible-runner mounts the directory of the job."""
LAUNCHED = "LAUNCHED_BY_RUNNER"
"""Set in the containers that ansible-runner starts."""
ARTIFACTS = "AWX_ISOLATED_DATA_DIR"
"""Set by ansible-runner: its directory for the artifacts of the job. Also set without a container, and then elsewhere."""


def lost_journal_warnings(journal: Journal, *, is_vcenter: bool) -> list[str]:
    """A warning if the journal is in a file that does not stay."""
    lost = journal.kind == "file" and is_lost(Path(journal.place), os.environ, _device_of)
    return [lost_journal_warning(journal.place, is_vcenter=is_vcenter)] if lost else []


def is_lost(file: Path, environ: Mapping[str, str], device_of: Callable[[Path], int]) -> bool:
    """``device_of``: the device of the file system with a path."""
    in_job = OF_THE_JOB in Path(environ.get(ARTIFACTS, "/")).parents
    if not (in_job or environ.get(LAUNCHED)):
        return False
    place = file.absolute()
    return OF_THE_JOB in place.parents or device_of(place) == device_of(Path("/"))


def _device_of(path: Path) -> int:
    """Of the nearest directory that exists; 0 if none can be read, which is then equal for all."""
    for place in (path, *path.parents):
        try:
            return os.stat(place).st_dev
        except OSError:
            continue
    return 0

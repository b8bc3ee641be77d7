#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_rolling_reboot
short_description: x
"""

EXAMPLES = r"""
"""

RETURN = r"""
"""

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling import patience, roll_hosts
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling_wish import (
    ARGUMENTS,
    CONSTRAINTS,
    RollWish,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.run import Work, run


def main() -> None:
    run(Work(arguments=ARGUMENTS, constraints=CONSTRAINTS, wish=RollWish.of, do=roll_hosts, patience=patience))


if __name__ == "__main__":
    main()

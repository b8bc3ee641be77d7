# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory: one class for each managed object type, state in properties, decisions in `simulator.rules`."""

from __future__ import annotations

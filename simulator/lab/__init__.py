# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a lab file to an inventory: hardware catalogue, defaults, expansion, and the labs that come with it."""

from __future__ import annotations

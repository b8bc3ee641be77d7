# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hardware of a lab: the catalogue of cards, where they sit, and hosts that were recorded."""

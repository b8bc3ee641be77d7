# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Costs of reads and plays, compared with other collections, and with HTTP and the XML parser alone. ``make bench``."""

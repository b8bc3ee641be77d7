# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``make bench``: what reads and plays of this collection cost, compared with its peers and with transfer and parsing alone."""

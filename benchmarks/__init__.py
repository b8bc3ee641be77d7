# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What our reads and plays cost, beside the peers' and beside what the wire and the parser cost anybody. ``make bench``."""

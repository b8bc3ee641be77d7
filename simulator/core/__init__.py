# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every simulated object rests on: properties, registry, clock, tasks, journal, rights, and the dispatcher of calls."""

# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of PCI functions: addresses and ids, passthrough settings, vGPU profiles, moved buses."""

# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of virtual machines: devices, reconfiguration, privileges, power-on."""

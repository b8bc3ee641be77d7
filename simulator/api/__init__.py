# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vSphere API itself: data objects, names, versions, the XML on the wire, and which arguments a method honors."""

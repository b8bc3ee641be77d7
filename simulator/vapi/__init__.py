# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vSphere Automation API beside the SDK, as far as it is modelled: sessions and tags.

Sources: "Tagging APIs" and "Session" of the vSphere Automation API reference, for the older dialect that of 6.5 to 7.0 U1.
"""

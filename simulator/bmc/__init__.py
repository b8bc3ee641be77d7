# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Management controllers of the hosts: a Redfish service each, and one that speaks for all of them.

Sources: Redfish specification (DSP0266), its data model (DSP0268), and resources that makers of controllers show in public.
"""

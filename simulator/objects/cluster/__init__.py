# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters: ClusterComputeResource, HA admission control, and the placement and advice of DRS."""

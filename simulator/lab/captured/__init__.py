# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab made of a capture: what a real server answered (docs/capture.schema.json)."""

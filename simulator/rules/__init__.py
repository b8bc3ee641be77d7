# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How vSphere behaves, as small pure functions: no registry, no clock, no input or output.

A rule takes plain values, answers with plain values, and refuses by raising the fault the product raises.
Each rule names its source: a KB article, the vSphere Web Services API reference, a captured lab run, or the
knob for a fact that is not published.
"""

from __future__ import annotations

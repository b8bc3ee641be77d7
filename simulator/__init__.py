# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A vSphere endpoint in Python: SOAP over TLS for any client, or the same dispatcher in process for tests."""

from __future__ import annotations

from .core.clock import ManualClock, ScaledClock
from .simulator import Simulator

__all__ = ["ManualClock", "ScaledClock", "Simulator"]

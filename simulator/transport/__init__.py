# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways in: the same dispatcher in process, or as SOAP over HTTPS."""

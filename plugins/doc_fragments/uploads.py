# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of uploads of reports."""

    DOCUMENTATION = r"""
options:
  upload_method:
    description: The method of the request.
    type: str
    choices: [PUT, POST]
    default: PUT
  upload_headers:
    description: Further headers of the request, such as a token, or the C(x-ms-blob-type) of an Azure blob.
    type: dict
    default: {}
  upload_ca_path:
    description: PEM file with the CA of the server, if the system does not trust it.
    type: path
  upload_proxy:
    description: URL of an HTTP proxy, without an account. Environment variables are not used.
    type: str
"""

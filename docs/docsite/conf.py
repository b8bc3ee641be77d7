# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of Sphinx for the documentation site (`make docs-site`)."""

project = "directpath.vsphere"
author = copyright = "directpath.vsphere contributors"
title = html_title = "directpath.vsphere"
html_short_title = "directpath.vsphere"

extensions = ["myst_parser", "sphinx_antsibull_ext"]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
myst_heading_anchors = 4
"""Guides link to headings, as on GitHub."""

html_theme = "sphinx_ansible_theme"
html_show_sphinx = False
html_copy_source = False
html_use_index = False
pygments_style = "ansible"
highlight_language = "YAML+Jinja"
default_role = "any"
display_version = False

suppress_warnings = [
    "ref.ref",  # antsibull-docs refers to pages of Ansible's own documentation; the site is built without network
    "ref.any",
]

# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated tables: from which words they are made, and that a stale or unmarked file is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tools.generate import GenerateError, action_group_problems, filled, outputs, variables_table

MODULE = """DOCUMENTATION = r\"\"\"
module: thing
short_description: Makes a O(thing) | or two
\"\"\"
"""
SPECS = {
    "main": {
        "short_description": "Does it",
        "options": {
            "role_state": {"type": "str", "default": "on", "choices": ["on", "off"], "description": "Which I(state)."},
            "role_needed": {"type": "str", "required": True, "description": ["One.", "Two."]},
            "role_list": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "description": "A | bar.",
                "options": {"name": {"type": "str", "description": "Its name."}},
            },
            "role_unset": {"type": "bool", "description": "Asked\n  for."},
        },
    }
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {
        "plugins/modules/thing.py": MODULE,
        "roles/doer/meta/argument_specs.yml": yaml.safe_dump({"argument_specs": SPECS}, sort_keys=False),
        "roles/doer/README.md": "# doer\n\n<!-- generated: variables -->\n<!-- end generated -->\n\nafter\n",
        "playbooks/site.yml": "- name: Prepare\n  import_playbook: x.yml\n- name: The whole job\n  hosts: all\n",
        "playbooks/common/find_vcenters.yml": "- name: Find\n  hosts: localhost\n",
        "plugins/plugin_utils/inventory/entries.py": 'def host_entry():\n    return {"type": "host"}\n',
        "plugins/inventory/pci_hosts.py": 'DOCUMENTATION = "short_description: Lists hosts"\n',
        "meta/runtime.yml": "action_groups: {all: [thing]}\n",
        "galaxy.yml": "repository: https://github.com/us/directpath.vsphere\nversion: 1.2.3\n",
        "README.md": "# x\n\n"
        + "\n\n".join(
            f"<!-- generated: {name} -->\nold\n<!-- end generated -->"
            for name in ("contents", "install", "requirements")
        ),
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_the_readme_names_everything_a_user_calls(root: Path) -> None:
    assert outputs(root)[root / "README.md"].splitlines()[2:9] == [
        "<!-- generated: contents -->",
        "| | what it does |",
        "|---|---|",
        "| module [`thing`](docs/reference/thing.md) | Makes a `thing` \\| or two |",
        "| inventory plugin [`pci_hosts`](docs/reference/pci_hosts.md) | Lists hosts |",
        "| role [`doer`](roles/doer/README.md) | Does it |",
        "| playbook `directpath.vsphere.site` | The whole job |",
    ]


def test_the_readme_installs_what_galaxy_yml_says(root: Path) -> None:
    text = outputs(root)[root / "README.md"]
    assert "install git+https://github.com/us/directpath.vsphere.git,v1.2.3 " in text
    assert "  - name: https://github.com/us/directpath.vsphere.git\n    type: git\n    version: v1.2.3\n" in text


def test_a_module_has_a_page(root: Path) -> None:
    fragment = 'class ModuleDocFragment:\n    DOCUMENTATION = "options: {hostname: {type: str, aliases: [host]}}"\n'
    (root / "plugins" / "doc_fragments").mkdir()
    (root / "plugins" / "doc_fragments" / "connection.py").write_text(fragment, encoding="utf-8")
    module = MODULE.replace(
        '\n"""',
        "\nextends_documentation_fragment: directpath.vsphere.connection\n"
        "options: {size: {type: dict, default: {}, description: [A, B.], suboptions: {gb: {type: int, required: true}}}}\n"
        + '"""',
    )
    module += 'EXAMPLES = "- name: Make one\\n"\n'
    module += (
        'RETURN = "{rows: {type: list, elements: dict, returned: always, contains: {name: {description: C(x)}}}}"\n'
    )
    (root / "plugins" / "modules" / "thing.py").write_text(module, encoding="utf-8")
    lines = outputs(root)[root / "docs" / "reference" / "thing.md"].splitlines()
    assert lines[0] == "# directpath.vsphere.thing"
    for row in (
        "| `size` | dict | `{}` | A B. |",
        "| `size.gb` | int | **required** |  |",
        "| `hostname` | str | unset | Alias: `host`. |",
        "- name: Make one",
        "| `rows` | list of dict | always |  |",
        "| `rows[].name` |  |  | `x` |",
    ):
        assert row in lines


def test_a_role_table_has_every_variable_and_suboption(root: Path) -> None:
    assert variables_table(root / "roles" / "doer").splitlines()[2:] == [
        "| `role_state` | str | `'on'` | Which `state`. One of `'on'`, `'off'`. |",
        "| `role_needed` | str | **required** | One. Two. |",
        "| `role_list` | list of dict | `[]` | A \\| bar. |",
        "| `role_list[].name` | str | unset | Its name. |",
        "| `role_unset` | bool | unset | Asked for. |",
    ]


def test_text_around_the_markers_stays_and_a_second_run_changes_nothing(root: Path) -> None:
    readme = root / "roles" / "doer" / "README.md"
    text = outputs(root)[readme]
    assert text.startswith("# doer\n")
    assert text.endswith("\n\nafter\n")
    readme.write_text(text, encoding="utf-8")
    assert outputs(root)[readme] == text


def test_a_role_readme_without_marker_is_an_error(root: Path) -> None:
    (root / "roles" / "doer" / "README.md").write_text("# doer\n", encoding="utf-8")
    with pytest.raises(GenerateError, match=r"roles/doer/README.md lacks the marker of variables"):
        outputs(root)


def test_an_unknown_marker_is_an_error() -> None:
    with pytest.raises(GenerateError, match="no table is called 'nonsense'"):
        filled("<!-- generated: nonsense -->\n<!-- end generated -->\n", {"contents": ""})


def test_the_action_group_is_compared_both_ways(root: Path) -> None:
    assert action_group_problems(root) == []
    (root / "meta" / "runtime.yml").write_text("action_groups: {all: [other]}\n", encoding="utf-8")
    assert action_group_problems(root) == [
        "meta/runtime.yml: action group all lacks thing",
        "meta/runtime.yml: action group all names other, no module",
    ]

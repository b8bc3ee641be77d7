# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""No file breaks the layers; and each rule catches a source that does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.layers.rules import INVENTORY_BUDGET, LAYERS, MODULE_BUDGET, code_lines, layer_of, violations

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    str(path.relative_to(ROOT))
    for folder in ("extensions", "plugins", "simulator")
    for path in (ROOT / folder).rglob("*.py")
)
DOMAIN = "plugins/module_utils/_domain/host/passthrough.py"
VSPHERE = "plugins/module_utils/_vsphere/write/vms.py"
SHELL = "plugins/module_utils/_shell/engine/run.py"
MODULE = "plugins/modules/host_passthrough.py"
ACTION = "plugins/action/host_rolling_reboot.py"
PLUGIN_UTILS = "plugins/plugin_utils/report/text.py"
INVENTORY = "plugins/inventory/pci_hosts.py"
FILTER = "plugins/filter/intent.py"
SIMULATOR = "simulator/objects/host/host.py"
FULL = "ansible_collections.directpath.vsphere.plugins.module_utils"


@pytest.mark.parametrize("path", SOURCES)
def test_layers_hold(path: str) -> None:
    assert violations(path, (ROOT / path).read_text(encoding="utf-8")) == []


def test_every_layer_with_files_was_read() -> None:
    read = {layer.folder for layer in map(layer_of, SOURCES) if layer}
    present = {layer.folder for layer in LAYERS if any((ROOT / layer.folder).glob("*.py"))}
    assert present <= read
    assert {"plugins/module_utils/_domain", "plugins/module_utils/_vsphere", "simulator"} <= read


IMPURE_MODULES = ("pyVmomi", "pyVim", "requests", "ansible", "time", "socket", "os", "pathlib", "random", "subprocess")
IMPURE_MODULES += ("logging", "ssl", "threading", "asyncio", "os.path")


@pytest.mark.parametrize("name", IMPURE_MODULES)
def test_domain_imports_nothing_impure(name: str) -> None:
    assert violations(DOMAIN, f"import {name}\n")
    assert violations(DOMAIN, f"from {name} import thing\n")
    assert violations(DOMAIN, f"def late():\n    import {name} as other\n    return other\n")
    assert violations(DOMAIN, f"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import {name}\n")


BROKEN = {
    "domain imports the shell, relatively": (DOMAIN, "from ..._shell import run\n"),
    "domain imports the shell, absolutely": (DOMAIN, f"from {FULL}._shell.engine.run import run\n"),
    "domain imports vsphere, relatively": (DOMAIN, "from ..._vsphere.session.connect import Session\n"),
    "domain imports vsphere, as a package": (DOMAIN, "from ... import _vsphere\n"),
    "domain imports vsphere, absolutely": (DOMAIN, f"import {FULL}._vsphere.session\n"),
    "domain imports the simulator": (DOMAIN, "import simulator\n"),
    "domain reads the clock": (DOMAIN, "import datetime\n\nTODAY = datetime.datetime.now()\n"),
    "domain reads a file": (DOMAIN, "text = open('x').read()\n"),
    "domain prints": (DOMAIN, "print('x')\n"),
    "domain gets an untyped mapping": (DOMAIN, "def plan(options: Mapping[str, Any]) -> None: ...\n"),
    "domain gets one in a list": (DOMAIN, "def plan(options: Sequence[dict[str, Any]] | None) -> None: ...\n"),
    "domain returns an untyped mapping": (DOMAIN, "def facts() -> dict[str, Any]: ...\n"),
    "domain keeps an untyped mapping": (DOMAIN, "class Facts:\n    more: typing.Mapping[str, typing.Any]\n"),
    "domain hides one behind an alias": (DOMAIN, "Record = Mapping[str, Any]\n"),
    "a frozen request has a dict": (
        SHELL,
        "@dataclass(frozen=True)\nclass Request:\n    stopped: dict[str, str] = field(default_factory=dict)\n",
    ),
    "a frozen object is changed later": (
        DOMAIN,
        "class Request:\n    def note(self) -> None:\n        object.__setattr__(self, 'seen', True)\n",
    ),
    "vsphere imports ansible": (VSPHERE, "from ansible.module_utils.basic import AnsibleModule\n"),
    "vsphere imports any ansible": (VSPHERE, "import ansible\n"),
    "vsphere imports the shell": (VSPHERE, "from ..._shell.engine.output import render\n"),
    "vsphere imports a module": (VSPHERE, "from ....modules import host_passthrough\n"),
    "vsphere imports the simulator": (VSPHERE, "from simulator.simulator import Simulator\n"),
    "vsphere imports the simulator by its full name": (
        VSPHERE,
        "from ansible_collections.directpath.vsphere.simulator.core import clock\n",
    ),
    "shell imports pyVmomi": (SHELL, "from pyVmomi import vim\n"),
    "shell imports pyVim": (SHELL, "from pyVim.connect import SmartConnect\n"),
    "shell imports requests": (SHELL, "import requests\n"),
    "shell imports ssl": (SHELL, "import ssl\n"),
    "shell imports a module": (SHELL, "from ....modules.host_passthrough import main\n"),
    "module imports pyVmomi": (MODULE, "from pyVmomi import vim\n"),
    "module imports AnsibleModule": (MODULE, "from ansible.module_utils.basic import AnsibleModule\n"),
    "module imports another module": (MODULE, "from .host_passthrough import main\n"),
    "module imports another module by its full name": (
        MODULE,
        "from ansible_collections.directpath.vsphere.plugins.modules.host_passthrough import main\n",
    ),
    "module imports the simulator": (MODULE, "import simulator.core.clock\n"),
    "module has a class": (MODULE, "class Passthrough:\n    pass\n"),
    "module has a try": (MODULE, "try:\n    x = 1\nexcept ValueError:\n    x = 2\n"),
    "module reads check_mode": (MODULE, "def main(module):\n    return module.check_mode\n"),
    "module reads check_mode by name": (MODULE, "def main(module):\n    return getattr(module, 'check_mode')\n"),
    "module declares check mode itself": (MODULE, "def main(run):\n    run(check_mode=True)\n"),
    "module speaks vim": (MODULE, "def parse(vim):\n    return vim.HostSystem\n"),
    "module imports what is for the controller": (MODULE, "from ..plugin_utils.intent import load\n"),
    "shell imports what is for the controller": (SHELL, "from ....plugin_utils.intent import load\n"),
    "shell goes to the SDK itself": (SHELL, "from ..._vsphere.sdk import vim\n"),
    "shell goes to the SDK by another name": (SHELL, "from ..._vsphere import sdk as library\n"),
    "controller's code goes to the SDK itself": (PLUGIN_UTILS, "from ...module_utils._vsphere.sdk import vmodl\n"),
    "controller's code imports pyVmomi": (PLUGIN_UTILS, "from pyVmomi import vim as v\n"),
    "controller's code imports a module": (PLUGIN_UTILS, "from ...modules.host_passthrough import main\n"),
    "domain imports Jinja2": (DOMAIN, "from jinja2 import Environment\n"),
    "vsphere imports Jinja2": (VSPHERE, "import jinja2\n"),
    "shell imports Jinja2": (SHELL, "from jinja2 import Environment\n"),
    "shell imports what Jinja2 brings": (SHELL, "from markupsafe import Markup\n"),
    "a stray util imports Jinja2": ("plugins/module_utils/page.py", "import jinja2\n"),
    "module imports Jinja2": (MODULE, "def late():\n    import jinja2.sandbox\n"),
    "module imports by a call": (MODULE, "vsphere = __import__('pyVmomi')\n"),
    "module is too long": (MODULE, "".join(f"x{n} = {n}\n" for n in range(MODULE_BUDGET + 1))),
    "action imports AnsibleModule": (ACTION, "from ansible.module_utils.basic import AnsibleModule\n"),
    "action imports pyVmomi": (ACTION, "import pyVmomi\n"),
    "action imports a module": (ACTION, "from ..modules.host_passthrough import main\n"),
    "inventory imports pyVmomi": (INVENTORY, "from pyVmomi import vim\n"),
    "inventory imports requests": (INVENTORY, "import requests\n"),
    "inventory imports AnsibleModule": (INVENTORY, "from ansible.module_utils.basic import AnsibleModule\n"),
    "inventory imports vsphere": (INVENTORY, "from ..module_utils._vsphere.session import open_session\n"),
    "inventory imports a module": (INVENTORY, "from ..modules.host_pci_device_info import main\n"),
    "inventory starts threads": (INVENTORY, "import threading\n"),
    "inventory has a class of its own": (INVENTORY, "class Reader:\n    pass\n"),
    "inventory speaks vim": (INVENTORY, "def read(vim):\n    return vim.HostSystem\n"),
    "inventory is too long": (INVENTORY, "".join(f"x{n} = {n}\n" for n in range(INVENTORY_BUDGET + 1))),
    "filter imports pyVmomi": (FILTER, "from pyVmomi import vim\n"),
    "a new kind of plugin imports pyVmomi": ("plugins/lookup/device.py", "from pyVmomi import vim\n"),
    "a stray util imports pyVmomi": ("plugins/module_utils/vmware.py", "from pyVmomi import vim\n"),
    "a stray util imports AnsibleModule": (
        "plugins/module_utils/vmware.py",
        "from ansible.module_utils.basic import AnsibleModule\n",
    ),
    "simulator imports plugins": (SIMULATOR, "from plugins.module_utils._domain import pci\n"),
    "simulator imports the collection": (SIMULATOR, f"from {FULL}._domain.pci import Address\n"),
    "simulator imports plugins, relatively": (SIMULATOR, "from ....plugins.module_utils._domain import pci\n"),
    "simulator imports ansible": (SIMULATOR, "import ansible\n"),
    "simulator imports tools": (SIMULATOR, "from tools.envs import ROOT\n"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_rule_catches_its_violation(name: str) -> None:
    path, source = BROKEN[name]
    assert len(violations(path, source)) == 1, violations(path, source)


ALLOWED = {
    "domain on domain": (DOMAIN, "from __future__ import annotations\nfrom ..pci import Address\nimport dataclasses\n"),
    "vsphere on pyVmomi and domain": (
        VSPHERE,
        "import ssl\nimport time\nimport requests\nfrom pyVmomi import vim\nfrom ..._domain.planning.plan import Plan\n",
    ),
    "shell on everything below": (
        SHELL,
        "from ansible.module_utils.basic import AnsibleModule\nfrom ..._vsphere.session import connect\n"
        "from ..._domain.planning.plan import Plan\n",
    ),
    "module on the three": (
        MODULE,
        f"from ..module_utils._shell.engine.run import run\nfrom {FULL}._domain.planning.plan import Plan\n"
        "from ..module_utils._vsphere.read.hosts import read_hosts\n",
    ),
    "action on ansible's plugins": (
        ACTION,
        "from ansible.plugins.action import ActionBase\nfrom ..module_utils._domain.planning.plan import Plan\n",
    ),
    "inventory on ansible's plugins and the shell": (
        INVENTORY,
        "from ansible.plugins.inventory import BaseInventoryPlugin\nfrom ..plugin_utils.inventory.read import read_all\n"
        "from ..module_utils._domain.names import shown\n\n\nclass InventoryModule(BaseInventoryPlugin):\n    pass\n",
    ),
    "controller's code on Jinja2": (PLUGIN_UTILS, "from jinja2 import Environment\nfrom markupsafe import Markup\n"),
    "simulator on pyVmomi": (
        SIMULATOR,
        "import time\nfrom pyVmomi import vim\nfrom simulator.core.base import Entity\n",
    ),
    "simulator, relatively": (SIMULATOR, "from ..rules import reboot\n"),
    "elsewhere anything": ("tests/unit/test_x.py", "import time, pyVmomi\n"),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_rules_leave_good_sources_alone(name: str) -> None:
    path, source = ALLOWED[name]
    assert violations(path, source) == []


def test_documentation_and_comments_are_not_code() -> None:
    import ast

    source = (
        "#!/usr/bin/python\n# comment\n\nDOCUMENTATION = r'''\n"
        + "text: check_mode\n" * 200
        + "'''\n\ndef main():\n    '''Docstring\n    of two lines.'''\n    return (\n        1\n    )\n"
    )
    assert code_lines(ast.parse(source), source) == 4
    assert violations(MODULE, source) == []

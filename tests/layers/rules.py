# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layers of the collection as data, and the reading of one source against them.

Arrows point at what is imported and nothing points back: modules → _shell → _vsphere → _domain; action, inventory, callback and
filter plugins → plugin_utils → the same three. ``violations(path, source)`` is a pure function, so that the tests can
also feed it sources that break each rule and see that it notices.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

from tools.architecture import imported_names

UTILS = "plugins.module_utils"
CONTROLLER = "plugins.plugin_utils"
"""What runs on the control node only."""
SDK_DOOR = f"{UTILS}._vsphere.sdk"

SDK = ("pyVmomi", "pyVim", "vmware", "com.vmware")
WIRE = (*SDK, "requests", "urllib3", "ssl", "http", "socket", "urllib.request")
TEMPLATES = ("jinja2", "markupsafe")
"""Modules run on hosts where Jinja2 need not be installed: pages are made on the control node, in plugin_utils."""
IMPURE = (
    *WIRE,
    *TEMPLATES,
    "ansible",
    "asyncio",
    "getpass",
    "glob",
    "importlib",
    "io",
    "logging",
    "multiprocessing",
    "os",
    "pathlib",
    "random",
    "secrets",
    "select",
    "shutil",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
    "uuid",
)
IMPURE_CALLS = ("open", "print", "input", "exec", "eval", "__import__", "now", "utcnow", "today")
MODULE_BUDGET = 60
INVENTORY_BUDGET = 120
"""Ansible asks an inventory plugin for more than a module: options, cache, composed variables and groups are its business."""
DOCUMENTATION_NAMES = ("DOCUMENTATION", "EXAMPLES", "RETURN")


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A folder (longest match wins), what of this checkout it may import, and what of the world it may not."""

    folder: str
    collection: tuple[str, ...]
    banned: tuple[str, ...]


BASIC = "ansible.module_utils.basic"

LAYERS = (
    Layer(folder="plugins/module_utils/_domain", collection=(f"{UTILS}._domain",), banned=IMPURE),
    Layer(
        folder="plugins/module_utils/_vsphere",
        collection=(f"{UTILS}._domain", f"{UTILS}._vsphere"),
        banned=("ansible", *TEMPLATES),
    ),
    Layer(folder="plugins/module_utils/_shell", collection=(UTILS,), banned=(*WIRE, *TEMPLATES)),
    Layer(folder="plugins/module_utils", collection=(), banned=(*WIRE, *TEMPLATES, "ansible")),
    Layer(folder="plugins/modules", collection=(UTILS,), banned=(*WIRE, *TEMPLATES, "ansible", "importlib", "time")),
    Layer(folder="plugins/plugin_utils", collection=(UTILS, CONTROLLER), banned=(*WIRE, BASIC)),
    Layer(folder="plugins/action", collection=(UTILS, CONTROLLER), banned=(*WIRE, BASIC)),
    Layer(
        folder="plugins/inventory",
        collection=(f"{UTILS}._domain", CONTROLLER),
        banned=(*WIRE, BASIC, "threading"),
    ),
    Layer(folder="plugins/callback", collection=(CONTROLLER,), banned=(*WIRE, BASIC)),
    Layer(folder="plugins/filter", collection=(UTILS, CONTROLLER), banned=(*WIRE, BASIC)),
    Layer(folder="plugins/doc_fragments", collection=(), banned=(*WIRE, "ansible")),
    # What ansible-rulebook starts: documentation, and one call.
    Layer(folder="extensions", collection=(CONTROLLER,), banned=(*WIRE, BASIC, "asyncio", "threading")),
    Layer(folder="plugins", collection=(UTILS,), banned=(*WIRE, BASIC)),
    Layer(folder="simulator", collection=("simulator",), banned=("ansible", "tools", "tests")),
)


def violations(path: str, source: str) -> list[str]:
    """Every broken rule of one file, as ``path:line: sentence``. `path` is relative to the root, with slashes."""
    layer = layer_of(path)
    if layer is None:
        return []
    tree = ast.parse(source)
    found = list(_import_violations(path, layer, tree))
    if layer.folder == "plugins/module_utils/_domain":
        found += [*_purity_violations(tree), *_untyped_violations(tree)]
    if layer.folder.startswith("plugins/module_utils/_"):
        found += _frozen_violations(tree)
    if layer.folder == "plugins/modules":
        found += _module_violations(tree, source)
    if layer.folder == "plugins/inventory":
        found += _inventory_violations(tree, source)
    return [f"{path}:{line}: {sentence}" for line, sentence in sorted(found)]


def layer_of(path: str) -> Layer | None:
    """The layer with the longest folder that holds the file; None outside plugins/ and simulator/."""
    holders = [layer for layer in LAYERS if path.startswith(layer.folder + "/")]
    return max(holders, key=lambda layer: len(layer.folder), default=None)


def _import_violations(path: str, layer: Layer, tree: ast.AST) -> Iterator[tuple[int, str]]:
    for line, name in imported_names(path, tree):
        own = name.split(".")[0] in ("plugins", "simulator", "ansible_collections")
        allowed = _under(name, layer.collection) if own else not _under(name, layer.banned)
        if not allowed:
            yield line, f"{layer.folder} may not import {name}"
        elif _under(name, (SDK_DOOR,)) and layer.folder != "plugins/module_utils/_vsphere":
            yield line, f"pyVmomi stays below _vsphere: {layer.folder} may not import {name}"


def _under(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def _purity_violations(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The domain decides from what it is given: no clock, no file, no printing."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
            if name in IMPURE_CALLS:
                yield node.lineno, f"the domain is pure and may not call {name}()"


MAPPINGS = ("dict", "Mapping", "MutableMapping")
MUTABLE = ("dict", "list", "set", "defaultdict", "MutableMapping", "MutableSequence", "MutableSet")


def _untyped_violations(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The domain gets and returns typed values: parameters of a module are parsed before they reach it."""
    for node in ast.walk(tree):
        for annotation in _annotations(node):
            for part in ast.walk(annotation):
                if isinstance(part, ast.Subscript) and _name(part.value) in MAPPINGS and _ends_in_any(part.slice):
                    yield part.lineno, f"the domain may not have the type {ast.unparse(part)}"


def _annotations(node: ast.AST) -> Iterator[ast.expr]:
    """The types that a definition names, those of aliases included."""
    if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
        yield node.annotation
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
        yield node.returns
    if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Subscript | ast.BinOp):
        yield node.value


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _ends_in_any(node: ast.expr) -> bool:
    last = node.elts[-1] if isinstance(node, ast.Tuple) else node
    return _name(last) == "Any"


def _frozen_violations(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """What is frozen is not changed later: not by ``object.__setattr__``, and not through a field that is a dict, list or set."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(_is_frozen(decorator) for decorator in node.decorator_list):
            for field in node.body:
                if isinstance(field, ast.AnnAssign) and isinstance(field.annotation, ast.Subscript | ast.Name):
                    outer = field.annotation
                    if _name(outer.value if isinstance(outer, ast.Subscript) else outer) in MUTABLE:
                        yield (
                            field.lineno,
                            f"{node.name} is frozen and may not have a field of type {ast.unparse(outer)}",
                        )
        if isinstance(node, ast.FunctionDef) and node.name != "__post_init__":
            for call in ast.walk(node):
                if isinstance(call, ast.Call) and ast.unparse(call).startswith("object.__setattr__(self,"):
                    yield call.lineno, "a frozen object may not be changed after __post_init__"


def _is_frozen(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and any(
        word.arg == "frozen" and isinstance(word.value, ast.Constant) and word.value.value is True
        for word in decorator.keywords
    )


def _module_violations(tree: ast.Module, source: str) -> Iterator[tuple[int, str]]:
    """A module is documentation, its options and main(): what it does is in _shell."""
    lines = code_lines(tree, source)
    if lines > MODULE_BUDGET:
        yield 1, f"{lines} lines of code, {MODULE_BUDGET} are allowed: move the thinking to _domain or _shell"
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield node.lineno, f"a module has no class ({node.name})"
        elif isinstance(node, (ast.Try, ast.TryStar)):
            yield node.lineno, "a module has no try: run() turns errors into one failure"
        elif isinstance(node, ast.Name) and node.id in ("vim", "vmodl"):
            yield node.lineno, f"a module does not know {node.id}"
        elif _names_check_mode(node):
            yield node.lineno, "a module does not know check_mode: the session does"
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "__import__":
            yield node.lineno, "a module imports by import statements only"


def _inventory_violations(tree: ast.Module, source: str) -> Iterator[tuple[int, str]]:
    """An inventory plugin is documentation plus one class that hands options down and entries up."""
    lines = code_lines(tree, source)
    if lines > INVENTORY_BUDGET:
        yield 1, f"{lines} lines of code, {INVENTORY_BUDGET} are allowed: move the thinking to _domain or _shell"
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name != "InventoryModule":
            yield node.lineno, f"an inventory plugin has no class but InventoryModule ({node.name})"
        elif isinstance(node, ast.Name) and node.id in ("vim", "vmodl"):
            yield node.lineno, f"an inventory plugin does not know {node.id}"


def _names_check_mode(node: ast.AST) -> bool:
    name = getattr(node, "attr", None) or getattr(node, "id", None) or getattr(node, "arg", None)
    return name == "check_mode" or (isinstance(node, ast.Constant) and node.value == "check_mode")


def code_lines(tree: ast.Module, source: str) -> int:
    """Lines that hold code: without documentation, docstrings, comments and blank lines."""
    prose: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _is_documentation(node):
            prose.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            first = body[0]
            if isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
                prose.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    blank = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in blank:
            code.update(range(token.start[0], token.end[0] + 1))
    return len(code - prose)


def _is_documentation(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id in DOCUMENTATION_NAMES for target in node.targets)

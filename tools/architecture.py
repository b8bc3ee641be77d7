# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The structure of plugins/ and simulator/ as their imports show it: packages, circles, depth, and the picture of them.

``python -m tools.architecture`` prints the figures that tests/layers/test_house.py asserts. `python -m tools.generate` writes the picture
docs/architecture.svg, which tools/generate.py --check keeps true.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from html import escape
from itertools import permutations

from tools.envs import ROOT

COLLECTION = "ansible_collections.directpath.vsphere"
PICTURE = "docs/architecture.svg"

Graph = Mapping[str, frozenset[str]]
"""Who imports whom: of files (``plugins/modules/x.py``) or of packages (``plugins/modules``)."""


def imported_names(path: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every name that an import statement reaches, with its line: absolute, without the prefix of the collection.

    ``from a import b`` gives ``a.b``: whether b is a module or a name in one makes no difference to the rules. Imports inside
    functions and under TYPE_CHECKING count as any other.
    """
    yield from _imported(path, ast.walk(tree))


@cache
def _statements(source: str) -> tuple[ast.AST, ...]:
    """The imports and classes in a source. Kept, because graphs, figures and the picture are made of the same sources."""
    wanted = (ast.Import, ast.ImportFrom, ast.ClassDef)
    return tuple(node for node in ast.walk(ast.parse(source)) if isinstance(node, wanted))


def _imported(path: str, nodes: Iterable[ast.AST]) -> Iterator[tuple[int, str]]:
    package = path.rpartition("/")[0].split("/")
    for node in nodes:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            upward = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*upward, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            yield node.lineno, name.removeprefix(f"{COLLECTION}.")


@cache
def files(folder: str) -> Mapping[str, str]:
    """Path relative to the root → source, of every Python file below a folder that holds code."""
    found = sorted((ROOT / folder).rglob("*.py"))
    sources = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in found}
    return {path: source for path, source in sources.items() if source.strip()}


def file_graph(sources: Mapping[str, str]) -> Graph:
    """Which file imports which, of the files given."""
    by_name = {path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in sources}
    graph = {}
    for path, source in sources.items():
        reached = set()
        for _line, name in _imported(path, _statements(source)):
            parts = name.split(".")
            known = (by_name.get(".".join(parts[:end])) for end in range(len(parts), 0, -1))
            reached.add(next((file for file in known if file is not None), path))
        graph[path] = frozenset(reached - {path})
    return graph


def package_graph(graph: Graph) -> Graph:
    """The same of the folders that hold the files."""
    folded: dict[str, set[str]] = {}
    for path, reached in graph.items():
        package = path.rpartition("/")[0]
        folded.setdefault(package, set()).update(file.rpartition("/")[0] for file in reached)
    return {package: frozenset(reached - {package}) for package, reached in folded.items()}


def circles(graph: Graph) -> list[list[str]]:
    """The strongly connected components of more than one node, each sorted (Tarjan's algorithm, without recursion)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    open_nodes: list[str] = []
    found = []
    for start in sorted(graph):
        if start in order:
            continue
        todo = [(start, iter(sorted(graph[start])))]
        order[start] = low[start] = len(order)
        open_nodes.append(start)
        while todo:
            node, targets = todo[-1]
            target = next((item for item in targets if item in graph), None)
            if target is None:
                todo.pop()
                if todo:
                    low[todo[-1][0]] = min(low[todo[-1][0]], low[node])
                if low[node] == order[node]:
                    at = open_nodes.index(node)
                    component, open_nodes[at:] = open_nodes[at:], []
                    found.append(sorted(component))
            elif target not in order:
                order[target] = low[target] = len(order)
                open_nodes.append(target)
                todo.append((target, iter(sorted(graph[target]))))
            elif target in open_nodes:
                low[node] = min(low[node], order[target])
    return sorted(component for component in found if len(component) > 1)


def inside(graph: Graph, prefix: str) -> Graph:
    """The part of a graph whose names are a folder, or below it."""

    def belongs(name: str) -> bool:
        return name == prefix or name.startswith(f"{prefix}/")

    return {name: frozenset(filter(belongs, reached)) for name, reached in graph.items() if belongs(name)}


def depths(graph: Graph) -> dict[str, int]:
    """How long the longest chain of imports below each name is, itself included. Raises ValueError for a circle."""
    if found := circles(graph):
        raise ValueError(f"circles: {found}")

    @cache
    def depth(name: str) -> int:
        return 1 + max((depth(other) for other in graph.get(name, ())), default=0)

    return {name: depth(name) for name in graph}


def class_names(sources: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
    """Class name → the files that define it."""
    found: dict[str, list[str]] = defaultdict(list)
    for path, source in sources.items():
        for node in _statements(source):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(path)
    return {name: tuple(paths) for name, paths in found.items()}


# --- the picture

LAYERS: Sequence[tuple[str, str, str]] = (
    ("plugins/plugin_utils", "plugin_utils", "control node only: inventory, reports, live display"),
    ("plugins/module_utils/_shell", "_shell", "parameters in, results out: one file a module"),
    ("plugins/module_utils/_vsphere", "_vsphere", "reads and writes: pyVmomi, Redfish, the Automation API"),
    ("plugins/module_utils/_domain", "_domain", "decisions: pure, no input or output"),
)
"""Folder, name and meaning of each layer, from top to bottom."""
DOORS = "modules · action · inventory · filter"
WIDE, HIGH, GAP, LEFT, BAND = 166, 46, 34, 232, 44


COLUMNS = 6


@dataclass(frozen=True, kw_only=True)
class Box:
    """A package in the picture: its place in pixels, its name in its layer, how many files it has."""

    name: str
    files: int
    x: float
    y: float


def reduced(graph: Graph) -> Graph:
    """Without the arrows that longer ways say as well."""

    def below(name: str) -> set[str]:
        found: set[str] = set()
        for other in graph.get(name, ()):
            found |= {other} | below(other)
        return found

    return {
        name: frozenset(other for other in reached if not any(other in below(third) for third in reached - {other}))
        for name, reached in graph.items()
    }


def placed(graph: Graph) -> dict[str, tuple[int, int]]:
    """Package → (row from the bottom, column): short arrows, and few that run behind a box. `graph` is a reduced one."""
    levels: dict[int, list[str]] = defaultdict(list)
    for package, depth in depths(graph).items():
        levels[depth].append(package)
    places: dict[str, tuple[int, int]] = {}
    for depth, row in sorted(levels.items()):
        ways = (
            {name: (depth, column) for name, column in zip(sorted(row), way, strict=True)} for way in _ways(len(row))
        )
        places |= min(ways, key=partial(_cost, graph, dict(places)))
    return places


def _ways(boxes: int) -> Iterator[tuple[int, ...]]:
    return permutations(range(COLUMNS), boxes)


def _cost(graph: Graph, below: Mapping[str, tuple[int, int]], row: Mapping[str, tuple[int, int]]) -> float:
    """Columns that the arrows of a row cross, and nine for each box that one of them runs behind."""
    total = 0.0
    for package, (high, column) in row.items():
        for low, to in (below[other] for other in graph[package]):
            total += abs(column - to)
            for level in range(low + 1, high):
                x = to + (column - to) * (level - low) / (high - low)
                total += 9 * sum(abs(x - near) < 0.6 for at, near in below.values() if at == level)
    return total


@cache
def picture() -> str:
    """docs/architecture.svg: a band a layer, a box a package, an arrow for what it imports in its own layer."""
    sources = files("plugins")
    graph = package_graph(file_graph(sources))
    counts = Counter(path.rpartition("/")[0] for path in sources)
    y = 20.0
    parts = [_doors(y)]
    y += HIGH + BAND
    for folder, name, meaning in LAYERS:
        own = reduced(inside(graph, folder))
        places = placed(own)
        top = max(row for row, _column in places.values())
        high = top * (HIGH + GAP) + GAP
        boxes = {
            package: Box(
                name=package.removeprefix(folder).strip("/") or "(its own files)",
                files=counts[package],
                x=LEFT + column * (WIDE + GAP),
                y=y + GAP + (top - row) * (HIGH + GAP),
            )
            for package, (row, column) in places.items()
        }
        parts.append(_band(y, high, name, meaning))
        parts += [_arrow(boxes[above], boxes[other]) for above, to in sorted(own.items()) for other in sorted(to)]
        parts += [_box(box) for _package, box in sorted(boxes.items())]
        y += high + BAND
    return _frame(parts, LEFT + COLUMNS * (WIDE + GAP), y - BAND + 20)


def _doors(y: float) -> str:
    return (
        f'<rect class="band" x="10" y="{y:.0f}" width="100%" height="{HIGH}" rx="8"/>'
        f'<text class="layer" x="24" y="{y + 21:.0f}">{DOORS}</text>'
        f'<text class="meaning" x="24" y="{y + 38:.0f}">what Ansible loads: documentation and options</text>'
    )


def _band(y: float, high: float, name: str, meaning: str) -> str:
    words, rows = meaning.split(), [""]
    for word in words:
        rows = [*rows[:-1], f"{rows[-1]} {word}".strip()] if len(rows[-1]) + len(word) < 27 else [*rows, word]
    text = "".join(
        f'<text class="meaning" x="24" y="{y + 50 + 17 * number:.0f}">{escape(row)}</text>'
        for number, row in enumerate(rows)
    )
    return (
        f'<path class="down" d="M 100 {y - BAND + 6:.0f} v {BAND - 14}"/>'
        f'<rect class="band" x="10" y="{y:.0f}" width="100%" height="{high:.0f}" rx="8"/>'
        f'<text class="layer" x="24" y="{y + 30:.0f}">{name}</text>{text}'
    )


def _arrow(above: Box, below: Box) -> str:
    x1, y1, x2, y2 = above.x + WIDE / 2, above.y + HIGH, below.x + WIDE / 2, below.y - 3
    title = f"{escape(above.name)} imports {escape(below.name)}"
    return f'<path class="arrow" d="M {x1:.0f} {y1:.0f} L {x2:.0f} {y2:.0f}"><title>{title}</title></path>'


def _box(box: Box) -> str:
    size = f"{box.files} file{'' if box.files == 1 else 's'}"
    return (
        f'<rect class="box" x="{box.x:.0f}" y="{box.y:.0f}" width="{WIDE}" height="{HIGH}" rx="6"/>'
        f'<text class="name" x="{box.x + 10:.0f}" y="{box.y + 20:.0f}">{escape(box.name)}</text>'
        f'<text class="size" x="{box.x + 10:.0f}" y="{box.y + 37:.0f}">{size}</text>'
    )


def _frame(parts: Sequence[str], wide: float, high: float) -> str:
    style = """
svg { --ink: #1f2933; --soft: #52606d; --band: #f0f4f8; --box: #ffffff; --edge: #9fb3c8; --arrow: #627d98; }
@media (prefers-color-scheme: dark) {
  svg { --ink: #f0f4f8; --soft: #bcccdc; --band: #1c2733; --box: #243442; --edge: #486581; --arrow: #9fb3c8; }
}
text { font-family: system-ui, sans-serif; fill: var(--ink); }
.layer { font-size: 16px; font-weight: 700; } .meaning { font-size: 13px; fill: var(--soft); }
.name { font-size: 14px; font-weight: 600; } .size { font-size: 12px; fill: var(--soft); }
.band { fill: var(--band); } .box { fill: var(--box); stroke: var(--edge); }
.arrow { fill: none; stroke: var(--arrow); stroke-width: 1.3; marker-end: url(#tip); }
.down { fill: none; stroke: var(--arrow); stroke-width: 4; marker-end: url(#big); }
"""
    tips = "".join(
        f'<marker id="{name}" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="{size}" markerHeight="{size}" orient="auto">'
        '<path d="M 0 0 L 8 4 L 0 8 z" fill="var(--arrow)"/></marker>'
        for name, size in (("tip", 7), ("big", 3))
    )
    body = "\n".join(parts).replace('width="100%"', f'width="{wide - 10:.0f}"')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide + 10:.0f} {high:.0f}" role="img" '
        f'aria-label="The packages of the collection by layer; arrows point at what is imported">\n'
        f"<style>{style}</style>\n<defs>{tips}</defs>\n{body}\n</svg>\n"
    )


# --- the figures


def figures() -> str:
    """What the structure measures, a line each."""
    sources = files("plugins")
    graph = file_graph(sources)
    packages = package_graph(graph)
    counts = Counter(path.rpartition("/")[0] for path in sources)
    most, folder = max((count, name) for name, count in counts.items())
    shared = {
        path: source
        for path, source in sources.items()
        if path.startswith(("plugins/module_utils", "plugins/plugin_utils"))
    }
    twice = sorted(name for name, paths in class_names(shared).items() if len(paths) > 1)
    lines = [
        f"files: {len(sources)} in {len(packages)} packages, {sum(source.count(chr(10)) for source in sources.values())} lines",
        f"most files in a folder: {most} ({folder})",
        f"import circles: {len(circles(graph))} of files, {len(circles(packages))} of packages",
        f"class names that stand twice: {len(twice)} {', '.join(twice)}".strip(),
    ]
    for layer, name, _meaning in LAYERS:
        own = inside(packages, layer)
        lines.append(f"{name}: {len(own)} packages, import depth {max(depths(own).values())}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(figures())

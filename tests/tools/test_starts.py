# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is spared where a module or a play starts: byte code is kept, and never taken for that of another text; libraries are
imported already, and what runs there cannot tell.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.envs import ROOT, clean_environ
from tools.warm import warm


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    kept = tmp_path / "kept"
    kept.mkdir()
    return {"PYTHONPATH": str(ROOT / "tools" / "starts"), "DIRECTPATH_BYTECODE": str(kept)}


def imported(tmp_path: Path, environ: dict[str, str], source: str, archive: str = "some.zip") -> str:
    """What a module of that text, imported from a zip by a new Python, calls its own value and file."""
    with zipfile.ZipFile(tmp_path / archive, "w") as target:
        target.writestr("inside.py", source)
    script = f"import sys; sys.path.insert(0, {str(tmp_path / archive)!r}); import inside; print(inside.value)"
    done = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def kept(environ: dict[str, str]) -> list[Path]:
    return sorted(Path(environ["DIRECTPATH_BYTECODE"]).iterdir())


def test_a_text_is_compiled_once(tmp_path: Path, environ: dict[str, str]) -> None:
    assert imported(tmp_path, environ, "value = 1") == "1"
    (file,) = kept(environ)
    assert file.name.startswith("inside.py.")
    before = file.stat().st_mtime_ns
    assert imported(tmp_path, environ, "value = 1", "other.zip") == "1"
    assert [file.stat().st_mtime_ns for file in kept(environ)] == [before]


def test_what_is_kept_is_what_is_run(tmp_path: Path, environ: dict[str, str]) -> None:
    imported(tmp_path, environ, "value = 1")
    imported(tmp_path, environ, "value = 2")
    one, two = kept(environ)
    content = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(content)
    assert imported(tmp_path, environ, "value = 1") == "2"


def test_a_changed_text_of_the_same_length_is_compiled(tmp_path: Path, environ: dict[str, str]) -> None:
    assert [imported(tmp_path, environ, f"value = {number}") for number in (1, 2, 1)] == ["1", "2", "1"]
    assert len(kept(environ)) == 2


def test_without_a_folder_it_works_all_the_same(tmp_path: Path, environ: dict[str, str]) -> None:
    assert imported(tmp_path, environ | {"DIRECTPATH_BYTECODE": str(tmp_path / "gone")}, "value = 1") == "1"
    assert imported(tmp_path, environ | {"DIRECTPATH_BYTECODE": ""}, "value = 1") == "1"
    assert kept(environ) == []


@pytest.fixture(scope="module")
def warmed() -> Iterator[dict[str, str]]:
    with warm() as variables:
        yield {"PYTHONPATH": str(ROOT / "tools" / "starts"), "PATH": os.environ["PATH"], **variables}


def script(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "AnsiballZ_thing.py"
    file.write_text(text, encoding="utf-8")
    return [sys.executable, str(file)]


LOOK = """
import json, os, sys
umask = os.umask(0)
print(json.dumps([sys.argv, os.getcwd(), umask, dict(os.environ), __name__, __file__, sys.stdin.read()]))
print("to the other", file=sys.stderr)
"""


def test_a_module_finds_what_it_would_find_in_its_own_process(tmp_path: Path, warmed: dict[str, str]) -> None:
    """All is the same as in a Python of its own, but the variable that led elsewhere."""
    command = script(tmp_path, LOOK)
    folder = tmp_path / "folder"
    folder.mkdir()
    seen = []
    for environ in (warmed | {"COLOR": "green"}, {**warmed, "COLOR": "green", "DIRECTPATH_WARM": ""}):
        done = subprocess.run(
            command, cwd=folder, env=environ, input="read me", capture_output=True, text=True, check=True, umask=0o027
        )
        assert done.stderr == "to the other\n"
        seen.append(json.loads(done.stdout))
        assert seen[-1][3].pop("DIRECTPATH_WARM") == environ["DIRECTPATH_WARM"]
    assert seen[0] == seen[1]
    assert seen[0][3]["COLOR"] == "green"


def test_the_libraries_are_there_and_nothing_of_the_collection_or_of_ansible(
    tmp_path: Path, warmed: dict[str, str]
) -> None:
    command = script(tmp_path, "import sys; print('pyVmomi' in sys.modules, *sys.modules)")
    done = subprocess.run(command, env=warmed, capture_output=True, text=True, check=True)
    first, *modules = done.stdout.split()
    assert first == "True"
    assert not [name for name in modules if name.split(".")[0] in ("ansible", "ansible_collections", "plugins")]


@pytest.mark.parametrize(
    ("text", "status", "error"),
    [
        ("", 0, ""),
        ("import sys; sys.exit(3)", 3, ""),
        ("import sys; sys.exit('not today')", 1, "not today"),
        ("1 / 0", 1, "ZeroDivisionError"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 70, ""),
        ("import atexit, sys; atexit.register(print, 'the end', file=sys.stderr)", 0, "the end"),
    ],
)
def test_it_ends_as_the_module_ended(
    tmp_path: Path, warmed: dict[str, str], text: str, status: int, error: str
) -> None:
    done = subprocess.run(script(tmp_path, text), env=warmed, capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert error in done.stderr


def test_a_module_may_come_through_stdin(tmp_path: Path, warmed: dict[str, str]) -> None:
    """As with pipelining: it finds the same in the warm process as in a Python of its own, but the libraries."""
    text = "import sys; print(sys.argv, sys.path[0], __name__, __file__, sys.stdin.read()); sys.exit(3)"
    for environ, imported_before in ((warmed, True), ({**warmed, "DIRECTPATH_WARM": ""}, False)):
        command = [sys.executable]
        source = f"import sys; print('pyVmomi' in sys.modules)\n{text}"
        done = subprocess.run(
            command, env=environ, cwd=tmp_path, input=source, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (3, "")
        assert done.stdout == f"{imported_before}\n[''] {''} __main__ <stdin> \n"


COLLECTION_IMPORT = """
import sys
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
_AnsibleCollectionFinder(paths=[sys.argv[1]], scan_sys_paths=False)._install()
from ansible_collections.one.two.plugins.module_utils import inside
print(inside.value, inside.told.__code__.co_filename, inside.told.__annotations__)
"""


def test_what_ansible_imports_from_a_collection_is_compiled_once(tmp_path: Path, environ: dict[str, str]) -> None:
    """It throws its byte code away. A changed text, and the same text in another file, are compiled."""
    program = tmp_path / "ansible-thing"
    program.write_text(COLLECTION_IMPORT, encoding="utf-8")

    def value_of(folder: str, value: int) -> list[str]:
        target = tmp_path / folder / "ansible_collections" / "one" / "two" / "plugins" / "module_utils"
        target.mkdir(parents=True, exist_ok=True)
        (target / "inside.py").write_text(f"value = {value}\ndef told(it: int) -> None: ...\n", encoding="utf-8")
        command = [sys.executable, str(program), str(tmp_path / folder)]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
        number, file, annotations = done.stdout.split(maxsplit=2)
        assert file == str(target / "inside.py")
        assert "<class 'int'>" in annotations  # no future statement of ours has come in
        return [number, *(file.name for file in kept(environ) if file.name.startswith("inside.py."))]

    first = value_of("a", 1)
    assert (first[0], len(first)) == ("1", 2)
    assert value_of("a", 1) == first
    assert [value_of("a", 2)[0], value_of("a", 1)[0]] == ["2", "1"]
    assert [value_of("b", 1)[0], len(value_of("b", 1))] == ["1", 4]


LOOK_AT_PLAY = """
import os, sys
imported = "ansible.constants" in sys.modules
from ansible import constants as C
umask = os.umask(0)
print(imported)
print(sys.argv[1:], os.getcwd(), umask, os.environ["COLOR"], __name__, sys.stdin.read(), C.DEFAULT_FORKS, sys.path[0])
print(C.DEFAULT_LOCAL_TMP)
sys.exit(4)
"""


@pytest.fixture(scope="module")
def plays() -> Iterator[dict[str, str]]:
    environ = clean_environ(Path(sys.prefix)) | {
        "ANSIBLE_COLLECTIONS_PATH": "",
        "ANSIBLE_FORKS": "7",
        "DIRECTPATH_BYTECODE": "",
    }
    with warm(environ) as variables:
        yield environ | variables


def test_a_play_finds_what_it_would_find_in_its_own_process(tmp_path: Path, plays: dict[str, str]) -> None:
    """The settings, and a temporary folder of its own, which goes when it ends."""
    program = tmp_path / "ansible-playbook"
    program.write_text(LOOK_AT_PLAY, encoding="utf-8")
    seen = []
    for environ in (plays, plays, {**plays, "DIRECTPATH_PLAYS": ""}):
        done = subprocess.run(
            [sys.executable, str(program), "--check", "a b"],
            cwd=tmp_path,
            env=environ | {"COLOR": "green"},
            input="read me",
            capture_output=True,
            text=True,
            check=False,
            umask=0o027,
        )
        assert (done.returncode, done.stderr) == (4, "")
        seen.append(done.stdout.splitlines())
        assert not Path(seen[-1][2]).exists()
    assert [lines[0] for lines in seen] == ["True", "True", "False"]
    assert seen[0][1] == seen[1][1] == seen[2][1]
    assert "['--check', 'a b']" in seen[0][1]
    assert len({lines[2] for lines in seen}) == 3


@pytest.mark.parametrize(
    "changed", [{"ANSIBLE_FORKS": "9"}, {"ANSIBLE_STDOUT_CALLBACK": "minimal"}, {"HOME": "/nowhere"}]
)
def test_a_play_with_other_settings_runs_in_its_own_process(
    tmp_path: Path, plays: dict[str, str], changed: dict[str, str]
) -> None:
    program = tmp_path / "ansible-playbook"
    program.write_text("import sys; print('ansible.constants' in sys.modules)", encoding="utf-8")
    for environ, forked in ((plays, "True\n"), (plays | changed, "False\n")):
        done = subprocess.run([sys.executable, str(program)], env=environ, capture_output=True, text=True, check=True)
        assert done.stdout == forked


def test_one_module_leaves_nothing_to_the_next(tmp_path: Path, warmed: dict[str, str]) -> None:
    text = "import os, json; print(getattr(json, 'mark', None), os.environ.get('MARK')); json.mark = os.environ['MARK'] = 'x'"
    for _time in range(2):
        done = subprocess.run(script(tmp_path, text), env=warmed, capture_output=True, text=True, check=True)
        assert done.stdout == "None None\n"


def test_who_kills_the_one_kills_the_other(tmp_path: Path, warmed: dict[str, str]) -> None:
    text = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    with subprocess.Popen(script(tmp_path, text), env=warmed, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        module = int(process.stdout.readline())
        assert module != process.pid
        process.kill()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        state = Path(f"/proc/{module}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.05)
    os.kill(module, signal.SIGKILL)
    pytest.fail("it runs on")


def test_where_nothing_is_warm_the_module_runs_all_the_same(tmp_path: Path, warmed: dict[str, str]) -> None:
    gone = warmed | {"DIRECTPATH_WARM": str(tmp_path / "gone")}
    done = subprocess.run(script(tmp_path, "print(6 * 7)"), env=gone, capture_output=True, text=True, check=True)
    assert done.stdout == "42\n"


@pytest.mark.parametrize(
    ("program", "prefix", "shared"),
    [
        ("ansible-playbook", "ansible-local-17", True),
        ("ansible-playbook", "other-", False),
        ("thing", "ansible-local-17", False),
    ],
)
def test_plays_share_the_zips_of_modules(
    tmp_path: Path, warmed: dict[str, str], program: str, prefix: str, shared: bool
) -> None:
    """Where Ansible keeps them while it runs; removing that folder removes nothing of what is shared."""
    folder = Path(warmed["DIRECTPATH_MODULES"])
    kept = folder / f"{program}-{prefix}"
    kept.touch()
    file = tmp_path / program
    text = f"import os, shutil, tempfile; made = tempfile.mkdtemp(prefix={prefix!r}); print(os.listdir(made), "
    text += "os.path.realpath(made + '/ansiballz_cache')); shutil.rmtree(made)"
    file.write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, str(file)], env=warmed, capture_output=True, text=True, check=True)
    assert (done.stdout == f"['ansiballz_cache'] {folder}\n") is shared
    assert done.stdout.startswith("['ansiballz_cache']" if shared else "[]")
    assert kept.exists()


def test_other_programs_are_left_alone(tmp_path: Path, warmed: dict[str, str]) -> None:
    file = tmp_path / "thing.py"
    file.write_text("import sys; print('pyVmomi' in sys.modules)", encoding="utf-8")
    done = subprocess.run([sys.executable, str(file)], env=warmed, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def zipped(folder: Path, content: dict[str, str], name: str = "one.thing") -> str:
    """A wrapper like Ansible's for a module, with the sources of a zip."""
    loader = """
import runpy
def run_module(json_params, module_fqn, modlib_path):
    runpy.run_module(module_fqn, {"given": json_params}, "__main__", alter_sys=True)
"""
    package = "ansible/module_utils/_internal/_ansiballz"
    sources = {f"{package}/_loader.py": loader, "one/__init__.py": "", **content}
    for part in ("ansible", "ansible/module_utils", "ansible/module_utils/_internal", package):
        sources[f"{part}/__init__.py"] = ""
    archive = folder / "sources.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for file, text in sources.items():
            target.writestr(zipfile.ZipInfo(file), text)
    return f"""
import base64, os, sys, tempfile

def _ansiballz_main(zip_data, module_fqn, params, extensions):
    with tempfile.TemporaryDirectory() as folder:
        archive = os.path.join(folder, "payload.zip")
        with open(archive, "wb") as file:
            file.write(base64.b64decode(zip_data))
        sys.path.insert(0, archive)
        from ansible.module_utils._internal._ansiballz import _loader
        _loader.run_module(params, module_fqn, archive)

if __name__ == "__main__":
    _ansiballz_main(
module_fqn={name!r},
params=GIVEN,
extensions={{}},
zip_data={base64.b64encode(archive.read_bytes()).decode()!r},
)
"""


THING = """
import os, sys
from one import helper
if __name__ == "__main__":
    helper.seen.append(given)
    print(given, helper.seen, helper.imported_by == os.getpid(), os.environ["COLOR"], os.getcwd(), sys.argv[1:], sys.stdin.read())
    sys.exit(len(given))
"""
HELPER = "import os\nimported_by = os.getpid()\nseen = []\nword = 'first'\n"


def test_a_zip_is_imported_once_and_each_run_is_its_own(tmp_path: Path, warmed: dict[str, str]) -> None:
    """The second run finds what the first has imported, but nothing of what it has done."""
    text = zipped(tmp_path, {"one/thing.py": THING, "one/helper.py": HELPER})
    for given, color in (("a", "green"), ("bc", "red"), ("def", "blue")):
        folder = tmp_path / given
        folder.mkdir()
        command = script(tmp_path, text.replace("GIVEN", repr(given)))
        environ = warmed | {"COLOR": color}
        done = subprocess.run(command, env=environ, cwd=folder, input="", capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (len(given), "")
        assert done.stdout == f"{given} {[given]} False {color} {folder} [] \n"


def test_a_zip_that_differs_is_imported_anew(tmp_path: Path, warmed: dict[str, str]) -> None:
    thing = "from one import helper\nif __name__ == '__main__':\n    print(helper.word, __file__.startswith('/'))"
    said = []
    for word in ("first", "other", "first"):
        text = zipped(tmp_path, {"one/thing.py": thing, "one/helper.py": f"word = {word!r}\n"})
        command = script(tmp_path, text.replace("GIVEN", "''"))
        said.append(subprocess.run(command, env=warmed, capture_output=True, text=True, check=True).stdout)
    assert said == ["first True\n", "other True\n", "first True\n"]


def test_what_a_zip_lacks_is_lacking_each_time(tmp_path: Path, warmed: dict[str, str]) -> None:
    text = zipped(tmp_path, {"one/thing.py": "import one.helper"})
    for _time in range(2):
        command = script(tmp_path, text.replace("GIVEN", "''"))
        done = subprocess.run(command, env=warmed, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "No module named 'one.helper'" in done.stderr

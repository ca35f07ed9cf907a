"""The shape of the code: small files and functions, torch and textual where they belong and nowhere else."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(path for folder in ("vj", "engine") for path in (ROOT / folder).rglob("*.py"))
NAMES = [str(path.relative_to(ROOT)) for path in SOURCES]

MOST_LINES = 300
MOST_FUNCTION_LINES = 45


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def run(script: str) -> list[str]:
    """The words that a script prints in a fresh interpreter."""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_a_file_is_small_and_so_are_its_functions(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    long = {
        function.name: lines
        for function in functions(path)
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > MOST_FUNCTION_LINES
    }
    assert not long


def test_no_file_has_a_name_that_says_nothing() -> None:
    nothing = ("util", "helper", "manager", "common", "misc", "handler")
    assert [name for name in NAMES if any(word in Path(name).stem for word in nothing)] == []


def test_importing_any_module_of_vj_but_the_engines_process_leaves_torch_out() -> None:
    modules = [name.removesuffix(".py").replace("/", ".").removesuffix(".__init__") for name in NAMES]
    mine = [name for name in modules if name.startswith("vj.") and name not in ("vj.engine_process", "vj.__main__")]
    assert len(mine) > 40
    script = f"""
import importlib, sys
for name in {mine!r}:
    importlib.import_module(name)
    for heavy in ("torch", "open_clip", "torchvision"):
        if heavy in sys.modules:
            print(name, "brings", heavy)
            sys.exit()
"""
    assert run(script) == []


def test_the_engines_package_imports_nothing_and_its_table_only_the_standard_library() -> None:
    assert run("import sys; before = set(sys.modules); import engine; print(*(set(sys.modules) - before))") == [
        "engine"
    ]
    script = """
import sys
import engine.parameters
foreign = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names) - {"engine"}
print(*(name for name in foreign if not name.startswith("_") and name not in ("sitecustomize", "usercustomize")))
"""
    loaded_at_start = run(script.replace("import engine.parameters", ""))
    assert sorted(run(script)) == sorted(loaded_at_start)


@pytest.mark.parametrize("command", [["--help"], ["--version"], ["play", "--help"], ["stop", "--help"]], ids=" ".join)
def test_help_is_quick_it_brings_neither_torch_nor_textual(command: list[str]) -> None:
    script = f"""
import contextlib, io, sys
from vj.__main__ import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main({command!r})
print(*(name for name in ("torch", "textual", "av", "pyvirtualcam", "mido", "rtmidi") if name in sys.modules))
"""
    assert run(script) == []


def test_sinks_bring_neither_torch_nor_the_dashboard_and_open_nothing_on_import() -> None:
    script = """
import sys, threading
from vj.sinks import make_sink
for spec in ("browser:1", "camera", "record:x.mp4", "frames:x"):
    make_sink(spec)
assert threading.active_count() == 1, threading.enumerate()
print(*(name for name in ("torch", "textual", "mido") if name in sys.modules))
"""
    assert run(script) == []


@pytest.mark.parametrize("folder", ["presets", "mappings", "cues"])
def test_the_folders_that_people_edit_hold_no_code(folder: str) -> None:
    assert (ROOT / folder).is_dir()
    assert list((ROOT / folder).rglob("*.py")) == []
    assert {path.suffix for path in (ROOT / folder).iterdir() if path.is_file()} <= {".toml", ".lrc"}


def test_tests_lie_flat_so_that_none_shadows_the_engine() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_the_layers_hold() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    if not tool.exists():
        pytest.skip("import-linter is not installed beside this Python")
    done = subprocess.run([tool], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout

"""Commands that only answer: help, and checks of presets, mappings and cue files."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vj import library
from vj.__main__ import COMMANDS

Answer = tuple[int, list[str], list[str]]


def song(folder: Path, text: str = "[00:01.00]a red rose\n[00:05.00]a sea\n", name: str = "song.lrc") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_every_command_has_its_help(vj: Callable[..., Answer]) -> None:
    for name in COMMANDS:
        code, out, err = vj(name, "--help")
        assert code == 0 and out[0].startswith(f"usage: vj {name}") and err == []
    assert vj("--version")[1][0].startswith("vj ")


@pytest.mark.parametrize("kind", ["presets", "mappings", "cues"])
def test_every_shipped_file_passes_its_check(vj: Callable[..., Answer], kind: str) -> None:
    code, out, err = vj(kind, "check")
    assert code == 0 and err == [] and len(out) >= len(library.paths(kind)) > 0


@pytest.mark.parametrize("kind", ["presets", "mappings", "cues"])
def test_a_check_goes_on_after_a_bad_file_and_gives_2(vj: Callable[..., Answer], home: Path, kind: str) -> None:
    ending = "lrc" if kind == "cues" else "toml"
    for name in ("one", "two"):
        (home / f"{name}.{ending}").write_text("[[[")
    good = next(iter(library.paths(kind)))
    code, out, _ = vj(kind, "check", home / f"one.{ending}", good, home / f"two.{ending}", "absent")
    text = "\n".join(out)
    assert code == 2 and all(word in text for word in (f"one.{ending}", good, f"two.{ending}", "absent"))


def test_a_warning_leaves_the_check_at_0(vj: Callable[..., Answer], home: Path) -> None:
    code, out, _ = vj("cues", "check", song(home, "no stamp here\n[00:01.00]a rose\n"))
    assert code == 0 and "song.lrc:1: skipped" in out[0] and "1 cues" in out[-1]


def test_a_reader_that_goes_away_brings_no_traceback(home: Path) -> None:
    command = f"{sys.executable} -m vj parameters | head -n 1; {sys.executable} -m vj presets check | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr and done.stdout.count("\n") == 1

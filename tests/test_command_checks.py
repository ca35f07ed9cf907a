"""Commands that only answer: help, and checks of presets, mappings and cue files."""

import os
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


@pytest.mark.parametrize("kind", ["presets", "mappings", "cues", "guides", "parameters"])
def test_a_list_is_what_a_word_alone_gives_and_its_reader_may_leave(vj: Callable[..., Answer], kind: str) -> None:
    code, out, _ = vj(kind)
    assert code == 0 and len(out) > 1
    reader, end = os.pipe()
    os.close(reader)
    left = subprocess.run([sys.executable, "-m", "vj", kind], stdout=end, stderr=subprocess.PIPE, check=False)
    os.close(end)
    assert (left.returncode, left.stderr) == (1, b"")


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


@pytest.mark.parametrize(
    ("words", "name", "said"),
    [
        (["check"], "ferry.lrc", "this is a cue file, not a show file; check it with: vj cues check {}"),
        (["check"], "cues.toml", "this is a cue file, not a show file; check it with: vj cues check {}"),
        (["cues", "check"], "friday.toml", "this is a show file, not a cue file; check it with: vj check {}"),
        (["cues", "check"], "knobs.toml", "this is a mapping, not a cue file; check it with: vj mappings check {}"),
        (["mappings", "check"], "my p.toml", 'this is a preset, not a mapping; check it with: vj presets check "{}"'),
        (["presets", "check"], "FERRY.LRC", "this is a cue file, not a preset; check it with: vj cues check {}"),
    ],
)  # fmt: skip
def test_a_file_of_another_kind_is_sent_to_its_own_check(
    vj: Callable[..., Answer], home: Path, words: list[str], name: str, said: str
) -> None:
    text = {
        "cues.toml": '[[cue]]\nat = 1.0\nprompt = "a rose"\n', "knobs.toml": "[[control]]\ncc = 1\n",
        "friday.toml": '[[song]]\ntitle = "F"\ncues = "ferry.lrc"\n', "my p.toml": "[parameters]\n",
    }.get(name, "[00:01.00]a rose\n")  # fmt: skip
    path = song(home, text, name)
    assert vj(*words, path) == (2, [f"{path}: {said.format(path)}"], [])


@pytest.mark.parametrize("words", [["render", "{}", "--out", "new.mp4"], ["score", "song.mp4", "--cues", "{}"]])
def test_a_show_file_given_for_a_cue_file_is_called_so_and_no_more(
    vj: Callable[..., Answer], home: Path, words: list[str]
) -> None:
    (home / "song.mp4").write_bytes(b"")
    path = song(home, '[[song]]\ntitle = "F"\ncues = "ferry.lrc"\n', "friday.toml")
    code, _, err = vj(*(word.format(path) for word in words))
    assert (code, err) == (2, [f"vj: {path}: this is a show file, not a cue file; check it with: vj check {path}"])


def test_a_file_with_marks_of_two_kinds_is_checked_as_it_was_asked(vj: Callable[..., Answer], home: Path) -> None:
    path = song(home, '[[song]]\ntitle = "F"\ncues = "x.lrc"\n[[cue]]\nat = 1.0\nprompt = "a"\n', "both.toml")
    assert "unknown key 'cue'" in "".join(vj("check", path)[1])
    assert "unknown key 'song'" in "".join(vj("cues", "check", path)[1])


def test_a_reader_that_goes_away_brings_no_traceback(home: Path) -> None:
    command = f"{sys.executable} -m vj parameters | head -n 1; {sys.executable} -m vj presets check | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr and done.stdout.count("\n") == 1

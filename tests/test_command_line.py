"""The command line: what is wrong is said before the show, all at once, with the right exit code and no traceback."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Answer = tuple[int, list[str], list[str]]


def song(folder: Path, text: str = "[00:01.00]a red rose\n[00:05.00]a sea\n", name: str = "song.lrc") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


# Bad usage: exit code 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--preset", "lvie"], "no preset called 'lvie'; did you mean 'live'?"),
        (["--preset", "nowhere/live.toml"], "nowhere/live.toml: no such file"),
        (["--mapping", "nanokontrol"], "no mapping called 'nanokontrol'; did you mean 'nanokontrol2'?"),
        (["nigth-ferry"], "no cue file called 'nigth-ferry'; did you mean 'night-ferry'?"),
        (["song.lrc"], "song.lrc: no such file"),
        (["/"], "/: this is a folder; name a file in it"),
        (["--size", "big"], "--size 'big': give width and height as in 1280x720"),
        (["--size", "32x32"], "--size 32x32: from 64x64 to 3840x2160"),
        (["--size", "9999x9999"], "--size 9999x9999: from 64x64 to 3840x2160"),
        (["--size", "12x"], "--size '12x': give width and height as in 1280x720"),
        (["--fps", "0"], "--fps 0: from 1 to 120"),
        (["--fps", "nan"], "--fps nan: from 1 to 120"),
        (["--for", "-3"], "--for -3: give it as seconds, more than 0"),
        (["--for", "0"], "--for 0: give it as seconds, more than 0"),
        (["--for", "nan"], "--for nan: give it as seconds, more than 0"),
        (["--cores", "-3"], "--cores -3: from 1 to as many as there are"),
        (["--set", "temprature=3"], "no parameter called 'temprature'; did you mean 'temperature'?"),
        (["--set", "temperature"], "write it as parameter=value"),
        (["--set", "=3"], "no parameter called ''"),
        (["--set", "temperature=hot"], "temperature takes a number, not 'hot'"),
        (["--set", "temperature=101"], "temperature must be a number from 0 to 100, not 101.0"),
        (["--set", "temperature=nan"], "temperature takes a finite number, not nan"),
        (["--set", "steps=2.5"], "steps takes a number, not '2.5'"),
        (["--set", "canvas=marble"], "canvas must be one of pyramid, pixels, fourier, not 'marble'"),
        (["--set", "freeze=maybe"], "freeze is a switch and takes true or false, not 'maybe'"),
        (["--set", "reroll=1"], "reroll is fired live and cannot stand in a file"),
        (["--osc", "9000"], "--osc '9000': give it as HOST:PORT, as in 127.0.0.1:9000"),
        (["--osc", "localhost:http"], "give it as HOST:PORT"),
        (["--osc", "localhost:70000"], "give it as HOST:PORT"),
        (["--sink", "brwser"], "no sink called 'brwser'; did you mean 'browser'?"),
        (["--sink", "record"], "record needs a file"),
        (["--sink", "browser:http"], "--sink browser:http:"),
        (["--sink", "frames:"], "frames needs a folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_wrong_is_said_in_one_line(refused: Callable[..., list[str]], words: list[str], said: str) -> None:
    with_sink = [] if "--sink" in words else ["--sink", "frames:pictures"]
    [line] = refused(*words, *with_sink)
    assert said in line


@pytest.mark.parametrize(
    "words", [["--fps", "fast"], ["--nonsense"], ["one.lrc", "two.lrc"], ["--device", "tpu"], ["--seed", "x"]]
)
def test_what_is_no_option_is_refused_with_the_usage(vj: Callable[..., Answer], words: list[str]) -> None:
    code, out, err = vj("play", *words)
    assert code == 2 and out == [] and err[0].startswith("usage: vj") and "error:" in err[-1]


def test_an_unknown_command_is_refused_with_the_known_ones(vj: Callable[..., Answer]) -> None:
    code, _, err = vj("paly")
    assert code == 2 and "invalid choice: 'paly'" in err[-1] and "play" in err[-1]


def test_every_problem_is_named_at_once(refused: Callable[..., list[str]], home: Path) -> None:
    (home / "p.toml").write_text("[parameters]\nsteps = 0\nnois = 1\n")
    (home / "m.toml").write_text('title = "M"\n[[control]]\ncc = 200\nparameter = "temperature"\n')
    lyrics = song(home, "[00:61.00]a rose\n[ab]x\n[00:02.00]a sea\n[99]\n[1:2:3\n")
    lines = refused(
        lyrics, "--preset", home / "p.toml", "--mapping", home / "m.toml", "--mapping", "nope", "--size", "7",
        "--fps", "500", "--set", "warmth=3", "--set", "steps=99", "--osc", "x", "--sink", "brwser", "--sink", "frames:",
    )  # fmt: skip
    text = "\n".join(lines)
    for piece in (
        "p.toml:2: steps must", "p.toml:3: no parameter called 'nois'", "m.toml:3: cc must", "called 'nope'",
        "--size '7'", "--fps 500", "--set warmth=3",
        "--set steps=99", "--osc 'x'", "--sink brwser", "--sink frames:", "song.lrc:1: ",
    ):  # fmt: skip
        assert piece in text, piece
    assert len(lines) == len(set(lines))


def test_a_cue_file_without_a_cue_and_one_of_another_kind_are_refused(
    refused: Callable[..., list[str]], home: Path
) -> None:
    [line] = refused(song(home, "only words\n"), "--sink", "frames:x")
    assert "song.lrc: no line has both a time stamp and words" in line
    [line] = refused(song(home, "x", "song.docx"), "--sink", "frames:x")
    assert "song.docx: no cue files are read from '.docx'; known are .lrc" in line


# Devices and ports: exit code 3


def test_a_taken_osc_port_is_named(refused: Callable[..., list[str]]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        [line] = refused("--osc", f"127.0.0.1:{port}", "--sink", "frames:x", code=3)
    assert f"port {port}" in line and "taken" in line and "--osc" in line


def test_a_taken_browser_port_is_named(refused: Callable[..., list[str]], free_port: Callable[[], int]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        [line] = refused("--sink", f"browser:{port}", "--osc", f"127.0.0.1:{free_port()}", code=3)
    assert str(port) in line and "taken" in line


def test_every_taken_port_is_named_at_once(refused: Callable[..., list[str]]) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as osc,
    ):  # fmt: skip
        osc.bind(("127.0.0.1", 0))
        ports = [each.getsockname()[1] for each in (one, other, osc)]
        sinks = ("--sink", f"browser:{ports[0]}", "--sink", "camera:/dev/none", "--sink", f"browser:{ports[1]}")
        lines = refused(*sinks, "--osc", f"127.0.0.1:{ports[2]}", code=3)
        strict = refused(*sinks, "--strict", "--osc", f"127.0.0.1:{ports[2]}", code=3)
    for line, part, port in zip(lines, ("browser", "browser", "osc"), ports, strict=True):
        assert line.startswith(f"{part}: port {port} ") and "is taken" in line
    assert [line.partition(":")[0] for line in strict] == ["browser", "camera", "browser", "osc"]


def test_wrong_usage_goes_before_a_taken_port(refused: Callable[..., list[str]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        [line] = refused("--sink", f"browser:{taken.getsockname()[1]}", "--preset", "nope")
    assert "no preset called 'nope'" in line


def test_a_sink_given_twice_is_refused(refused: Callable[..., list[str]]) -> None:
    [line] = refused("--sink", "frames:x", "--sink", "frames:x")
    assert line == "--sink frames:x: given twice"


@pytest.mark.parametrize(
    ("first", "second"),
    [("browser", "browser:8090"), ("browser:8090", "browser"), ("browser:08123", "browser:8123"),
     ("frames:x", "frames:./x"), ("record:a.mp4", "record:../{here}/a.mp4"),
     ("camera:/dev/video9", "camera:/dev/video9")],
)  # fmt: skip
def test_one_device_in_two_spellings_is_refused(
    refused: Callable[..., list[str]], first: str, second: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    second = second.format(here=tmp_path.name)
    [line] = refused("--sink", first, "--sink", second)
    assert line == f"--sink {second}: given twice" + (f", as {first} too" if first != second else "")


def test_strict_refuses_every_device_and_guide_that_cannot_be_had_at_once(
    refused: Callable[..., list[str]], free_port: Callable[[], int], tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch")
    if torch.backends.mps.is_available():
        pytest.skip("this machine has MPS, which is asked for as the missing one")
    broken = tmp_path / "weights.safetensors"
    broken.write_bytes(b"no weights")
    lines = refused(
        "--strict", "--device", "mps", "--guide", f"nonsense+shipped+ViT-B-32:{broken}", "--midi-in", "no such*",
        "--sink", "frames:x", "--osc", f"127.0.0.1:{free_port()}", code=3,
    )  # fmt: skip
    assert len(lines) == 4 and lines[0].startswith("midi: ")
    assert lines[1].startswith("--device mps: a tensor was to be made there") and "vj doctor" in lines[1]
    assert "no guide called 'nonsense'" in lines[2] and "cannot be read" in lines[3]


def test_what_can_be_had_is_not_refused_by_strict() -> None:
    from vj.commands.strict import missing
    from vj.runtime import Plan

    assert missing(Plan()) == []


def test_resuming_the_show_before_the_last_needs_one(refused: Callable[..., list[str]]) -> None:
    [line] = refused("--resume-before", code=1)
    assert line == "there is no saved desk of a show before the last one; --resume goes on from the last"


def test_a_midi_port_that_is_not_there_is_named_and_with_strict_refused(
    refused: Callable[..., list[str]], free_port: Callable[[], int]
) -> None:
    [line] = refused(
        "--midi-in", "no such*", "--strict", "--sink", "frames:x", "--osc", f"127.0.0.1:{free_port()}", code=3
    )
    assert line.startswith("midi: ") and ("'no such*'" in line or "no MIDI" in line)


# What a command cannot do: exit code 1


def test_a_guide_nobody_knows_is_one_line(vj: Callable[..., Answer]) -> None:
    code, out, err = vj("guides", "info", "nonsense")
    assert code == 1 and out == [] and err[-1] == "vj: no guide called 'nonsense'"


@pytest.mark.parametrize("words", [("bench", "cadence", "--size", "7"), ("obs", "--port", "99999")])
def test_a_number_that_cannot_be_is_refused_by_every_command(vj: Callable[..., Answer], words: tuple[str, ...]) -> None:
    code, out, err = vj(*words)
    assert code == 2 and out == [] and words[-1] in err[-1]


# Without a show, without a terminal


@pytest.mark.parametrize("words", [["stop"], ["part", "engine"], ["part", "sink-7"]], ids=" ".join)
def test_without_a_show_there_is_nothing_to_stop_or_to_join(vj: Callable[..., Answer], words: list[str]) -> None:
    code, out, err = vj(*words)
    assert code == 1 and out == [] and "no show is running" in err[-1]


def test_a_dashboard_needs_a_terminal_and_nothing_is_started_without_one(
    vj: Callable[..., Answer], home: Path, free_port: Callable[[], int]
) -> None:
    code, _, err = vj("play", "--sink", f"frames:{home}/x", "--osc", f"127.0.0.1:{free_port()}")
    assert code == 1 and "this is no terminal; use --headless" in err[-1]
    assert not (home / "run" / "show.json").exists()


def test_a_folder_of_dead_processes_is_no_show(vj: Callable[..., Answer], home: Path) -> None:
    boxes = home / "vj-boxes"
    boxes.mkdir()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (home / "run" / "show.json").write_text(f'{{"boxes": "{boxes}"}}')
    (home / "run" / "engine.pid").write_text(str(ended.pid))
    assert vj("stop")[0] == 1


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "{}", '{"boxes": 3}'])
def test_a_spoiled_show_file_is_no_show(vj: Callable[..., Answer], home: Path, text: str) -> None:
    (home / "run" / "show.json").write_text(text)
    code, _, err = vj("stop")
    assert code == 1 and err == ["vj: no show is running"]


@pytest.mark.skipif(os.name == "nt" or not Path("/dev/null").exists(), reason="needs a file that is no folder")
def test_a_runtime_folder_that_cannot_be_made_is_one_line(
    vj: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch, free_port: Callable[[], int]
) -> None:
    monkeypatch.setenv("VJ_RUNTIME", "/dev/null/vj")
    code, out, err = vj("play", "--headless", "--sink", "frames:/dev/null/x", "--osc", f"127.0.0.1:{free_port()}")
    assert code in (1, 2, 3) and out == [] and err and "/dev/null" in err[-1]

"""`vj bench`: what is wrong with the command is said before anything is measured; the figures are one flat object."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vj.__main__ import main
from vj.bench.asked import Asked

Answer = tuple[int, str, list[str]]

LISTED = (
    "engine_fps", "program_fps", "program_gap_p99_ms", "osc_to_frame_p50_ms", "osc_to_frame_p95_ms", "step_ms",
    "baseline_step_ms", "ratio_vs_baseline", "memory_mb",
)  # fmt: skip


@pytest.fixture
def bench(home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Runs `vj bench` in this process: exit code, stdout, lines on stderr without the name before them."""

    def run(*words: str) -> Answer:
        capsys.readouterr()
        code = main(["bench", *words])
        out, err = capsys.readouterr()
        return code, out, [line.removeprefix("vj: ") for line in err.splitlines()]

    return run


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["engin"], "no part of the bench called 'engin'; did you mean 'engine'?"),
        (["--size", "7"], "--size '7': give width and height as in 1280x720"),
        (["--preset", "lvie"], "no preset called 'lvie'; did you mean 'live'?"),
        (["--steps", "0"], "--set steps=0: steps must be a whole number from 1 to 50, not 0"),
        (["--crops", "many"], "--set crops=many: crops"),
        (["--repeats", "0"], "--repeats 0: from 1 to 1000"),
        (["--minutes", "0"], "--minutes 0: from 0.1 to 1440"),
        (["latency", "--encode"], "--encode is for cadence, which is not measured here: vj bench cadence --encode"),
        (["engine", "--guide", "shiped"], "--guide shiped: no guide called 'shiped'; did you mean 'shipped'?"),
        (["--guide", "random:ViT-B-23"], "--guide random:ViT-B-23: open_clip has no model called 'ViT-B-23'; did you"),
        (["engine", "--device", "cpu", "--vram", "6"], "--vram 6: only a CUDA device's memory can be capped"),
        (["engine", "--device", "cpu", "--compile", "default"], "--compile default: is for CUDA devices"),
    ],
    ids=" ".join,
)
def test_what_is_wrong_is_said_and_nothing_is_measured(
    bench: Callable[..., Answer], words: list[str], said: str
) -> None:
    code, out, err = bench(*words)
    assert code == 2 and out == "" and len(err) == 1 and err[0].startswith(said)


def test_every_problem_is_said_at_once(bench: Callable[..., Answer]) -> None:
    code, _, err = bench("latency", "engin", "--size", "7", "--guide", "shiped+random:x", "--crops", "0", "--encode")
    starts = ("no part", "--size", "--set crops", "--encode", "--guide shiped", "--guide random:x")
    assert code == 2 and len(err) == len(starts)
    assert all(any(line.startswith(start) for line in err) for start in starts)


def test_a_guide_that_is_not_here_is_named_with_the_command_that_gets_it(
    bench: Callable[..., Answer], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.guides.weights.cached", lambda _published: None)
    code, out, err = bench("engine", "--guide", "openai-b32")
    assert code == 1 and out == "" and err[-1].endswith("get it with: vj guides pull openai-b32")


def test_encoding_needs_ffmpeg(bench: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vj.bench.encode.shutil.which", lambda _name: None)
    code, out, err = bench("cadence", "--encode")
    assert code == 1 and out == "" and err == ["--encode: ffmpeg was not found; install it, or leave --encode out"]


def flat(found: dict[str, Any]) -> bool:
    return all(isinstance(value, int | float | str) for value in found.values())


def test_every_part_together_has_every_figure_that_is_promised(
    bench: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real show at a small size, with every stretch as short as can be; the figures are there, not their sizes."""
    quick = {
        "engine.bench.turns.WARM_UP_S": 0.1, "engine.bench.turns.TURN_S": 0.0, "engine.bench.stages.WARM_UP_S": 0.1,
        "engine.bench.stages.TURNS": 2, "engine.bench.limit.AT_LEAST_S": 0.01, "vj.bench.cadence.WARM_UP_S": 0.5,
        "vj.bench.eye.MOVES": 1, "vj.bench.eye.SETTLE_S": 0.5, "vj.bench.eye.AWAIT_S": 1.0,
    }  # fmt: skip
    for name, value in quick.items():
        monkeypatch.setattr(name, value)
    for name, few in (
        ("vj.bench.cadence.steady", 2.0),
        ("vj.bench.latency.osc_to_frame", 3),
        ("vj.bench.eye.hand_to_eye", 1),
    ):
        module, _, function = name.rpartition(".")
        plain = getattr(__import__(module, fromlist=[function]), function)
        monkeypatch.setattr(name, lambda show, plain=plain, few=few: plain(show, few))
    values = ("--set", "canvas_width=64", "--set", "canvas_height=64", "--set", "engine_fps=10")
    code, out, err = bench(
        "all", "--json", "--repeats", "1", "--minutes", "0.1", "--crops", "2", "--no-dashboard", *values
    )
    assert code == 0, err
    found = json.loads(out)
    assert [name for name in LISTED if name not in found] == [] and flat(found)
    assert found["set_crops"] == 2 and found["crops"] == 2 and found["canvas"] == "64x64" and found["repeats"] == 1
    assert found["program_fps"] > 0 and found["engine_fps"] > 0 and found["memory_engine_mb"] > 0
    assert found["engine_killed_painting_again_s"] > 0


def test_random_weights_are_said_and_nothing_of_them_stays(
    bench: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def measured(asked: Any) -> dict[str, Any]:
        name, _, file = asked.guide.partition(":")
        seen.append((name, Path(file), Path(file).stat().st_size, asked.look.whole("canvas_width")))
        return {"step_ms": 1.0}

    monkeypatch.setattr("engine.bench.part.measure", measured)
    code, out, _ = bench("engine", "--guide", "random:ViT-S-32-alt", "--size", "640x360")
    [(name, file, size, width)] = seen
    assert code == 0 and "random, for timing only" in out and "random:ViT-S-32-alt" in out
    assert name == "ViT-S-32-alt" and size > 1e6 and not file.exists() and width == 640


def test_a_show_is_played_with_what_was_asked_for() -> None:
    asked = Asked(preset="paper", values={"steps": 3, "governor": False}, program_size="1280x720", cores=2)
    options = " ".join(asked.play_options("shipped"))
    assert "--guide shipped --preset paper --size 1280x720" in options and "--cores 2" in options
    assert "--set steps=3" in options and "--set governor=False" in options


def test_the_canvas_of_the_engine_is_the_size_and_else_the_presets() -> None:
    assert Asked().look().whole("canvas_width") == 256
    look = Asked(canvas=(640, 360), values={"canvas_width": 128}).look()
    assert (look.whole("canvas_width"), look.whole("canvas_height")) == (640, 360)

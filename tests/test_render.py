"""`vj render` gives every frame, and the same ones again for the same seed."""

import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

SONG = "[ti:Test]\n[00:00.00]a red heart\n[00:01.00]blue ocean waves\n"


def render(folder: Path, name: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "song.lrc").write_text(SONG)
    command = [sys.executable, "-m", "vj", "render", "song.lrc", "--out", name, "--for", "1", "--fps", "10"]
    command += ["--size", "128x72", "--set", "canvas_width=64", "--set", "canvas_height=64"]
    command += ["--set", "engine_fps=5", "--set", "first_steps=2", "--set", "steps=1", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=150)


def pictures(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as video:
        return [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]


def test_a_render_has_every_frame_and_repeats_for_the_same_seed(tmp_path: Path) -> None:
    for name in ("one.mp4", "two.mp4"):
        done = render(tmp_path, name, "--seed", "7")
        assert done.returncode == 0, done.stderr
    one, two = pictures(tmp_path / "one.mp4"), pictures(tmp_path / "two.mp4")
    assert len(one) == 10 and one[0].shape == (72, 128, 3)
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert not np.array_equal(one[0], one[-1])


@pytest.mark.parametrize(("name", "said"), [("song.avi", ".mp4"), ("nowhere/a.mp4", "no folder"), ("a.mp4", "already")])
def test_a_render_that_cannot_be_written_is_refused_before_it_begins(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "a.mp4").write_bytes(b"mine")
    done = render(tmp_path, name)
    assert done.returncode == 2
    assert said in done.stderr and "Traceback" not in done.stderr
    assert (tmp_path / "a.mp4").read_bytes() == b"mine"


def test_a_render_without_the_guide_asked_for_says_so(tmp_path: Path) -> None:
    done = render(tmp_path, "song.mp4", "--guide", "nonsense", "--for", "0.1")
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == ["vj: no guide called 'nonsense'", "vj: the shipped guide paints instead"]

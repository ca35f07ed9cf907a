"""`vj score` as it is typed: a recording, the running show, and everything that can be wrong with either."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.score.judge import JUDGE_PATH, JudgeError, load_judge
from engine.score.video import VideoError, video_frames, video_length
from vj.__main__ import main
from vj.mailboxes import Frame, SharedFrames, SharedText
from vj.sinks.mp4 import Mp4

Answer = tuple[int, str, list[str]]

has_judge = pytest.mark.skipif(not JUDGE_PATH.exists(), reason="the judge's weights are not in this checkout")


@pytest.fixture
def vj(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    monkeypatch.chdir(home)

    def run(*words: object) -> Answer:
        capsys.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, [line for line in err.splitlines() if line.startswith("vj: ")]

    return run


@pytest.fixture
def song(home: Path) -> Path:
    path = home / "song.lrc"
    path.write_text("[00:00.00]a red sky\n[00:02.00]blue ocean waves\n[00:03.50]\n", encoding="utf-8")
    return path


@pytest.fixture
def video(home: Path) -> Path:
    path = home / "show.mp4"
    file = Mp4(path, 128, 72, 10.0)
    for n in range(50):
        file.write(np.full((72, 128, 3), (200, 20, 20) if n < 20 else (20, 40, 200), np.uint8), n / 10.0)
    file.close()
    return path


@has_judge
def test_a_recording_is_scored_as_json_and_as_a_page(vj: Callable[..., Answer], song: Path, video: Path) -> None:
    code, out, err = vj("score", video, "--cues", song, "--json", "--html", "page.html")
    assert code == 0 and err == []
    found = json.loads(out)
    assert found["frames"] == 50 and found["choices"] == 100 and found["lines"] == 2
    assert found["background_consistency"] is None and found["motion_smoothness"] is None
    assert found["change_per_frame"] < 0.02 and found["seconds_frozen"] > 0.5
    assert "<svg" in Path("page.html").read_text(encoding="utf-8")
    assert vj("score", video, "--cues", song)[1].startswith("critic ")


@has_judge
def test_a_song_that_begins_later_in_the_video_is_found_there(
    vj: Callable[..., Answer], song: Path, video: Path
) -> None:
    code, out, _ = vj("score", video, "--cues", song, "--starts-at", "2", "--json")
    assert code == 0 and json.loads(out)["seconds"] == pytest.approx(2.9, abs=0.05)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give a video and --cues FILE, or --live SECONDS"),
        (["show.mp4", "--live", "5"], "give a video and --cues FILE, or --live SECONDS"),
        (["show.mp4"], "give its cue file with --cues FILE"),
        (["show.mp4", "--cues", "absent.lrc"], "absent.lrc: no such file"),
        (["show.mp4", "--cues", "nigth-ferry"], "did you mean 'night-ferry'?"),
        (["absent.mp4", "--cues", "song.lrc"], "absent.mp4: no such file"),
        (["song.lrc", "--cues", "song.lrc"], "song.lrc: there is no picture in it"),
        (["show.mp4", "--cues", "late.lrc"], "is 5.0 s long, but the last line of late.lrc begins at 60.0 s"),
        (["show.mp4", "--cues", "song.lrc", "--starts-at", "9"], "is 5.0 s long, but the last line"),
        (["show.mp4", "--cues", "song.lrc", "--starts-at", "9", "--partial"], "is only 5.0 s long"),
        (["show.mp4", "--cues", "song.lrc", "--starts-at", "-1"], "--starts-at -1: give it as seconds"),
        (["show.mp4", "--cues", "song.lrc", "--html", "nowhere/x.html"], "no folder nowhere"),
        (["--live", "5", "--cues", "song.lrc"], "--live reads what is sung from the running show"),
        (["--live", "0"], "--live 0: from 1 to"),
        (["--live", "nan"], "--live nan: from 1 to"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_wrong_is_said_in_one_line(
    vj: Callable[..., Answer], song: Path, video: Path, home: Path, words: list[str], said: str
) -> None:
    (home / "late.lrc").write_text("[01:00.00]a red sky\n")
    code, out, err = vj("score", *words)
    assert code == 2 and out == "" and len(err) == 1 and said in err[0]


@has_judge
def test_a_critic_nobody_knows_is_one_line(vj: Callable[..., Answer], song: Path, video: Path) -> None:
    code, out, err = vj("score", video, "--cues", song, "--guide", "nonsense")
    assert code == 1 and out == "" and err == ["vj: no guide called 'nonsense'"]


def test_without_a_show_there_is_nothing_to_watch(vj: Callable[..., Answer]) -> None:
    code, out, err = vj("score", "--live", "1")
    assert code == 1 and out == "" and err == ["vj: no show is running"]


# A video that breaks off, or holds nothing


def test_a_video_that_breaks_off_is_read_up_to_there(video: Path) -> None:
    whole = list(video_frames(video))
    assert len(whole) == 50 and whole[0][0] == 0.0 and whole[-1][0] == pytest.approx(4.9)
    assert video_length(video) == pytest.approx(5.0, abs=0.2)
    red, blue = whole[0][1].mean((0, 1)), whole[-1][1].mean((0, 1))
    assert np.abs(red - (200, 20, 20)).max() < 6 and np.abs(blue - (20, 40, 200)).max() < 6


@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"ftypmp42" * 40], ids=["empty", "zeros", "half a header"])
def test_what_is_no_video_is_refused_by_name(home: Path, content: bytes) -> None:
    path = home / "broken.mp4"
    path.write_bytes(content)
    with pytest.raises(VideoError, match=r"broken\.mp4: "):
        list(video_frames(path))


# The running show


@pytest.fixture
def show(home: Path) -> Iterator[None]:
    """What a running show shares, written by a thread of this process: its program and its desk's pulse."""
    boxes = home / "vj-boxes"
    boxes.mkdir()
    program, desk = SharedFrames(boxes / "program", 36 * 64 * 3), SharedText(boxes / "pulse-desk", 1 << 12)
    (home / "run" / "show.json").write_text(json.dumps({"boxes": str(boxes)}))
    (home / "run" / "engine.pid").write_text(str(os.getpid()))
    done = threading.Event()

    def paint() -> None:
        began, n = time.monotonic(), 0
        while not done.wait(0.05):
            n += 1
            text = "a red sky" if time.monotonic() - began < 1.0 else "blue ocean waves"
            desk.put(json.dumps({"cue": {"text": text, "state": "running"}}))
            program.put(Frame(np.full((36, 64, 3), n % 200, np.uint8), n, time.monotonic(), 1, True))

    painter = threading.Thread(target=paint)
    painter.start()
    yield
    done.set()
    painter.join()
    program.close()
    desk.close()


@has_judge
def test_the_running_show_is_watched_through_its_program(vj: Callable[..., Answer], show: None) -> None:
    code, out, _ = vj("score", "--live", "3", "--json")
    found = json.loads(out)
    assert code == 0 and found["frames"] > 5
    assert {line["text"] for line in found["line_scores"]} <= {"a red sky", "blue ocean waves"}


# The judge's file


def test_a_judge_that_is_missing_or_broken_is_one_line(tmp_path: Path) -> None:
    for name, content in (("absent", None), ("broken", b"not weights")):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(JudgeError, match="no judge can be read from") as caught:
            load_judge(tmp_path / name)
        assert "\n" not in str(caught.value)

"""What a show puts down and takes away: its folder, its mailboxes, its plan, and nobody else's processes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vj import show
from vj.errors import VjError
from vj.mailboxes import Frame
from vj.opening import opening_state
from vj.pulse import is_fresh
from vj.runtime import Door, Folder, Plan, is_alive, pids, running_show, shared_memory_root
from vj.status import faults, status

PLAN = Plan(width=64, height=64, sinks=("browser:1", "frames:x", "frames:y"))


@pytest.fixture
def folder(home: Path) -> Iterator[Folder]:
    folder = show.prepare(PLAN)
    yield folder
    show.close(folder)


texts = st.text(max_size=8)
PLANS = st.builds(
    Plan, width=st.integers(64, 3840), fps=st.floats(1, 120), guide=texts, cues=texts, wait=st.booleans(),
    sinks=st.lists(texts, max_size=3).map(tuple), mappings=st.lists(texts, max_size=2).map(tuple),
    values=st.dictionaries(texts, st.one_of(st.integers(), st.booleans(), texts), max_size=3),
)  # fmt: skip


@given(PLANS)
def test_a_plan_comes_back_as_it_was(plan: Plan) -> None:
    assert Plan.from_json(plan.to_json()) == plan


def test_a_new_show_has_an_empty_mailbox_for_everything(folder: Folder) -> None:
    assert running_show() == folder and folder.plan() == PLAN
    boxes = [folder.look(), folder.frames(), folder.program()]
    parts = ["keeper", "desk", "engine", "program", "sink-0", "sink-1", "sink-2"]
    assert [box.newest() for box in [*boxes, *map(folder.pulse, parts)]] == [None] * 10
    assert pids(folder) == {"keeper": os.getpid()} and folder.door() is None
    with pytest.raises(VjError, match="a show is already running"):
        show.prepare(PLAN)


@pytest.mark.skipif(os.name == "nt", reason="file modes are POSIX's")
def test_only_the_user_can_look_into_the_mailboxes(folder: Folder) -> None:
    assert folder.boxes.stat().st_mode & 0o077 == 0


def test_a_show_that_crashed_is_cleared_away_at_the_next_start(home: Path) -> None:
    folder = show.prepare(PLAN)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for name in ("keeper", "engine"):
        (folder.root / f"{name}.pid").write_text(str(ended.pid))
    for name in ("stop", "door.json", "desk.begun", "desk.json"):
        (folder.root / name).write_text("old")
    assert running_show() is None
    again = show.prepare(PLAN)
    assert not folder.boxes.exists() and again.boxes.exists()
    names = {path.name for path in again.root.iterdir()}
    assert names == {"plan.json", "keeper.pid", "keeper.lock", "show.json", "logs", "desk.before.json"}
    show.close(again)


def test_a_resumed_show_finds_the_desk_of_the_one_before(home: Path) -> None:
    (home / "run" / "desk.json").write_text("saved")
    folder = show.prepare(Plan(sinks=(), resume="last"))
    assert (folder.root / "desk.json").read_text() == "saved"
    show.close(folder)


def test_a_show_that_was_begun_without_resuming_can_still_go_back_to_the_one_before(home: Path) -> None:
    desk, before = home / "run" / "desk.json", home / "run" / "desk.before.json"
    desk.write_text("the show that crashed")
    show.close(show.prepare(Plan(sinks=())))
    desk.write_text("the show begun in haste")
    show.close(show.prepare(Plan(sinks=(), resume="before")))
    assert (desk.read_text(), before.read_text()) == ("the show that crashed", "the show begun in haste")
    show.close(show.prepare(Plan(sinks=(), resume="before")))
    assert (desk.read_text(), before.read_text()) == ("the show begun in haste", "the show that crashed")
    before.unlink()
    show.close(show.prepare(Plan(sinks=(), resume="before")))
    assert desk.read_text() == "the show begun in haste"


@pytest.mark.parametrize("boxes", ['{"boxes": "/"}', '{"boxes": ""}', '{"boxes": "."}', "[1]", "{"])
def test_a_strange_show_file_makes_nothing_disappear(home: Path, boxes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    (home / "precious").write_text("mine")
    (home / "run" / "show.json").write_text(boxes)
    (home / "run" / "keeper.pid").write_text("999999999")
    show.close(show.prepare(PLAN))
    assert (home / "precious").read_text() == "mine"


def test_closing_leaves_only_what_may_be_wanted_later(folder: Folder) -> None:
    (folder.root / "desk.json").write_text("{}")
    show.close(folder)
    show.close(folder)
    assert not folder.boxes.exists() and running_show() is None
    assert {path.name for path in folder.root.iterdir()} == {"plan.json", "logs", "desk.json", "keeper.lock"}


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_stopping_kills_a_part_that_does_not_listen_and_no_stranger(folder: Folder) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    ours = subprocess.Popen([sys.executable, "-c", deaf, "vj"], stdout=subprocess.PIPE)
    stranger = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE)
    try:
        for name, process in (("engine", ours), ("keeper", stranger)):
            assert process.stdout and process.stdout.readline()
            (folder.root / f"{name}.pid").write_text(str(process.pid))
        show.stop(folder, timeout_s=0.2)
        assert ours.wait(5) == -signal.SIGKILL and stranger.poll() is None
        assert running_show() is None
    finally:
        for process in (ours, stranger):
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "999999999999999999999"])
def test_a_spoiled_pid_file_is_nobody(folder: Folder, text: str) -> None:
    (folder.root / "engine.pid").write_text(text)
    assert not is_alive(pids(folder).get("engine", -1))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "5", "{}", '{"host": "127.0.0.1"}', '{"host": 1, "port": "x", "token": 2}']
)
def test_a_spoiled_door_file_is_no_door(folder: Folder, text: str) -> None:
    (folder.root / "door.json").write_text(text)
    assert folder.door() is None and Door(folder).send is not None


@pytest.mark.parametrize(("free", "is_memory"), [(64 << 20, False), (8 << 30, True)])
def test_mailboxes_lie_in_memory_only_where_there_is_enough_of_it(
    free: int, is_memory: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if not os.access("/dev/shm", os.W_OK):
        pytest.skip("this system offers no memory as files")
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=free))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    assert shared_memory_root() == (Path("/dev/shm") if is_memory else tmp_path)


# What the parts say of themselves, together


def pulse(folder: Folder, part: str, **facts: object) -> None:
    folder.pulse(part).put(json.dumps({"pid": 1, "at": time.monotonic(), **facts}))


def test_the_status_of_a_show_that_has_just_begun_is_whole_and_without_a_fault(folder: Folder) -> None:
    line = status(folder, PLAN, time.monotonic() - 1.0)
    assert line["faults"] == [] and line["cue"] == {"index": 0, "text": ""} and line["t"] == pytest.approx(1.0, abs=0.5)
    assert list(line["sinks"]) == ["browser", "frames:x", "frames:y"]
    assert line["engine_fps"] == line["program_fps"] == line["latency_ms"] == 0.0
    json.dumps(line)


def test_a_part_that_never_spoke_is_a_fault_after_a_while_and_one_that_fell_silent_at_once(folder: Folder) -> None:
    pulse(folder, "engine", fps=15.0, guide="shipped")
    assert status(folder, PLAN, time.monotonic() - 60)["engine_fps"] == 15.0
    pulse(folder, "engine", fps=15.0, at=time.monotonic() - 4)
    assert "engine does not answer" in status(folder, PLAN, time.monotonic() - 1)["faults"]
    line = status(folder, PLAN, time.monotonic() - 60)
    assert "desk does not answer" in line["faults"] and line["engine_fps"] == 0.0 and line["guide"] == ""


def test_a_painter_of_slow_frames_is_answering_between_them() -> None:
    assert is_fresh({"at": 10.0}, 12.9) and not is_fresh({"at": 10.0}, 13.1)
    assert is_fresh({"at": 10.0, "frame_ms": 9000.0}, 40.0) and not is_fresh({"at": 10.0, "frame_ms": 9000.0}, 47.0)
    assert not is_fresh({}, 0.0)


def test_every_fault_is_a_sentence_that_names_its_part() -> None:
    fresh = {
        "engine": {"notes": ["the guide was not found"], "gpu_unused": "a GPU is unused; run: …"},
        "sink-0": {"error": "unplugged", "spec": "camera"},
        "desk": {"inputs": {"midi": {"reason": "no MIDI system"}, "osc": {}}},
        "program": {},
    }
    parts = {"desk": {"restarts": 2, "reason": "ended with signal 9"}, "engine": {"restarts": 0, "reason": ""}}
    assert faults(fresh, parts) == [
        "program does not answer", "desk restarted: ended with signal 9", "the guide was not found",
        "a GPU is unused; run: …", "camera: unplugged", "midi: no MIDI system",
    ]  # fmt: skip


# A desk that comes back while files are being edited


def test_files_that_were_spoiled_during_the_show_are_left_out_with_a_note(home: Path) -> None:
    preset, song = home / "mine.toml", home / "song.lrc"
    preset.write_text("[parameters]\nsteps = 5\n")
    song.write_text("[00:01.00]a rose\n")
    plan = Plan(preset=str(preset), cues=str(song), values={"temperature": 12.0})
    notes: list[str] = []
    state = opening_state(plan, notes)
    assert (state.look.whole("steps"), state.preset, notes) == (5, "mine", []) and state.cues is not None
    preset.write_text("[parameters]\nsteps = ")
    song.unlink()
    state = opening_state(plan, notes)
    assert state.look.number("temperature") == 12.0 and state.look.whole("steps") == 2 and state.cues is None
    assert "mine.toml:2: not TOML" in notes[0] and "song.lrc: cannot be read" in notes[1]


def test_the_largest_frame_fits_the_mailbox_of_the_engine(folder: Folder) -> None:
    import numpy as np

    from engine.parameters import PARAMETERS

    height, width = (int(PARAMETERS[f"canvas_{side}"].high) for side in ("height", "width"))
    folder.frames().put(Frame(np.zeros((height, width, 3), np.uint8), 1))

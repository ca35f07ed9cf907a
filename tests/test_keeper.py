"""The keeper with real processes, tiny ones: what ends or hangs is started again, and stopping leaves nobody behind."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from vj import keeper as keeping
from vj.keeper import Keeper, Part
from vj.mailboxes import SharedText
from vj.pulse import read_pulse
from vj.runtime import Folder, pids

# A part: beats with the state it is told, until it is told to stop beating, and obeys SIGTERM unless it is stubborn.
PART = """
import json, os, signal, sys, time
from pathlib import Path
from vj.mailboxes import SharedText
box, orders = SharedText(Path(sys.argv[1])), Path(sys.argv[2])
if sys.argv[-1].startswith("stubborn"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("a word for the log", flush=True)
while True:
    state = orders.read_text() if orders.exists() else "ok"
    if state == "leave":
        sys.exit(3)
    if state != "silent":
        box.put(json.dumps({"pid": os.getpid(), "at": time.monotonic(), "state": state}))
    time.sleep(0.01)
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")


class World:
    """A folder with one keeper in it and orders for its parts."""

    def __init__(self, root: Path) -> None:
        self.folder = Folder(root, root / "boxes", root / "logs")
        for path in (self.folder.boxes, self.folder.logs):
            path.mkdir()
        self.keeper = Keeper(self.folder)

    def part(self, name: str, *words: str, stale_s: float = 0.5, command: tuple[str, ...] = ()) -> Part:
        SharedText(self.folder.boxes / f"pulse-{name}", 4096)
        paths = (str(self.folder.boxes / f"pulse-{name}"), str(self.folder.root / f"{name}.orders"))
        part = Part(name, stale_s, command or (sys.executable, "-c", PART, *paths, *words))
        self.keeper.parts.append(part)
        return part

    def order(self, name: str, state: str) -> None:
        draft = self.folder.root / f"{name}.draft"
        draft.write_text(state)
        draft.replace(self.folder.root / f"{name}.orders")

    def until(self, claim: Callable[[], object], seconds: float = 10.0) -> None:
        deadline = time.monotonic() + seconds
        while not claim():
            assert time.monotonic() < deadline, f"it did not come to that: {self.keeper.report()}"
            self.keeper.turn(time.monotonic())
            time.sleep(0.02)

    def for_a_while(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.keeper.turn(time.monotonic())
            time.sleep(0.02)

    def beats(self, part: Part) -> bool:
        """Whether the part's present process has reported."""
        return part.process is not None and read_pulse(self.folder.pulse(part.name)).get("pid") == part.process.pid

    def start(self) -> None:
        self.keeper.start()
        self.until(lambda: all(self.beats(part) for part in self.keeper.parts))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(keeping, "STOP_WAIT_S", 0.5)
    world = World(tmp_path)
    yield world
    for part in world.keeper.parts:
        if part.process is not None:
            part.process.kill()
            part.process.wait()


def pid_of(part: Part) -> int:
    assert part.process is not None
    return part.process.pid


def test_parts_are_started_in_order_with_a_pid_file_and_a_log_each(world: World) -> None:
    one, two = world.part("one"), world.part("two")
    world.start()
    assert pids(world.folder) == {"one": pid_of(one), "two": pid_of(two)}
    assert (world.folder.logs / "one.log").read_text() == "a word for the log\n"
    assert world.keeper.report()["parts"]["two"] == {
        "pid": pid_of(two), "state": "running", "restarts": 0, "reason": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("how", "reason"), [("leave", "ended with exit code 3"), ("kill", "ended with signal 9"), ("crash", "signal 11")]
)
def test_a_part_that_ends_is_started_again_at_once_and_the_others_are_left_alone(
    world: World, how: str, reason: str
) -> None:
    one, two = world.part("one"), world.part("two")
    world.start()
    before, other = pid_of(one), pid_of(two)
    if how == "leave":
        world.order("one", "leave")
        world.until(lambda: one.restarts == 1)
        world.order("one", "ok")
    else:
        os.kill(before, signal.SIGKILL if how == "kill" else signal.SIGSEGV)
    world.until(lambda: one.restarts >= 1 and world.beats(one))
    assert pid_of(one) != before and reason in one.reason and pids(world.folder)["one"] == pid_of(one)
    assert pid_of(two) == other and two.restarts == 0


def test_a_part_that_hangs_is_killed_and_started_again(world: World) -> None:
    part = world.part("one", "stubborn")
    world.start()
    before = pid_of(part)
    os.kill(before, signal.SIGSTOP)  # as if stuck in a driver: it answers nothing, not even SIGTERM
    world.until(lambda: part.restarts == 1 and world.beats(part))
    assert part.reason == "did not answer for 0.5 s" and not psutil.pid_exists(before)


def test_a_part_that_beats_is_never_taken_for_hung(world: World) -> None:
    part = world.part("one")
    world.start()
    world.for_a_while(1.2)
    assert part.restarts == 0


def test_a_part_whose_frames_take_long_may_be_silent_for_some_of_them(world: World) -> None:
    part = world.part("one")
    world.start()
    world.order("one", "silent")
    time.sleep(0.1)
    slow = {"pid": pid_of(part), "at": time.monotonic(), "state": "painting", "frame_ms": 400.0}
    world.folder.pulse("one").put(json.dumps(slow))
    world.for_a_while(1.2)
    assert part.restarts == 0
    world.until(lambda: part.restarts == 1)


@pytest.mark.parametrize("state", ["loading", "opening"])
def test_before_it_says_that_it_works_a_part_may_take_its_time(world: World, state: str) -> None:
    part = world.part("one")
    world.order("one", state)
    world.start()
    world.until(lambda: read_pulse(world.folder.pulse("one")).get("state") == state)
    world.order("one", "silent")
    world.for_a_while(1.2)
    assert part.restarts == 0
    world.order("one", "painting")
    world.until(lambda: read_pulse(world.folder.pulse("one")).get("state") == "painting")
    world.order("one", "silent")
    world.until(lambda: part.restarts == 1)


def test_a_part_that_has_never_said_anything_is_not_hung(world: World) -> None:
    world.order("one", "silent")
    part = world.part("one")
    world.keeper.start()
    world.for_a_while(1.2)
    assert part.restarts == 0


def test_the_old_pulse_of_the_process_before_does_not_count_against_the_new_one(world: World) -> None:
    part = world.part("one")
    world.start()
    world.order("one", "silent")
    time.sleep(0.1)
    os.kill(pid_of(part), signal.SIGKILL)
    world.until(lambda: part.restarts == 1)
    world.for_a_while(1.2)
    assert part.restarts == 1


def test_what_fails_again_and_again_is_tried_again_less_and_less_often(world: World) -> None:
    world.order("one", "leave")
    part = world.part("one")
    world.keeper.start()
    now, waits = 1000.0, []
    for _ in range(8):
        assert part.process is not None
        part.process.wait()
        world.keeper.turn(now)
        waits.append(part.due - now)
        assert world.keeper.report()["parts"]["one"]["state"] == "restarting"
        if waits[-1] > 0:
            world.keeper.turn(part.due - 0.01)
            assert part.process is None, "too early"
        now = part.due
        world.keeper.turn(now)
    assert waits == [0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 10.0, 10.0]


def test_after_half_a_minute_of_health_patience_begins_anew(world: World) -> None:
    part = world.part("one", stale_s=1e9)
    world.start()
    part.failures = 5
    world.keeper.turn(part.started + 29)
    assert part.failures == 5
    world.keeper.turn(part.started + 31)
    assert part.failures == 0


def test_a_command_that_is_not_there_is_tried_again_and_does_not_end_the_keeper(world: World) -> None:
    lost, well = world.part("lost", command=("/nowhere/at/all",)), world.part("well")
    world.keeper.start()
    world.until(lambda: world.beats(well) and lost.failures >= 2)
    assert "could not be started" in lost.reason and well.restarts == 0


def test_a_lost_log_folder_costs_the_log_and_not_the_part(world: World) -> None:
    world.folder.logs.rmdir()
    part = world.part("one")
    world.start()
    assert world.beats(part) and not world.folder.logs.exists()


def test_a_long_log_is_put_aside(world: World) -> None:
    (world.folder.logs / "one.log").write_bytes(b"x" * (9 << 20))
    world.part("one")
    world.start()
    assert (world.folder.logs / "one.log").stat().st_size < 100
    assert (world.folder.logs / "one.1.log").stat().st_size == 9 << 20


def test_stopping_asks_first_and_kills_who_does_not_listen(world: World) -> None:
    polite, stubborn, stopped = (world.part(name, name) for name in ("polite", "stubborn", "stubborn-too"))
    world.start()
    os.kill(pid_of(stopped), signal.SIGSTOP)
    began = time.monotonic()
    world.keeper.stop()
    assert time.monotonic() - began < 4.0
    codes = [part.process.returncode for part in (polite, stubborn, stopped) if part.process is not None]
    assert codes == [-signal.SIGTERM, -signal.SIGKILL, -signal.SIGKILL]


def test_stopping_in_the_middle_of_a_restart_is_fine(world: World) -> None:
    part = world.part("one")
    world.start()
    os.kill(pid_of(part), signal.SIGKILL)
    part.failures = 4
    world.until(lambda: part.process is None)
    world.keeper.stop()

"""A whole show with its real processes: each of them is killed in turn, and what the design promises must happen."""

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vj.changes import Change
from vj.pulse import is_fresh, read_pulse
from vj.runtime import Door, Folder, is_alive, pids, running_show
from vj.status import status

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kills with POSIX signals")

SMALL = ["--size", "144x96", "--set", "canvas_width=96", "--set", "canvas_height=64", "--set", "first_steps=3"]
SONG = "[ti:Test]\n[00:00.50]a red rose\n[10:00.00]a blue sea\n"


def play(root: Path, port: int, *words: str, **more: Any) -> subprocess.Popen[str]:
    """A headless show of its own, small enough for any machine."""
    (root / "song.lrc").write_text(SONG)
    command = [
        sys.executable,
        "-m",
        "vj",
        "play",
        "song.lrc",
        "--headless",
        "--osc",
        f"127.0.0.1:{port}",
        *SMALL,
        *words,
    ]
    env = {**os.environ, "VJ_RUNTIME": str(root / "run")}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    return subprocess.Popen(command, env=env, cwd=root, text=True, **pipes)


def until(claim: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Wait for a claim to become true, and what it gave."""
    deadline = time.monotonic() + seconds
    while not (found := claim()):
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)
    return found


class Running:
    """A show under way: its lines, its folder, and what the audience got while something was watched."""

    def __init__(self, root: Path, port: int) -> None:
        self.root, self.port = root, port
        self.process = play(root, port, "--sink", "frames:pictures")
        self.lines: list[dict[str, Any]] = []
        self.strange: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()
        self.folder: Folder = until(lambda: running_show() or self._ended())
        self.program = self.folder.program()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                self.strange.append(line)

    def _ended(self) -> None:
        assert self.process.poll() is None, self.process.stderr and self.process.stderr.read()

    def pulse(self, part: str) -> dict[str, Any]:
        """A part's pulse, {} when it is not answering."""
        found = read_pulse(self.folder.pulse(part))
        return found if is_fresh(found, time.monotonic()) else {}

    def part(self, name: str) -> int:
        """The process id of a part that is answering; waits for it."""
        return int(until(lambda: self.pulse(name).get("pid")))

    def kill(self, name: str, how: int = signal.SIGKILL) -> int:
        pid = self.part(name)
        os.kill(pid, how)
        return pid

    def watch(self, claim: Callable[[], Any]) -> list[tuple[float, int, float]]:
        """Time, number and mean level of every program frame until the claim is true."""
        seen: list[tuple[float, int, float]] = []
        deadline = time.monotonic() + 60
        while not claim():
            assert time.monotonic() < deadline, "it did not come to that"
            frame = self.program.newest(after=seen[-1][1] if seen else -1)
            if frame is not None:
                seen.append((frame.painted_at, frame.number, float(frame.rgb.mean())))
            time.sleep(0.005)
        return seen

    def number(self) -> int:
        """The number of the newest program frame; waits for one, as it may just be being written over."""
        return int(until(self.program.newest).number)

    def is_back(self, name: str, before: int) -> bool:
        """Whether another process than the one before answers under this name."""
        return self.pulse(name).get("pid", before) != before


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    root = tmp_path_factory.mktemp("show")
    patch = pytest.MonkeyPatch()
    patch.setenv("VJ_RUNTIME", str(root / "run"))
    show = Running(root, _free_udp_port())
    yield show
    for pid in (*pids(show.folder).values(), show.process.pid):
        if is_alive(pid) and pid != os.getpid():
            os.kill(pid, signal.SIGKILL)
    patch.undo()


def _free_udp_port() -> int:
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def painted(show: Running) -> bool:
    frame = show.program.newest()
    return frame is not None and frame.is_painted


def test_the_show_paints_and_says_so_in_a_json_line_a_second(show: Running) -> None:
    until(lambda: painted(show) and show.lines and show.lines[-1]["cue"]["index"] == 1)
    line = show.lines[-1]
    assert show.strange == []
    times = [each["t"] for each in show.lines]
    assert times == sorted(times) and 0 < times[0] < 5
    assert show.lines[0]["cue"] == {"index": 0, "text": ""} and show.lines[0]["faults"] == []
    assert line["song"] == "Test" and line["cue"] == {"index": 1, "text": "a red rose"} and line["guide"] == "shipped"
    assert line["look"]["canvas_width"] == 96 and line["sinks"]["frames"]["state"] in ("ok", "waiting")
    assert line["restarts"] == {"engine": 0, "program": 0, "desk": 0} and line["memory_mb"]["engine"] > 10
    for rate in ("engine_fps", "program_fps", "program_gap_p99_ms", "latency_ms"):
        assert all(isinstance(each[rate], float) for each in show.lines)
    assert line["inputs"]["osc"]["received"] == 0


def test_a_second_show_is_refused_and_leaves_the_first_alone(show: Running) -> None:
    before = show.part("engine")
    second = play(show.root, show.port, "--sink", "frames:pictures")
    out, err = second.communicate(timeout=30)
    assert (second.returncode, out) == (1, "")
    assert err == "vj: a show is already running; `vj` attaches to it, `vj stop` ends it\n"
    assert show.part("engine") == before and running_show() == show.folder


def test_when_the_engine_is_killed_the_picture_lives_on_and_is_painted_further(show: Running) -> None:
    number = until(lambda: show.folder.frames().newest()).number
    before = show.kill("engine")
    seen = show.watch(lambda: show.is_back("engine", before) and until(show.folder.frames().newest).number > number + 3)
    assert min(level for _, _, level in seen) > 5, "a black frame"
    assert [n for _, n, _ in seen] == sorted({n for _, n, _ in seen}) and len(seen) > 30
    gaps = [after - earlier for (earlier, _, _), (after, _, _) in itertools.pairwise(seen)]
    assert max(gaps) < 1.0
    last = until(lambda: show.lines[-1]["restarts"]["engine"] == 1 and show.lines[-1])
    assert "engine restarted: ended with signal 9" in last["faults"] and last["restarts"]["program"] == 0


def test_when_the_desk_is_killed_it_comes_back_as_it_was(show: Running) -> None:
    door = Door(show.folder)
    assert door.send(Change("set", 71.5, "temperature", "key"))
    assert door.send(Change("prompt", "typed by hand", source="key", seconds=0.0))
    until(lambda: "typed by hand" in (show.root / "run" / "desk.json").read_text())
    serial, engine, program = show.pulse("desk")["serial"], show.part("engine"), show.part("program")
    before = show.kill("desk")
    until(lambda: show.is_back("desk", before))
    desk = show.pulse("desk")
    assert (desk["look"]["temperature"], desk["line"], desk["cue"]["state"]) == (71.5, "typed by hand", "running")
    assert desk["serial"] > serial and desk["cue"]["index"] == 1 and desk["log"]
    assert until(lambda: door.send(Change("set", 12.5, "temperature", "key")))
    until(lambda: show.pulse("desk").get("look", {}).get("temperature") == 12.5)
    assert (show.part("engine"), show.part("program")) == (engine, program)
    door.close()


def test_when_the_program_is_killed_it_is_back_with_the_picture_and_without_black(show: Running) -> None:
    number, sink = show.number(), show.part("sink-0")
    before = show.kill("program")
    seen = show.watch(lambda: show.is_back("program", before) and show.number() > number + 20)
    assert min(level for _, _, level in seen) > 5
    assert [n for _, n, _ in seen] == sorted({n for _, n, _ in seen})
    assert painted(show) and show.part("sink-0") == sink


def test_when_the_program_hangs_it_is_replaced(show: Running) -> None:
    number = show.number()
    before = show.kill("program", signal.SIGSTOP)
    until(lambda: show.is_back("program", before) and show.number() > number + 5)
    assert until(lambda: "did not answer" in str(show.lines[-1]["faults"])) and not is_alive(before)


def test_when_a_sink_is_killed_only_that_device_blinks(show: Running) -> None:
    engine, program = show.part("engine"), show.part("program")
    before = show.kill("sink-0")
    pictures = len(list((show.root / "pictures").glob("*.png")))
    until(lambda: show.is_back("sink-0", before) and len(list((show.root / "pictures").glob("*.png"))) > pictures + 5)
    assert (show.part("engine"), show.part("program")) == (engine, program)
    assert until(lambda: show.lines[-1]["sinks"]["frames"]["restarts"] == 1)


def test_when_the_keeper_is_killed_the_show_goes_on_and_says_so(show: Running) -> None:
    parts = {name: show.part(name) for name in ("engine", "desk", "program", "sink-0")}
    show.process.kill()
    show.process.wait()
    number = show.number()
    until(lambda: show.number() > number + 60)
    assert {name: show.part(name) for name in parts} == parts
    until(lambda: "keeper does not answer" in status(show.folder, show.folder.plan(), 0.0)["faults"])
    assert running_show() == show.folder


def test_a_show_without_a_keeper_can_be_stopped_and_leaves_nothing_behind(show: Running) -> None:
    left = pids(show.folder)
    done = subprocess.run(
        [sys.executable, "-m", "vj", "stop"], capture_output=True, text=True, timeout=30, env=dict(os.environ)
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert not any(is_alive(pid) for pid in left.values())
    assert not show.folder.boxes.exists() and running_show() is None
    left_over = {path.name for path in (show.root / "run").iterdir()}
    assert left_over == {"desk.begun", "desk.json", "keeper.lock", "logs", "plan.json"}
    for log in (show.root / "run" / "logs").iterdir():
        assert "Traceback" not in log.read_text(), log.name


# Shows that end


def test_of_two_shows_started_at_once_one_runs_and_its_reader_cannot_keep_it_from_ending(home: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    if not hasattr(fcntl, "F_SETPIPE_SZ"):
        pytest.skip("the size of a pipe can be set on Linux only")
    outer, inner = os.pipe()
    fcntl.fcntl(inner, fcntl.F_SETPIPE_SZ, 4096)  # two lines fill it, and nobody reads them
    words = ("--sink", "frames:pictures", "--for", "4")
    shows = [play(home, _free_udp_port(), *words, stdout=inner) for _ in range(2)]
    os.close(inner)
    boxes = until(running_show).boxes
    errors = [show.communicate(timeout=30)[1] for show in shows]
    assert sorted(show.returncode for show in shows) == [0, 1], errors
    [why] = [error for show, error in zip(shows, errors, strict=True) if show.returncode]
    assert why.startswith(("vj: another show is just being started", "vj: a show is already running"))
    os.close(outer)
    assert not boxes.exists() and not list((home / "run").glob("*.pid"))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["terminated", "interrupted"])
def test_a_show_that_is_told_to_end_ends_well_although_nobody_reads_its_lines(home: Path, how: int) -> None:
    show = play(home, _free_udp_port(), "--sink", "frames:pictures")
    folder = until(running_show)
    assert show.stdout is not None
    show.stdout.close()
    show.send_signal(signal.SIGHUP)  # its terminal is closed: it goes on
    until(lambda: len(pids(folder)) == 5 and read_pulse(folder.pulse("program")))
    time.sleep(0.6)
    left = pids(folder)
    assert show.poll() is None
    show.send_signal(how)
    assert show.wait(30) == 0 and show.stderr is not None and "Traceback" not in show.stderr.read()
    assert not folder.boxes.exists() and not any(is_alive(pid) for pid in left.values())

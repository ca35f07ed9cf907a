"""A full disk: the recording before it plays, no empty files are left, the trouble is named, and nothing ever dies.

What is tested runs in a process of its own: FFmpeg does not raise when it is used wrongly, it crashes.
"""

import contextlib
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="file size limits and mounts are POSIX")

NOISE = """
import json, resource, sys, time
import numpy as np
from pathlib import Path
from vj.sinks.mp4 import Mp4
noise = np.random.default_rng(1).integers(0, 255, (180, 320, 3), dtype=np.uint8)

def may_write(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
"""


def _run(code: str, *arguments: object) -> list[str]:
    """What this code printed. Fails when its process was ended by a signal or by an error nobody caught."""
    command = [sys.executable, "-X", "faulthandler", "-c", NOISE + code, *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, f"ended with {run.returncode}: {run.stderr[-2000:]}"
    return run.stdout.splitlines()


def _pictures(path: Path) -> int:
    """How many pictures a player shows, up to a torn last one."""
    count = 0
    with av.open(str(path)) as file, contextlib.suppress(av.InvalidDataError):
        for _ in file.decode(video=0):
            count += 1
    return count


WRITING = """
may_write(int(sys.argv[2]))
try:
    file = Mp4(Path(sys.argv[1]), 320, 180, 30.0)
except OSError as error:
    print("open:", error)
    sys.exit()
try:
    for n in range(60):
        file.write(np.roll(noise, 7 * n, axis=1), n / 30)
except OSError as error:
    print("write:", error)
if len(sys.argv) > 3:
    may_write(-1)
try:
    file.close()
except OSError as error:
    print("close:", error)
print(file.size_bytes())
"""


@pytest.mark.parametrize("room", [0, 1, 700, 40_000])
def test_a_file_there_is_no_room_for_is_refused_at_once_and_not_left_behind(tmp_path, room):
    assert _run(WRITING, tmp_path / "a.mp4", room) == ["open: [Errno 27] File too large"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("then", [(), ("room again",)])
def test_a_write_that_fails_in_the_middle_keeps_what_was_before_also_when_there_is_room_again(tmp_path, then):
    told = _run(WRITING, tmp_path / "a.mp4", 400_000, *then)
    assert told == ["write: File too large; a.mp4 plays up to here", "400000"]
    assert _pictures(tmp_path / "a.mp4") >= 25


def test_a_disk_that_is_full_at_the_very_end_costs_the_index_and_not_the_recording(tmp_path):
    whole = int(_run(WRITING, tmp_path / "whole.mp4", 10**9)[-1])
    for missing in (1, 8, 200, 1000, 60_000):
        path = tmp_path / f"{missing}.mp4"
        assert _run(WRITING, path, whole - missing)[0] == f"close: File too large; {missing}.mp4 plays up to here"
        assert _pictures(path) >= 50
    assert _pictures(tmp_path / "whole.mp4") == 60


def test_a_file_that_was_given_no_picture_is_not_left_behind(tmp_path):
    _run("Mp4(Path(sys.argv[1]), 320, 180, 30.0).close()", tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_pictures_still_in_the_encoder_when_the_disk_fills_leave_no_file(tmp_path):
    code = """
file = Mp4(Path(sys.argv[1]), 320, 180, 30.0)
for n in range(5):
    file.write(noise, n / 30)
print(file.has_pictures())
may_write(file.size_bytes())
try:
    file.close()
except OSError as error:
    print(error)
"""
    assert _run(code, tmp_path / "a.mp4") == ["False", "File too large; a.mp4 has no picture yet"]
    assert list(tmp_path.iterdir()) == []


LOOP = """
import threading
from vj import loops
from vj.mailboxes import Frame, MemoryFrames, MemoryText
from vj.pulse import Pulse
from vj.sinks import make_sink

class Told(MemoryText):
    def put(self, text):
        print(text, flush=True)

loops.SINK_RETRY_S = (0.2, 0.4)
program = MemoryFrames()
is_on = threading.Event()
is_on.set()
box = Pulse(Told(), every_s=0.02)
make = lambda: make_sink("record:" + sys.argv[1])
loop = threading.Thread(target=loops.sink_loop, args=(make, (320, 180), 30.0, program, box, is_on.is_set))
loop.start()
threading.Thread(target=lambda: (sys.stdin.read(), is_on.clear()), daemon=True).start()
for number in range(100_000):
    if not is_on.is_set():
        break
    program.put(Frame(np.roll(noise, 7 * number, axis=1), number, 0.0, 1, True))
    time.sleep(1 / 60)
loop.join()
"""


class Recording:
    """A sink's loop in a process of its own that is sent noise: some 24 KB a picture. Owns the process."""

    def __init__(self, path: Path) -> None:
        command = [sys.executable, "-X", "faulthandler", "-c", NOISE + LOOP, str(path)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pulses: list[dict] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for text in self.process.stdout:
            self.pulses.append(json.loads(text))

    def until(self, claim, seconds: float = 30.0) -> dict:
        """The next pulse this is true of."""
        deadline, seen = time.monotonic() + seconds, len(self.pulses)
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"the sink's process ended with {self.process.returncode}"
            for pulse in itertools.islice(self.pulses, seen, None):
                seen += 1
                if claim(pulse):
                    return pulse
            time.sleep(0.01)
        raise AssertionError(f"it did not come to that; last: {self.pulses[-1:]}")

    def end(self) -> int:
        self.process.stdin.close()
        code = self.process.wait(20)
        self._reader.join(5)
        self.process.stdout.close()
        return code


@contextlib.contextmanager
def recording(path: Path) -> Iterator[Recording]:
    made = Recording(path)
    try:
        yield made
        assert made.end() == 0
    finally:
        if made.process.poll() is None:
            made.process.kill()
            made.process.wait(10)


def _mount(*arguments: object) -> None:
    run = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True, timeout=10)
    if run.returncode:
        pytest.skip(f"mounting is refused here: {run.stderr.strip()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("a disk of our own needs Linux and root")
    folder = tmp_path / "disk"
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", "size=2m", "tmpfs", folder)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, timeout=10)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.mp4"))


def test_a_recording_waits_for_room_says_so_and_goes_on_in_a_next_file(disk):
    with recording(disk / "n.mp4") as sink:
        first = sink.until(lambda pulse: pulse["state"] == "ok")
        assert first["bytes"] > 2000 and first["path"].endswith("n.mp4")
        assert sink.until(lambda pulse: pulse["state"] == "failed")["error"] == (
            "record: writing stopped: No space left on device; n.mp4 plays up to here"
        )
        full = f"record: No space left on device; {disk}/n-2.mp4 cannot be written"
        sink.until(lambda pulse: pulse["error"] == full)
        seen = len(sink.pulses)
        time.sleep(2.0)
        assert {(pulse["state"], pulse["error"]) for pulse in sink.pulses[seen:]} <= {
            ("failed", full),
            ("opening", full),
        }
        assert _names(disk) == ["n.mp4"]
        played = _pictures(disk / "n.mp4")
        kept = (disk / "n.mp4").read_bytes()
        (disk / "n.mp4").write_bytes(b"a file of that name is never written over")
        again = sink.until(lambda pulse: pulse["state"] == "ok")
        assert again["path"].endswith("n-2.mp4") and again["error"] == ""
    assert len(kept) == 2 << 20 and played >= 30
    assert _pictures(disk / "n-2.mp4") >= 5


def test_nothing_is_called_ok_while_nothing_is_in_the_file(disk):
    with recording(disk / "n.mp4") as sink:
        sink.until(lambda pulse: pulse["state"] == "ok")
    opening = [pulse for pulse in sink.pulses if pulse["state"] == "opening"]
    assert any(pulse.get("bytes") for pulse in opening), "the head alone is no recording"
    assert all(pulse["fps"] == 0.0 for pulse in opening)
    assert all(pulse["bytes"] > 2000 for pulse in sink.pulses if pulse["state"] == "ok")


def test_a_folder_that_turns_read_only_is_named_and_nothing_dies(disk):
    (disk / "hold").write_bytes(bytes(1 << 20))
    with recording(disk / "n.mp4") as sink:
        sink.until(lambda pulse: "n-2.mp4" in pulse["error"])
        _mount("-o", "remount,ro", disk)
        read_only = f"record: Read-only file system; {disk}/n-2.mp4 cannot be written"
        assert sink.until(lambda pulse: pulse["error"] == read_only)["state"] in ("failed", "opening")
        _mount("-o", "remount,rw", disk)
        (disk / "hold").unlink()
        sink.until(lambda pulse: pulse["state"] == "ok")
    assert _names(disk) == ["n-2.mp4", "n.mp4"]

"""What `vj bench` measures of a whole show: rates, latency and recovery, with a dashboard and a browser watching.

Everything is measured from outside, through the mailboxes that the audience's picture goes through.
"""

import contextlib
import http.client
import json
import os
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import psutil
from pythonosc.udp_client import SimpleUDPClient

from vj.errors import VjError
from vj.mailboxes import Frame, SharedFrames
from vj.pulse import read_pulse
from vj.runtime import VJ, Folder, environment, pids

WARM_UP_S = 10.0
STEADY_S = 20.0
MOVES = 40


def free_port() -> int:
    """A TCP port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class BenchShow:
    """A headless show of its own, a browser reading its stream and a dashboard in a pseudo terminal."""

    def __init__(self, options: list[str], is_watched: bool = True) -> None:
        self.osc_port, self.web_port = free_port(), free_port()
        self._home = tempfile.TemporaryDirectory(prefix="vj-bench-")
        self._env = environment(Path(self._home.name))
        self._options = options
        self._is_watched = is_watched
        self.started = 0.0

    def __enter__(self) -> "BenchShow":
        self.started = time.monotonic()
        command = [*VJ, "play", "night-ferry", "--headless"]
        command += ["--osc", f"127.0.0.1:{self.osc_port}", "--sink", f"browser:{self.web_port}", *self._options]
        self._log = Path(self._home.name, "bench.log").open("wb")
        self._show = subprocess.Popen(command, env=self._env, stdout=subprocess.DEVNULL, stderr=self._log)
        self.folder = self._wait_for_folder()
        self.program = self.folder.program()
        if self._is_watched:
            self._dashboard = _in_terminal([*VJ], self._env)
            threading.Thread(target=self._read_stream, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._show.terminate()
        self._show.wait(20)
        if self._is_watched and self._dashboard is not None:
            self._dashboard.kill()
        self._log.close()
        self._home.cleanup()

    def log(self) -> str:
        """What the show said on its standard error, for a bench that failed."""
        return Path(self._home.name, "bench.log").read_text(errors="replace")

    def _wait_for_folder(self) -> Folder:
        root = Path(self._home.name)
        while time.monotonic() - self.started < 30:
            with contextlib.suppress(OSError, ValueError, KeyError):
                boxes = Path(json.loads((root / "show.json").read_text())["boxes"])
                return Folder(root, boxes, root / "logs")
            if self._show.poll() is not None:
                break
            time.sleep(0.005)
        raise VjError(f"the show did not start: {self.log()}")

    def _read_stream(self) -> None:
        """Be OBS: read the stream as fast as it comes, for as long as the show runs."""
        while self._show.poll() is None:
            with (
                contextlib.suppress(OSError, http.client.HTTPException),
                urllib.request.urlopen(f"http://127.0.0.1:{self.web_port}/stream.mjpg", timeout=5) as stream,
            ):
                while stream.read(1 << 15):
                    pass
            time.sleep(0.2)


def _in_terminal(command: list[str], env: dict[str, str]) -> subprocess.Popen[bytes] | None:
    """Run a command in a pseudo terminal of 120x40 whose output is thrown away; None where there are none."""
    try:
        import fcntl
        import pty
        import struct
        import termios
    except ImportError:
        return None
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    env = {**env, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    process = subprocess.Popen(command, env=env, stdin=inner, stdout=inner, stderr=inner, start_new_session=True)
    os.close(inner)

    def drain() -> None:
        with contextlib.suppress(OSError):
            while os.read(outer, 1 << 16):
                pass

    threading.Thread(target=drain, daemon=True).start()
    return process


def first_frames(show: BenchShow) -> dict[str, float]:
    """Seconds from the start of the command to the first program frame and to the first painted one."""
    opened = painted = 0.0
    for frame in watched(show.program, 60.0):
        opened = opened or frame.painted_at
        if frame.is_painted:
            painted = frame.painted_at
            break
    return {
        "standby_s": round(opened - show.started, 2),
        "first_painted_s": round(painted - show.started, 2) if painted else -1.0,
    }


def steady(show: BenchShow, seconds: float = STEADY_S) -> dict[str, float]:
    """Rates and memory over a stretch of undisturbed show."""
    engine_box = show.folder.frames()
    first = engine_box.newest()
    began = time.monotonic()
    times = [frame.painted_at for frame in watched(show.program, seconds)]
    last, took = engine_box.newest(), time.monotonic() - began
    gaps = sorted(after - before for before, after in pairwise(times))
    painted = last.number - first.number if first and last else 0
    engine = read_pulse(show.folder.pulse("engine"))
    return {
        "engine_fps": round(painted / took, 2),
        "engine_steps": engine.get("steps", 0),
        "engine_crops": engine.get("crops", 0),
        "program_fps": round((len(times) - 1) / max(1e-9, times[-1] - times[0]), 2) if len(times) > 1 else 0.0,
        "program_gap_p99_ms": round(1000 * gaps[int(0.99 * len(gaps))], 1) if gaps else -1.0,
        "memory_mb": round(_memory_mb(show.folder), 1),
    }


def osc_to_frame(show: BenchShow, moves: int = MOVES) -> dict[str, float]:
    """From an OSC temperature packet to the first program frame painted with that temperature, ms."""
    client = SimpleUDPClient("127.0.0.1", show.osc_port)
    found = []
    for n in range(moves):
        value = 20.0 + (n % 2) * 30.0 + n * 0.01
        sent = time.monotonic()
        client.send_message("/vj/temperature", value)
        serial = _serial_with(show.folder, "temperature", value)
        if serial is None:
            continue
        for frame in watched(show.program, 3.0):
            if frame.look >= serial and frame.is_painted:
                found.append(1000 * (time.monotonic() - sent))
                break
        time.sleep(0.11 + 0.013 * (n % 7))  # not in step with the frames
    found.sort()
    if len(found) < moves // 2:
        return {"osc_to_frame_p50_ms": -1.0, "osc_to_frame_p95_ms": -1.0}
    return {
        "osc_to_frame_p50_ms": round(statistics.median(found), 1),
        "osc_to_frame_p95_ms": round(found[min(len(found) - 1, int(0.95 * len(found)))], 1),
    }


def engine_killed(show: BenchShow) -> dict[str, float]:
    """Kill the engine with SIGKILL: the longest gap of the program, its darkest frame, and the way back."""
    before = show.folder.frames().newest()
    pid = pids(show.folder)["engine"]
    killed = time.monotonic()
    psutil.Process(pid).kill()
    times, darkest, back = [killed], 255.0, -1.0
    engine_box = show.folder.frames()
    for frame in watched(show.program, 30.0):
        times.append(frame.painted_at)
        darkest = min(darkest, float(frame.rgb.mean()))
        newest = engine_box.newest(after=before.number + 1 if before else -1)
        if newest is not None and newest.painted_at > killed + 0.3:
            back = time.monotonic() - killed
            break
    gaps = [after - earlier for earlier, after in pairwise(times)]
    return {
        "engine_killed_longest_gap_ms": round(1000 * max(gaps), 1) if gaps else -1.0,
        "engine_killed_darkest_mean": round(darkest, 1),
        "engine_killed_painting_again_s": round(back, 2),
    }


def watched(box: SharedFrames, seconds: float) -> Iterator[Frame]:
    """Every new frame of a mailbox as soon as it is there, for this long."""
    until, number = time.monotonic() + seconds, -1
    while time.monotonic() < until:
        frame = box.newest(after=number)
        if frame is None:
            time.sleep(0.001)
            continue
        number = frame.number
        yield frame


def _serial_with(folder: Folder, parameter: str, value: float) -> int | None:
    """The serial of the first look seen with this value, within 2 s."""
    looks = folder.look()
    until = time.monotonic() + 2.0
    while time.monotonic() < until:
        look = json.loads(looks.newest() or "{}")
        if abs(float(look.get("values", {}).get(parameter, -1e9)) - value) < 1e-3:
            return int(look["serial"])
        time.sleep(0.001)
    return None


def _memory_mb(folder: Folder) -> float:
    total = 0.0
    for pid in pids(folder).values():
        with contextlib.suppress(psutil.Error):
            total += psutil.Process(pid).memory_info().rss / 2**20
    return total

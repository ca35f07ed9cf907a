"""A show of the bench's own, with a dashboard and a browser watching it."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from pythonosc.udp_client import SimpleUDPClient

from vj.errors import VjError
from vj.mailboxes import Frame, FrameMailbox
from vj.runtime import VJ, Folder, environment, pids


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
        self._dashboard: subprocess.Popen[bytes] | None = None
        self.started = 0.0

    def __enter__(self) -> "BenchShow":
        self.started = time.monotonic()
        command = [*VJ, "play", "night-ferry", "--headless"]
        command += ["--osc", f"127.0.0.1:{self.osc_port}", "--sink", f"browser:{self.web_port}", *self._options]
        self._log = Path(self._home.name, "bench.log").open("wb")
        self._show = subprocess.Popen(command, env=self._env, stdout=subprocess.DEVNULL, stderr=self._log)
        try:
            self.folder = self._wait_for_folder()
        except VjError:
            self._end()
            raise
        self.program = self.folder.program()
        if self._is_watched:
            self._dashboard = _in_terminal([*VJ], self._env)
            threading.Thread(target=self._read_stream, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        self._show.terminate()
        self._show.wait(20)
        if self._dashboard is not None:
            self._dashboard.kill()
            self._dashboard.wait()
        self._log.close()
        self._home.cleanup()

    def send(self, address: str, *values: float | str) -> None:
        """Send an OSC message to the show, as a desk's control would."""
        SimpleUDPClient("127.0.0.1", self.osc_port).send_message(address, list(values))

    def processes(self) -> dict[str, int]:
        """Process id of every part that runs, of the keeper and of the dashboard, by name."""
        found = pids(self.folder)
        return found if self._dashboard is None else {**found, "dashboard": self._dashboard.pid}

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


def watched(box: FrameMailbox, seconds: float) -> Iterator[Frame]:
    """Every new frame of a mailbox as soon as it is there, for this long."""
    until, number = time.monotonic() + seconds, -1
    while time.monotonic() < until:
        frame = box.newest(after=number)
        if frame is None:
            time.sleep(0.001)
            continue
        number = frame.number
        yield frame

"""The keeper: a table of processes, started in order, restarted when they end or stop answering."""

import logging
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vj.pulse import STARTING, patience_s, read_pulse
from vj.runtime import Folder, environment

log = logging.getLogger("vj.keeper")

BACK_OFF_S = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
HEALTHY_AFTER_S = 30.0
STOP_WAIT_S = 5.0
KILL_WAIT_S = 1.0
# Pictures are as large as what glibc takes from the system and gives back each time: 440 page faults a denoised frame,
# a tenth of its time. With these it keeps what it has. Other C libraries do not read them.
MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 25), "MALLOC_TRIM_THRESHOLD_": str(1 << 29)}


@dataclass(slots=True)
class Part:
    """One process of the show: its name is its pulse's and its log's. Owned by the keeper alone."""

    name: str
    stale_s: float
    command: tuple[str, ...]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    restarts: int = 0
    failures: int = 0
    due: float = 0.0
    reason: str = ""

    def is_hung(self, pulse: dict[str, Any], now: float) -> bool:
        """Whether it worked and then fell silent. A pulse of the process before it does not count."""
        if self.process is None or pulse.get("pid") != self.process.pid:
            return False
        is_silent = now - pulse.get("at", now) > patience_s(pulse, self.stale_s)
        return pulse.get("state", "ok") not in STARTING and is_silent


@dataclass(slots=True)
class Keeper:
    """Owns the process handles. `turn` is called a few times a second."""

    folder: Folder
    parts: list[Part] = field(default_factory=list)

    def start(self) -> None:
        """Start every part, in the order of the table."""
        for part in self.parts:
            self._start(part)

    def turn(self, now: float) -> None:
        """Restart what has ended or hangs, with back-off."""
        for part in self.parts:
            if part.process is None:
                if now >= part.due:
                    part.restarts += 1
                    self._start(part)
            elif (code := part.process.poll()) is not None:
                self._lost(part, f"ended with {_exit(code)}", now)
            elif part.is_hung(read_pulse(self.folder.pulse(part.name)), now):
                _kill(part.process)  # not terminate: a process stuck in a driver may not answer
                self._lost(part, f"did not answer for {part.stale_s:g} s", now)
            elif part.failures and now - part.started > HEALTHY_AFTER_S:
                part.failures = 0

    def stop(self) -> None:
        """Ask every part to end, the last started first; what has not ended after 5 s is killed."""
        running = [part.process for part in reversed(self.parts) if part.process is not None]
        for process in running if os.name != "nt" else ():  # Windows' terminate kills; there, the stop file asks
            process.terminate()
        until = time.monotonic() + STOP_WAIT_S
        for process in running:
            _end(process, max(0.1, until - time.monotonic()))

    def report(self) -> dict[str, Any]:
        """Facts for the keeper's pulse."""
        return {
            "state": "ok",
            "parts": {
                part.name: {
                    "pid": part.process.pid if part.process else 0,
                    "state": "running" if part.process else "restarting",
                    "restarts": part.restarts,
                    "reason": part.reason,
                }
                for part in self.parts
            },
        }

    def _start(self, part: Part) -> None:
        part.started = time.monotonic()
        try:
            with _log_file(self.folder.logs / f"{part.name}.log") as output:
                part.process = subprocess.Popen(
                    part.command,
                    env={**environment(self.folder.root), **MEMORY, **_threads(part.name)},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,  # a Ctrl+C in the keeper's terminal is the keeper's to answer
                )
        except OSError as err:
            self._lost(part, f"could not be started: {err}", time.monotonic())
            return
        with suppress(OSError):  # on a full disk the show goes on
            (self.folder.root / f"{part.name}.pid").write_text(str(part.process.pid), encoding="utf-8")

    def _lost(self, part: Part, reason: str, now: float) -> None:
        part.process = None
        part.reason = reason
        part.due = now + BACK_OFF_S[min(part.failures, len(BACK_OFF_S) - 1)]
        part.failures += 1
        log.warning("keeper: %s %s, starting it again", part.name, reason)


def _threads(name: str) -> dict[str, str]:
    """How a part's arithmetic shares the processor, for the libraries that read it from the environment.

    One thread for every part but the engine. The engine's threads sleep while they wait for each other: spinning, as
    is usual, they take the cores from everything else: beside a busy process two threads took 59 to 98 ms a frame, not
    39 (docs/benchmarks.md).
    """
    if name == "engine":
        return {"OMP_WAIT_POLICY": "passive", "KMP_BLOCKTIME": "0"}
    return {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _end(process: subprocess.Popen[bytes], timeout_s: float) -> None:
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill, and wait a moment only: a process that a driver holds dies when the driver lets go."""
    process.kill()
    with suppress(subprocess.TimeoutExpired):
        process.wait(KILL_WAIT_S)


def _exit(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


@contextmanager
def _log_file(path: Path) -> Iterator[Any]:
    """The part's log, appended to; the one of a longer show is put aside at 8 MB and the one before it dropped."""
    with suppress(OSError):
        if path.stat().st_size > 8 << 20:
            path.replace(path.with_suffix(".1.log"))
    try:
        file = path.open("ab")
    except OSError:  # rather a part without a log than none
        file = Path(os.devnull).open("ab")  # noqa: SIM115 - closed below
    with file:
        yield file

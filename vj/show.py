"""A show from plan to end: started in order once it was checked, kept, stopped."""

import contextlib
import json
import logging
import os
import queue
import secrets
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from vj.errors import VjError
from vj.keeper import Keeper, Part
from vj.mailboxes import SharedFrames, SharedText
from vj.pulse import Pulse
from vj.runtime import (
    LOOK_BYTES,
    MAX_FRAME_BYTES,
    PULSE_BYTES,
    VJ,
    Folder,
    Plan,
    is_alive,
    pids,
    running_show,
    runtime_root,
    shared_memory_root,
)
from vj.status import status

log = logging.getLogger("vj.show")

KEEPER_FPS = 20.0
STALE_S = {"desk": 5.0, "engine": 8.0, "program": 3.0, "sink": 8.0}


def prepare(plan: Plan) -> Folder:
    """Make the folder and the mailboxes of a new show. Raises VjError when one is running already."""
    if running_show() is not None:
        raise VjError("a show is already running; `vj` attaches to it, `vj stop` ends it")
    root = runtime_root()
    root.mkdir(parents=True, exist_ok=True)
    _lock(root / "keeper.lock")
    _clear(root, plan.resume)
    boxes = shared_memory_root() / f"vj-{os.getpid()}-{secrets.token_hex(4)}"
    boxes.mkdir(mode=0o700)
    folder = Folder(root, boxes, root / "logs")
    folder.logs.mkdir(exist_ok=True)
    SharedText(boxes / "look", LOOK_BYTES)
    SharedFrames(boxes / "frame", MAX_FRAME_BYTES)
    SharedFrames(boxes / "program", plan.width * plan.height * 3)
    for name in ("keeper", *(part.name for part in table(plan))):
        SharedText(boxes / f"pulse-{name}", PULSE_BYTES)
    (root / "plan.json").write_text(plan.to_json(), encoding="utf-8")
    (root / "keeper.pid").write_text(str(os.getpid()), encoding="utf-8")
    (root / "show.json").write_text(json.dumps({"boxes": str(boxes)}), encoding="utf-8")
    return folder


def _lock(path: Path) -> None:
    """Make this process the only one that starts a show here, until it ends. Of two at once, one raises VjError."""
    try:
        import fcntl
    except ImportError:  # Windows
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)  # the system lets go of it when the process ends
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as err:
        raise VjError("another show is just being started; `vj` attaches to it") from err


def _clear(root: Path, resume: str) -> None:
    """Take away what a show before left behind, its mailboxes too; the saved desks are put where they belong."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        boxes = Path(json.loads((root / "show.json").read_text(encoding="utf-8"))["boxes"])
        if boxes.name.startswith("vj-"):
            shutil.rmtree(boxes, ignore_errors=True)
    for name in ("show.json", "door.json", "stop", "desk.begun", *(path.name for path in root.glob("*.pid"))):
        (root / name).unlink(missing_ok=True)
    _put_desk(root / "desk.json", root / "desk.before.json", resume)


def _put_desk(desk: Path, before: Path, resume: str) -> None:
    """Have the desk that is resumed in its place. The last one is kept, for a show begun in haste without `--resume`.

    Going on from the one before changes places: what the last show's desk saved is then the one before.
    """
    if resume == "before" and before.exists():
        aside = desk.with_suffix(".aside")
        before.replace(aside)
        if desk.exists():
            desk.replace(before)
        aside.replace(desk)
    elif not resume and desk.exists():
        desk.replace(before)


def table(plan: Plan) -> list[Part]:
    """The processes of a show, in the order they start. The program first: it shows the standby picture at once."""
    names = ["program", *(f"sink-{n}" for n in range(len(plan.sinks))), "engine", "desk"]
    return [Part(name, STALE_S[name.partition("-")[0]], (*VJ, "part", name)) for name in names]


def keep(folder: Folder, plan: Plan, started: float, for_s: float = 0.0, is_reporting: bool = True) -> None:
    """Run the show until it is told to stop or `for_s` seconds have passed; a JSON line a second on stdout."""
    told = _told(folder)
    keeper = Keeper(folder, table(plan))
    pulse = Pulse(folder.pulse("keeper"), every_s=0.2)
    next_line, lines = started + 1.0, Lines(sys.stdout.fileno()) if is_reporting else None
    try:
        keeper.start()
        while not told() and not (for_s and time.monotonic() - started >= for_s):
            now = time.monotonic()
            try:
                keeper.turn(now)
                pulse.beat(keeper.report)
                if lines and now >= next_line:
                    next_line += 1.0 + max(0.0, now - next_line - 1.0)
                    lines.put(status(folder, plan, started))
            except Exception:  # a full disk, a lost folder: whatever the keeper trips over, the show goes on
                log.exception("keeper: tripped, and goes on")
                time.sleep(1.0)
            time.sleep(1.0 / KEEPER_FPS)
    finally:
        with contextlib.suppress(OSError):
            (folder.root / "stop").touch()
        keeper.stop()
        close(folder)


class Lines:
    """Writes JSON lines from a thread of its own: a reader that stalls or has gone must not stop the keeper.

    A line that comes while the reader has not taken the one before is dropped.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._waiting: queue.Queue[bytes] = queue.Queue(1)
        threading.Thread(target=self._write, daemon=True, name="lines").start()

    def put(self, line: dict[str, Any]) -> None:
        """Hand over a line. Never waits."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(json.dumps(line).encode() + b"\n")

    def _write(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                raw = self._waiting.get()
                while raw:
                    raw = raw[os.write(self._descriptor, raw) :]


def _told(folder: Folder) -> Callable[[], bool]:
    if hasattr(signal, "SIGHUP"):  # a terminal that is closed does not end the show
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signals: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, _frame: signals.append(got))
    return lambda: bool(signals) or (folder.root / "stop").exists()


def stop(folder: Folder, timeout_s: float = 12.0) -> None:
    """End the running show: asked first, then ended. Works with and without a living keeper."""
    (folder.root / "stop").touch()
    until = time.monotonic() + timeout_s
    while time.monotonic() < until and any(map(is_alive, pids(folder).values())):
        time.sleep(0.05)
    for pid in pids(folder).values():
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            # Ids are given again: a stranger that now has the id of a part that died must live.
            if any(Path(word).name.startswith("vj") for word in process.cmdline()[:4]):
                process.kill()
    close(folder)


def close(folder: Folder) -> None:
    """Leave nothing behind: mailboxes and pid files go, plan, logs and the saved desk stay."""
    shutil.rmtree(folder.boxes, ignore_errors=True)
    for path in (*folder.root.glob("*.pid"), *(folder.root / name for name in ("show.json", "door.json", "stop"))):
        path.unlink(missing_ok=True)

"""The running show as others find it: its plan, its folder of mailboxes, and the door for changes.

One show runs for one user and one `VJ_RUNTIME`; everything it shares lies in one folder that names its processes.
"""

import json
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from vj.changes import Change
from vj.mailboxes import SharedFrames, SharedText

LOOK_BYTES = 1 << 16
PULSE_BYTES = 1 << 18
MAX_FRAME_BYTES = 3840 * 2160 * 3


# -P: a file called engine.py or vj.py in the folder the show is started from must not stand in for ours.
VJ = (sys.executable, "-P", "-m", "vj")


def environment(root: Path) -> dict[str, str]:
    """What a process of the show in this folder is started with."""
    ours = str(Path(__file__).resolve().parent.parent)
    paths = [ours, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "VJ_RUNTIME": str(root)}


@dataclass(frozen=True, slots=True)
class PlannedSong:
    """One song of a show file: the path of its cue file, and the preset it begins with by name or path, or ""."""

    title: str
    cues: str
    preset: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a show was asked to be; written once before its first process starts."""

    width: int = 640
    height: int = 360
    fps: float = 30.0
    guide: str = "shipped"
    device: str = "auto"
    preset: str = "live"
    values: Mapping[str, Any] = field(default_factory=dict)
    cues: str = ""
    show: str = ""  # the show file's name, "" without one
    songs: tuple[PlannedSong, ...] = ()
    bank: tuple[str, ...] = ()
    wait: bool = False
    mappings: tuple[str, ...] = ()
    sinks: tuple[str, ...] = ("browser",)
    osc: str = "127.0.0.1:9000"
    midi_in: tuple[str, ...] = ()
    seed: int = 0
    strict: bool = False
    resume: str = ""  # go on from the "last" show's desk, or from the one "before" it
    cores: int = 0
    compile_mode: str = ""  # that of `engine.compiled`; "" is fused kernels on a GPU

    def to_json(self) -> str:
        """The plan as one JSON object."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """Read back `to_json`."""
        data = json.loads(text)
        for name in ("mappings", "sinks", "midi_in", "bank"):
            data[name] = tuple(data[name])
        data["songs"] = tuple(PlannedSong(**song) for song in data["songs"])
        return cls(**data)


def runtime_root() -> Path:
    """The folder that running shows are found in: `$VJ_RUNTIME`, else the user's own."""
    chosen = os.environ.get("VJ_RUNTIME")
    return Path(chosen) if chosen else Path(platformdirs.user_state_path("vj")) / "show"


def shared_memory_root() -> Path:
    """Where mailboxes lie: memory where the system offers enough of it as files, else the temporary folder."""
    memory = Path("/dev/shm")  # noqa: S108 - memory, and the show makes a private folder in it
    is_there = memory.is_dir() and os.access(memory, os.W_OK)
    # Containers give 64 MB by default, and a process that writes beyond them is killed by the system (SIGBUS).
    is_enough = is_there and shutil.disk_usage(memory).free > 8 * MAX_FRAME_BYTES
    return memory if is_enough else Path(tempfile.gettempdir())


@dataclass(frozen=True, slots=True)
class Folder:
    """The files of one show. `boxes` holds the mailboxes, `logs` the processes' output."""

    root: Path
    boxes: Path
    logs: Path

    def plan(self) -> Plan:
        """The plan the show was started with."""
        return Plan.from_json((self.root / "plan.json").read_text(encoding="utf-8"))

    def look(self) -> SharedText:
        """The newest look, as JSON (`Look.from_json`); written by the desk."""
        return SharedText(self.boxes / "look")

    def frames(self) -> SharedFrames:
        """The engine's newest frame, at canvas size or `upscale` times as large."""
        return SharedFrames(self.boxes / "frame")

    def program(self) -> SharedFrames:
        """The program's newest frame, at program size; what the audience gets."""
        return SharedFrames(self.boxes / "program")

    def pulse(self, part: str) -> SharedText:
        """What a part last reported of itself, as JSON: desk, engine, program, keeper, sink-0, sink-1 …"""
        return SharedText(self.boxes / f"pulse-{part}")

    def door(self) -> tuple[str, int, str] | None:
        """Host, port and token of the desk's control socket, or None while there is no desk."""
        try:
            data = json.loads((self.root / "door.json").read_text(encoding="utf-8"))
            return str(data["host"]), int(data["port"]), str(data["token"])
        except (OSError, ValueError, KeyError, TypeError):
            return None


def running_show() -> Folder | None:
    """The show that runs for this user, found by its folder, or None. A folder of dead processes is no show."""
    root = runtime_root()
    try:
        boxes = Path(json.loads((root / "show.json").read_text(encoding="utf-8"))["boxes"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    folder = Folder(root, boxes, root / "logs")
    return folder if folder.boxes.is_dir() and any(map(is_alive, pids(folder).values())) else None


def pids(folder: Folder) -> dict[str, int]:
    """Process id of every part that has reported one, and of the keeper, from files beside the pulses."""
    found: dict[str, int] = {}
    for path in folder.root.glob("*.pid"):
        try:
            found[path.stem] = int(path.read_text())
        except (OSError, ValueError):
            continue
    return found


def is_alive(pid: int) -> bool:
    """Whether a process of this id runs and is not a zombie."""
    import psutil

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except (psutil.Error, ValueError, OverflowError):
        return False


class Door:
    """A client's way to the desk: sends changes, one JSON object a line. Reconnects by itself when the desk returns."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._socket: socket.socket | None = None

    def send(self, change: Change) -> bool:
        """Send a change to the desk; False when no desk took it, and nothing is kept for later."""
        line = json.dumps(change.to_json()).encode() + b"\n"
        for _ in range(2):  # the second try is with a fresh connection: the desk may have been restarted
            try:
                if self._socket is None:
                    self._socket = self._connect()
                self._socket.sendall(line)
                if answer := self._socket.recv(1):
                    return answer == b"."
                self.close()  # hung up: that desk has ended
            except TimeoutError:  # taken or not, nobody knows: sent again, it might be done twice
                self.close()
                return False
            except OSError:
                self.close()
        return False

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _connect(self) -> socket.socket:
        door = self._folder.door()
        if door is None:
            raise ConnectionRefusedError("no desk")
        host, port, token = door
        link = socket.create_connection((host, port), timeout=1.0)
        link.sendall(json.dumps({"token": token}).encode() + b"\n")
        return link

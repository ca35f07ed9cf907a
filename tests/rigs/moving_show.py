"""A show folder that moves without a show: pulses and frames as the parts write them, and a real door.

Used by the dashboard's tests; as a script it moves until it is stopped, so that the dashboard can be looked at:
`VJ_RUNTIME=/tmp/moving python tests/rigs/moving_show.py` and in another terminal `VJ_RUNTIME=/tmp/moving vj`.
"""

import json
import math
import os
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.parameters import PARAMETERS
from vj.changes import Change
from vj.controls.door import Door
from vj.mailboxes import Frame, SharedFrames, SharedText
from vj.runtime import PULSE_BYTES, Folder, Plan, runtime_root

LINES = (
    "a red lighthouse in a storm",
    "the sea turns to glass",
    "and every window is on fire",
    "we walk on frozen rain",
)


class MovingShow:
    """Owns the mailboxes of a pretended show, its door, and the changes that came through it."""

    def __init__(self, root: Path, plan: Plan | None = None, size: tuple[int, int] = (640, 360)) -> None:
        boxes, self.plan, self.size = root / "boxes", plan or Plan(sinks=("browser", "record:show.mp4")), size
        boxes.mkdir(parents=True, exist_ok=True)
        (root / "logs").mkdir(exist_ok=True)
        (root / "plan.json").write_text(self.plan.to_json(), encoding="utf-8")
        (root / "show.json").write_text(json.dumps({"boxes": str(boxes)}), encoding="utf-8")
        (root / "keeper.pid").write_text(str(os.getpid()))
        self.folder = Folder(root, boxes, root / "logs")
        self.program = SharedFrames(boxes / "program", size[0] * size[1] * 3)
        sinks = [f"sink-{n}" for n in range(len(self.plan.sinks))]
        self.parts = ("desk", "engine", "program", "keeper", *sinks)
        self._boxes = {part: SharedText(boxes / f"pulse-{part}", PULSE_BYTES) for part in self.parts}
        self.changes: list[Change] = []
        self.look = {name: row.default for name, row in PARAMETERS.items()}
        self.look |= {"prompt_1": "wet asphalt, neon", "weight_1": 0.6, "prompt_4": "people", "weight_4": -0.5}
        self.facts: dict[str, dict[str, Any]] = {part: {} for part in self.parts}
        self.door = Door(root / "door.json", self.take, lambda line: None)
        self.door.start()
        self._count = 0
        # Parts that say nothing; frames come unless the show is still.
        self.quiet: set[str] = set()
        self.is_still = False
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._move, daemon=True)

    def take(self, change: Change) -> None:
        """Keep a change, and make the simple ones, so that the screen answers."""
        self.changes.append(change)
        if change.action == "set":
            self.look[change.parameter] = change.value
        elif change.action == "toggle":
            self.look[change.parameter] = not self.look[change.parameter]
        elif change.action == "nudge":
            row = PARAMETERS[change.parameter]
            self.look[row.name] = row.checked(float(self.look[row.name]) + change.value)

    def beat(self, part: str, at: float | None = None) -> None:
        """Write one part's pulse, said `at` (monotonic; default now), with what `facts` says otherwise."""
        now = time.monotonic()
        usual = _SAYS[part.partition("-")[0]](self, part, now)
        said = {"pid": os.getpid(), "at": now if at is None else at, **usual, **self.facts[part]}
        self._boxes[part].put(json.dumps(said))

    def move(self) -> None:
        """Begin to turn, five times a second."""
        self.turn()
        self._thread.start()

    def _move(self) -> None:
        while not self._ending.wait(0.2):
            self.turn()

    def turn(self) -> None:
        """One pulse of every part that is not quiet, and a frame."""
        for part in self.parts:
            if part not in self.quiet:
                self.beat(part)
        if not self.is_still:
            self._count += 1
            self.program.put(Frame(_picture(self.size, time.monotonic(), self.look), self._count, is_painted=True))

    def close(self) -> None:
        """Take everything away, as a show does that ends."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        self.door.stop()
        for box in (*self._boxes.values(), self.program):
            box.close()
        for file in self.folder.boxes.iterdir():
            file.unlink()
        self.folder.boxes.rmdir()


def _picture(size: tuple[int, int], t: float, look: Mapping[str, Any]) -> Any:
    width, height = size
    if look["blackout"]:
        return np.zeros((height, width, 3), np.uint8)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / height
    waves = [np.sin(6 * x * (1 + 0.2 * k) + t * (0.7 + 0.2 * k) + 4 * np.sin(3 * y + t * 0.4 + k)) for k in range(3)]
    rgb = np.stack([90 + 80 * wave for wave in waves], -1)
    rgb[np.hypot(x - 0.9 - 0.4 * math.sin(t / 3), y - 0.5) < 0.22] = (235, 190, 90)
    return rgb.astype(np.uint8)


def _desk(show: MovingShow, _part: str, now: float) -> dict[str, Any]:
    n = int(now / 8) % len(LINES)
    return {
        "look": show.look,
        "line": LINES[n],
        "next_line": LINES[(n + 1) % len(LINES)],
        "blend": now / 8 % 1,
        "moved": {
            "temperature": ["midi nanoKONTROL2 cc 16", now - 2.0],
            "weight_1": ["osc 127.0.0.1", now - 75.0],
            "contrast": ["key", now - 12.0],
        },
        "cue": {"index": n + 1, "text": LINES[n], "next": LINES[(n + 1) % 4], "progress": now / 8 % 1,
                "position_s": now % 240, "count": 4, "state": "running"},
        "song": "Night Ferry", "preset": "live", "presets": ["glass", "live", "paper"],
        "inputs": {
            "osc": {"received": 1204, "clamped": 3, "refused": 1, "address": "127.0.0.1:9000",
                    "last_refused": "/vj/temprature"},
            "midi": {"ports": ["nanoKONTROL2"], "reason": "", "received": 332, "refused": 0},
            "keys": {"received": len(show.changes), "refused": 0},
        },
        "monitor": [f"21:1{k}:04 midi nanoKONTROL2 cc 16 = {40 + k}" for k in range(9)],
        "log": ["21:10:00 show started", "21:10:02 guide loaded in 1.4 s", "21:12:40 preset live recalled by key"],
        "faults": [], "undo": 4,
    }  # fmt: skip


def _engine(show: MovingShow, _part: str, now: float) -> dict[str, Any]:
    return {"state": "painting", "fps": 14.8, "steps": 2, "crops": 3, "step_ms": 18.2, "frame_ms": 66.0,
            "guide": "shipped", "device": "cpu", "canvas": [320, 180], "memory_mb": 410.0,
            "governor": "2 of 2 steps, 3 of 4 crops to hold 15 fps", "notes": [], "gpu_unused": ""}  # fmt: skip


def _program(show: MovingShow, _part: str, now: float) -> dict[str, Any]:
    return {"fps": 30.0, "gap_p99_ms": 38.2, "latency_ms": 142.0, "holding": False, "painted": True,
            "size": list(show.size), "memory_mb": 96.0}  # fmt: skip


def _sink(show: MovingShow, part: str, now: float) -> dict[str, Any]:
    spec = show.plan.sinks[int(part.partition("-")[2])]
    where = {"url": "http://127.0.0.1:8080/"} if spec.startswith("browser") else {"path": "show.mp4"}
    return {"spec": spec, "state": "ok", "fps": 29.9, "sent": 900, "error": "", "memory_mb": 60.0, **where}


def _keeper(show: MovingShow, _part: str, now: float) -> dict[str, Any]:
    parts = {part: {"pid": 1, "state": "running", "restarts": 0, "reason": ""} for part in show.parts}
    return {"parts": parts, "started_at": now}


_SAYS = {"desk": _desk, "engine": _engine, "program": _program, "sink": _sink, "keeper": _keeper}


def main() -> None:
    """Move in `VJ_RUNTIME` until stopped, at 12 frames a second; the words given are parts that stay quiet."""
    root = runtime_root()
    root.mkdir(parents=True, exist_ok=True)
    show = MovingShow(root)
    show.quiet = set(sys.argv[1:])
    try:
        while True:
            show.turn()
            time.sleep(1 / 15)
    except KeyboardInterrupt:
        show.close()


if __name__ == "__main__":
    main()

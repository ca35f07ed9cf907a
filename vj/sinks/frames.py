"""The frames sink: the program as numbered PNG files. Numbering goes on where an earlier show stopped."""

import logging
import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vj.errors import DeviceError, UsageError
from vj.mailboxes import Rgb
from vj.sinks.png import Png
from vj.sinks.writer import Writer

log = logging.getLogger("vj.sinks.frames")

_NAME = re.compile(r"frame-(\d+)\.png")

# Frames that may wait for the disk; more of them would only be memory, a disk that slow never catches up.
_WAITING = 8


class Frames:
    """Writes `DIR/frame-000001.png` and on. A disk too slow for the program costs frames, counted, never time."""

    def __init__(self, argument: str) -> None:
        """Raises UsageError when no folder is named."""
        if not argument:
            raise UsageError("frames needs a folder, as in frames:pictures")
        self.folder = Path(argument).expanduser()
        self._next = 1
        self._writer: Writer[tuple[int, Rgb]] | None = None
        self._png: Png | None = None  # the writer's thread makes and uses it

    def check(self) -> None:
        """Raise UsageError when the folder is a file, cannot be made or cannot be written to."""
        if self.folder.exists() and not self.folder.is_dir():
            raise UsageError(f"frames: {str(self.folder)!r} is a file, not a folder")
        beside = self.folder if self.folder.exists() else self.folder.parent
        if not beside.is_dir():
            raise UsageError(f"frames: there is no folder {str(beside)!r} to make {self.folder.name!r} in")
        if not os.access(beside, os.W_OK):
            raise UsageError(f"frames: nothing can be written into the folder {str(beside)!r}")

    def open(self, width: int, height: int, fps: float) -> None:
        """Make the folder if need be and find the next free number. Raises DeviceError."""
        try:
            self.folder.mkdir(exist_ok=True)
            found = [_NAME.fullmatch(path.name) for path in self.folder.iterdir()]
        except OSError as error:
            raise DeviceError(f"frames: {self.folder} cannot be used: {error.strerror or error}") from error
        self._next = 1 + max((int(match[1]) for match in found if match), default=0)
        self._writer = Writer("frames", self._write, _WAITING)

    def send(self, rgb: Rgb) -> None:
        """Hand over a frame. Raises DeviceError once writing has failed."""
        if self._writer is None:
            return
        dropped = self._writer.dropped
        self._writer.offer((self._next, rgb.copy()))
        # A dropped frame leaves no gap in the numbers: ffmpeg and editors stop reading at one.
        self._next += self._writer.dropped == dropped

    def report(self) -> dict[str, Any]:
        """`path` of the folder, `written` and `dropped` frames."""
        writer = self._writer
        return {
            "path": str(self.folder),
            "written": writer.written if writer else 0,
            "dropped": writer.dropped if writer else 0,
        }

    def close(self) -> None:
        """Write what waits."""
        if self._writer is not None and not self._writer.close():
            log.warning("frames: the disk does not answer; the last frames are lost")

    def _write(self, item: tuple[int, Rgb]) -> None:
        number, rgb = item
        path = self.folder / f"frame-{number:06d}.png"
        # Renamed when whole, so that a kill leaves no half picture under a picture's name.
        draft = path.with_suffix(".png.new")
        draft.write_bytes(self._encode(rgb))
        draft.replace(path)

    def _encode(self, rgb: Rgb) -> bytes:
        if self._png is None:
            self._png = Png(rgb.shape[1], rgb.shape[0])
        # Bytes are cheaper than lost frames: with others waiting, a frame is stored uncompressed.
        return self._png.encode(rgb, quick=bool(self._writer and self._writer.waiting() > 1))

    @staticmethod
    def reason() -> str:
        """Why this sink cannot be had here, or ""."""
        return "" if find_spec("av") else "PyAV is not installed: pip install av"

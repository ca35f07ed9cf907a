"""The record sink: the program as an MP4 file. Nothing that is already there is ever overwritten."""

import logging
import os
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vj.errors import DeviceError, UsageError
from vj.mailboxes import Rgb
from vj.sinks.mp4 import Mp4
from vj.sinks.writer import Writer

log = logging.getLogger("vj.sinks.record")

# Frames may wait for a disk that wakes up: a second of them, in no more memory than this.
_WAITING_BYTES = 64 << 20


class Record:
    """Writes H.264 into `FILE.mp4`, stamped with the time each frame came. Owns the file and its writer's thread."""

    def __init__(self, argument: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises UsageError when no `.mp4` file is named."""
        if not argument:
            raise UsageError("record needs a file, as in record:show.mp4")
        self._asked = Path(argument).expanduser()
        if self._asked.suffix.lower() != ".mp4":
            raise UsageError(f"record writes .mp4 files, not {self._asked.name!r}; say record:{self._asked.stem}.mp4")
        self._clock = clock
        self._file: Mp4 | None = None
        self._writer: Writer[tuple[Rgb, float]] | None = None
        self._began_s: float | None = None
        self._seconds = 0.0

    def check(self) -> None:
        """Raise UsageError when the folder is missing or cannot be written to."""
        folder = self._asked.parent
        if not folder.is_dir():
            raise UsageError(f"record: there is no folder {str(folder)!r} to put {self._asked.name!r} in")
        if not os.access(folder, os.W_OK):
            raise UsageError(f"record: nothing can be written into the folder {str(folder)!r}")

    def open(self, width: int, height: int, fps: float) -> None:
        """Make the file, or a numbered one beside it when it is there already. Raises DeviceError."""
        path = self._asked
        number = 1
        while self._file is None:
            try:
                self._file = Mp4(path, width, height, fps)
            except FileExistsError:
                number += 1
                path = self._asked.with_stem(f"{self._asked.stem}-{number}")
            except OSError as error:
                raise DeviceError(f"record: {error.strerror or error}; {path} cannot be written") from error
        if number > 1:
            log.info("record: %s is kept, recording to %s", self._asked.name, path.name)
        depth = min(round(fps), _WAITING_BYTES // (width * height * 3))
        self._writer = Writer("record", self._write, depth)

    def send(self, rgb: Rgb) -> None:
        """Hand over a frame with the time it came. Raises DeviceError once writing has failed."""
        if self._writer is None:
            return
        now = self._clock()
        self._began_s = now if self._began_s is None else self._began_s
        self._seconds = now - self._began_s
        self._writer.offer((rgb.copy(), self._seconds))

    def report(self) -> dict[str, Any]:
        """`path`, `asked` (the path asked for), `seconds`, `bytes`, `written` and `dropped` frames.

        Also `state` and `fps` as long as no picture is in the file: what the encoder took is not yet recorded.
        """
        if self._file is None or self._writer is None:
            return {"path": "", "asked": str(self._asked)}
        return {
            "path": str(self._file.path),
            "asked": str(self._asked),
            "seconds": round(self._seconds, 1),
            "bytes": self._file.size_bytes(),
            "written": self._writer.written,
            "dropped": self._writer.dropped,
            **({} if self._file.has_pictures() else {"state": "opening", "fps": 0.0}),
        }

    def close(self) -> None:
        """Write what waits and finish the file. What a failing disk cannot take is lost, and said in the log."""
        if self._writer is None or self._file is None:
            return
        if not self._writer.close():
            log.warning("record: the disk does not answer; %s plays up to here", self._file.path)
            return
        try:
            self._file.close()
        except OSError:
            log.exception("record: %s could not be finished; it plays up to the last half second", self._file.path)

    def _write(self, item: tuple[Rgb, float]) -> None:
        if self._file is not None:
            self._file.write(*item)

    @staticmethod
    def reason() -> str:
        """Why this sink cannot be had here, or ""."""
        return "" if find_spec("av") else "PyAV is not installed: pip install av"

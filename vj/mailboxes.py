"""Mailboxes: shared memory holding the newest value of one thing. The writer never waits; nobody reads half a value.

A mailbox is a memory-mapped file of several buffers. The writer fills the oldest buffer and then publishes its
number; a reader copies the newest buffer and checks its sequence number before and after, and a checksum where the
value is small, so that it holds on processors that reorder writes too. A file, not `SharedMemory`: before Python 3.13
the resource tracker unlinks a segment when any process that attached to it dies.
"""

import mmap
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]

# Four buffers: with two, a reader slower than the writer would keep meeting a value being written.
_BUFFERS = 4
_TOP = struct.Struct("<8sQQ")  # magic, size of one buffer, newest sequence number
_HEAD = struct.Struct("<QQIIII4d")  # sequence before, sequence after, length, height, width, checksum, four numbers
_NUMBER = struct.Struct("<Q")
_MAGIC = b"vjbox-1\0"
_TRIES = 50


@dataclass(frozen=True, slots=True)
class Frame:
    """One finished picture, uint8 RGB (h, w, 3), and what it was made from.

    `painted_at` is the monotonic clock of this machine in seconds. `look` is the serial of the look it was painted
    from; 0 and `is_painted` false mean a standby picture, before the engine has painted anything.
    """

    rgb: Rgb
    number: int = 0
    painted_at: float = 0.0
    look: int = 0
    is_painted: bool = False


class FrameMailbox(Protocol):
    """Where the newest frame is."""

    def put(self, frame: Frame) -> None:
        """Publish a frame. Never waits."""
        ...

    def newest(self, after: int = -1) -> Frame | None:
        """A copy of the newest frame if its number is greater than `after`, else None."""
        ...


class TextMailbox(Protocol):
    """Where the newest text is, in practice one JSON object."""

    def put(self, text: str) -> None:
        """Publish a text. Never waits."""
        ...

    def newest(self) -> str | None:
        """The newest text, or None before the first."""
        ...


class _Shared:
    """A memory-mapped mailbox of raw bytes. The process that calls `put` owns the sequence number."""

    def __init__(self, path: Path, capacity: int, create: bool) -> None:
        self.path = path
        if create:
            # Made under another name and renamed, so that a reader never maps a file that is still growing.
            draft = path.with_suffix(".new")
            size = _TOP.size + _BUFFERS * (_HEAD.size + capacity)
            with draft.open("wb") as file:
                file.truncate(size)
                file.seek(0)
                file.write(_TOP.pack(_MAGIC, capacity, 0))
            draft.replace(path)
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        magic, self.capacity, _ = _TOP.unpack_from(self._map, 0)
        if magic != _MAGIC:
            raise ValueError(f"{path.name} is not a mailbox")

    def put(self, data: memoryview, shape: tuple[int, int], numbers: tuple[float, float, float, float]) -> None:
        if len(data) > self.capacity:
            raise ValueError(f"{self.path.name}: {len(data)} bytes do not fit into {self.capacity}")
        sequence = self._newest_number() + 1
        at = self._at(sequence)
        checksum = zlib.crc32(data) if len(data) < 1 << 18 else 0
        _HEAD.pack_into(self._map, at, sequence, 0, len(data), *shape, checksum, *numbers)
        self._map[at + _HEAD.size : at + _HEAD.size + len(data)] = data
        struct.pack_into("<Q", self._map, at + 8, sequence)
        # Copied in one piece: pack_into writes zeros first, and a reader that met them would take the box for empty.
        self._map[16:24] = _NUMBER.pack(sequence)

    def newest(self, after: float) -> tuple[bytes, tuple[int, int], tuple[float, ...]] | None:
        for _ in range(_TRIES):
            sequence = self._newest_number()
            if not sequence:
                return None
            at = self._at(sequence)
            head = _HEAD.unpack_from(self._map, at)
            if head[0] != sequence or head[1] != sequence or head[2] > self.capacity:
                continue
            if head[6] <= after:
                return None
            data = self._map[at + _HEAD.size : at + _HEAD.size + head[2]]
            if _HEAD.unpack_from(self._map, at)[:2] != (sequence, sequence):
                continue
            if head[5] and zlib.crc32(data) != head[5]:
                continue
            return data, (head[3], head[4]), head[6:]
        return None

    def numbers(self) -> tuple[float, ...]:
        """The four numbers of the newest value, zeros where there is none or it is just being written over."""
        sequence = self._newest_number()
        head = _HEAD.unpack_from(self._map, self._at(sequence))
        return head[6:] if sequence and head[:2] == (sequence, sequence) else (0.0,) * 4

    def _newest_number(self) -> int:
        return int(_NUMBER.unpack(self._map[16:24])[0])

    def _at(self, sequence: int) -> int:
        return int(_TOP.size + (sequence % _BUFFERS) * (_HEAD.size + self.capacity))

    def close(self) -> None:
        self._map.close()


class SharedFrames:
    """A frame mailbox in shared memory. `capacity` is in bytes; every size up to it fits."""

    def __init__(self, path: Path, capacity: int = 0) -> None:
        """Create the mailbox when `capacity` is given, else open it. Raises OSError or ValueError."""
        self._shared = _Shared(path, capacity, bool(capacity))

    def put(self, frame: Frame) -> None:
        """Publish a frame. Raises ValueError when it is larger than the mailbox."""
        rgb = np.ascontiguousarray(frame.rgb)
        numbers = (float(frame.number), frame.painted_at, float(frame.look), float(frame.is_painted))
        self._shared.put(rgb.data.cast("B"), (rgb.shape[0], rgb.shape[1]), numbers)

    def newest(self, after: int = -1) -> Frame | None:
        """A copy of the newest frame if its number is greater than `after`, else None."""
        found = self._shared.newest(float(after))
        if found is None:
            return None
        data, (height, width), (number, painted_at, look, is_painted) = found
        rgb = np.frombuffer(data, np.uint8).reshape(height, width, 3)
        return Frame(rgb, int(number), painted_at, int(look), bool(is_painted))

    def painted_at(self) -> float:
        """When the newest frame was painted, 0.0 before the first; copies no frame."""
        return self._shared.numbers()[1]

    def close(self) -> None:
        """Unmap; the file stays."""
        self._shared.close()


class SharedText:
    """A text mailbox in shared memory."""

    def __init__(self, path: Path, capacity: int = 0) -> None:
        """Create the mailbox when `capacity` (bytes) is given, else open it. Raises OSError or ValueError."""
        self._shared = _Shared(path, capacity, bool(capacity))

    def put(self, text: str) -> None:
        """Publish a text. Raises ValueError when it is larger than the mailbox."""
        self._shared.put(memoryview(text.encode()), (0, 0), (0.0, 0.0, 0.0, 0.0))

    def newest(self) -> str | None:
        """The newest text, or None before the first."""
        found = self._shared.newest(-1.0)
        return found[0].decode() if found else None

    def close(self) -> None:
        """Unmap; the file stays."""
        self._shared.close()


class MemoryFrames:
    """A frame mailbox inside one process, for tests."""

    def __init__(self) -> None:
        self._frame: Frame | None = None

    def put(self, frame: Frame) -> None:
        """Publish a frame."""
        self._frame = frame

    def newest(self, after: int = -1) -> Frame | None:
        """The newest frame if its number is greater than `after`, else None."""
        return self._frame if self._frame and self._frame.number > after else None


class MemoryText:
    """A text mailbox inside one process."""

    def __init__(self) -> None:
        self._text: str | None = None

    def put(self, text: str) -> None:
        """Publish a text."""
        self._text = text

    def newest(self) -> str | None:
        """The newest text, or None before the first."""
        return self._text

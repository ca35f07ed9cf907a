"""An MP4 file of H.264 pictures with their real time stamps, which plays even when its writer is killed."""

import contextlib
import io
import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from vj.errors import DeviceError
from vj.mailboxes import Rgb
from vj.sinks.even import even, even_size

# The clock of RTP and MPEG-TS: every stamp is rounded by less than 6 µs.
_TICKS = 90_000

# Fragments of half a second go to the file as they end, so that at most that and the encoder's own delay is lost by a
# kill. "hybrid": a file that is closed becomes an ordinary MP4 with one index, which every editor opens.
_CONTAINER = {
    "movflags": "frag_keyframe+empty_moov+default_base_moof+hybrid_fragmented",
    "frag_duration": "500000",
    "flush_packets": "1",
}

# No B-frames and a short look-ahead: fewer frames inside the encoder when the process dies. crf 18: visually lossless.
_ENCODER = {"preset": "veryfast", "crf": "18", "bf": "0", "rc-lookahead": "10"}

_BT709 = 1  # the code of BT.709 for matrix, primaries and transfer (ITU-T H.273 tables 2 to 4)
_LIMITED = 1  # FFmpeg's code for levels 16..235


class Mp4:
    """One file being written. Owns the encoder, the container and the file; not to be shared between threads."""

    def __init__(self, path: Path, width: int, height: int, fps: float) -> None:
        """Make the file. Raises FileExistsError, DeviceError where H.264 cannot be had, OSError; leaves none then."""
        self.path = path
        self._size = even_size(width, height)
        self._last = -1
        self._is_broken = False
        self._container: Any = None
        self._file = _WholeFile(path, "xb")
        try:
            # The first fragment at a bit a pixel, more than most shows need: what fits is proven, before an encoder is
            # opened for nothing at every try to go on.
            self._file.try_for(round(width * height * fps / 16))
            self._begin(fps)
            self._head_bytes = self._bytes = self._file.tell()
        except BaseException:
            self._drop()
            raise

    def write(self, rgb: Rgb, at_s: float) -> None:
        """Add a picture shown from `at_s` seconds after the start; a stamp that is not later than the last is moved."""
        import av

        picture = av.VideoFrame.from_ndarray(even(rgb), format="rgb24")
        # The matrix is really BT.709, not only tagged so: a 601 picture with a 709 tag shows red as orange.
        picture = picture.reformat(*self._size, "yuv420p", dst_colorspace=_BT709, dst_color_range=_LIMITED, threads=1)
        self._last = max(self._last + 1, round(at_s * _TICKS))
        picture.pts, picture.time_base = self._last, Fraction(1, _TICKS)
        self._mux(picture)

    def size_bytes(self) -> int:
        """How long the file is by now, or was when it was closed."""
        if not self._file.closed:
            self._bytes = os.fstat(self._file.fileno()).st_size
        return self._bytes

    def has_pictures(self) -> bool:
        """Whether there is more in the file than its head: the encoder and the fragment keep the first second back."""
        return self.size_bytes() > self._head_bytes

    def close(self) -> None:
        """Write what the encoder still holds and the index; a file without a picture is removed.

        Raises OSError when the disk cannot take it. After a failed `write` nothing more is written: the file plays as
        a killed one does, and FFmpeg could die of going on.
        """
        try:
            if self._last >= 0 and not self._is_broken:
                self._mux(None)
                self._do(self._container.close)
                self._do(self._file.write_head)
        finally:
            if self.has_pictures():
                self._let_go()
            else:
                self._drop()

    def _begin(self, fps: float) -> None:
        """Open the encoder and write the head at once: a disk that takes nothing is known before the first picture."""
        import av  # FFmpeg comes with it: only the process that records loads it

        try:
            self._container = av.open(self._file, "w", format="mp4", options=_CONTAINER)
            self._stream = self._add_stream(fps)
            self._container.start_encoding()
        except (av.FFmpegError, ValueError, OSError) as error:
            self._file.raise_fault()
            raise DeviceError(f"record: this FFmpeg cannot write H.264 into MP4: {error}") from error

    def _drop(self) -> None:
        """Let go of a file nobody can play and remove it, as far as the disk lets us."""
        self._let_go()
        with contextlib.suppress(OSError):
            self.path.unlink()

    def _let_go(self) -> None:
        """Close the file, and then free the encoder: in this order a container not yet finished writes no index."""
        import av

        self._file.close()
        if self._container is not None:
            with contextlib.suppress(av.FFmpegError, ValueError, OSError):  # PyAV 17 tries the index all the same
                self._container.close()

    def _add_stream(self, fps: float) -> Any:
        stream = self._container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001), options=_ENCODER)
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuv420p"
        codec = stream.codec_context
        codec.time_base = Fraction(1, _TICKS)
        codec.gop_size = max(1, round(fps))  # a key picture a second: scrubbing stays quick
        codec.thread_count = 2  # each further one holds back a frame, and takes a core from the engine
        codec.color_range = _LIMITED
        codec.colorspace = codec.color_primaries = codec.color_trc = _BT709
        return stream

    def _mux(self, picture: Any) -> None:
        self._do(lambda: self._container.mux(self._stream.encode(picture)))

    def _do(self, step: Callable[[], None]) -> None:
        """Take a step of FFmpeg's; one that fails is the last. Raises OSError, in the disk's words if it has any."""
        import av

        self._is_broken = True
        try:
            step()
            self._file.raise_fault()
        except (av.FFmpegError, ValueError, OSError) as error:
            what = self._file.fault.strerror if self._file.fault else str(error)
            where = "plays up to here" if self.has_pictures() else "has no picture yet"
            raise OSError(f"{what}; {self.path.name} {where}") from error
        self._is_broken = False


class _WholeFile(io.FileIO):
    """An unbuffered file whose `write` writes all of it or raises: FFmpeg does not look at how much was taken.

    Owns `fault`, that of the first write that failed: every later one fails with it, also where there is room again.
    Owns the new head FFmpeg gives a file at its end, and writes it last: the head points to the index, and FFmpeg 8.0
    changes it before the disk has taken the index.
    """

    def __init__(self, path: Path, mode: str) -> None:
        super().__init__(path, mode)
        self.fault: OSError | None = None
        self._end, self._head = 0, list[tuple[int, bytes]]()

    def write(self, data: Any) -> int:
        self.raise_fault()
        if (at := self.tell()) < self._end:
            self._head.append((at, bytes(data)))
            return self.seek(len(data), os.SEEK_CUR) - at
        self._put(data)
        self._end = self.tell()
        return len(data)

    def write_head(self) -> None:
        """Write over the beginning what was to be written there. Raises OSError."""
        for at, data in self._head:
            self.seek(at)
            self._put(data)

    def _put(self, data: Any) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[super().write(rest) :]
        except OSError as fault:
            # One without a traceback: that would hold the encoder and the pictures of a file long closed.
            self.fault = OSError(fault.errno, fault.strerror)
            raise

    def raise_fault(self) -> None:
        """Raise an OSError like the first one, if there was one."""
        if self.fault is not None:
            raise OSError(self.fault.errno, self.fault.strerror)

    def try_for(self, size: int) -> None:
        """Raise OSError unless as many more bytes can be written; leaves the file as it was."""
        end = self.tell()
        self.write(bytes(size))
        self.truncate(end)
        self.seek(end)
        self._end = end

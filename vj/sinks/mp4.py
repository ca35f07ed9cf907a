"""An MP4 file of H.264 pictures with their real time stamps, which plays even when its writer is killed."""

import io
import os
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
        """Make the file. Raises FileExistsError, DeviceError where H.264 cannot be had, OSError."""
        import av  # FFmpeg comes with it: only the process that records loads it

        self.path = path
        self._size = even_size(width, height)
        self._last = -1
        self._file = _WholeFile(path, "xb")
        try:
            self._container = av.open(self._file, "w", format="mp4", options=_CONTAINER)
            self._stream = self._add_stream(fps)
        except (av.FFmpegError, ValueError) as error:
            self._file.close()
            path.unlink()
            raise DeviceError(f"record: this FFmpeg cannot write H.264 into MP4: {error}") from error

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
        """How long the file is by now."""
        return 0 if self._file.closed else os.fstat(self._file.fileno()).st_size

    def close(self) -> None:
        """Write what the encoder still holds and the index. Raises OSError when the disk cannot take it."""
        import av

        try:
            self._mux(None)
            self._container.close()
        except (av.FFmpegError, ValueError) as error:
            raise OSError(f"{self.path.name}: {error}") from error
        finally:
            self._file.close()

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
        for packet in self._stream.encode(picture):
            self._container.mux(packet)


class _WholeFile(io.FileIO):
    """An unbuffered file whose `write` writes all of it or raises: FFmpeg does not look at how much was taken."""

    def write(self, data: Any) -> int:
        rest = memoryview(data)
        while rest:
            rest = rest[super().write(rest) :]
        return len(data)

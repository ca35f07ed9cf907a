"""Frames of a video file, one after the other."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.errors import EngineError
from engine.score.critic import Rgb


class VideoError(EngineError):
    """The file is no video that can be read; the message names it."""


def video_length(path: Path) -> float:
    """How long a video says it is, s; 0 where it does not say. Raises VideoError."""
    container, stream = _opened(path)
    with container:
        if stream.duration is not None:
            return float(stream.duration * stream.time_base)
        return float(container.duration or 0) / 1e6


def video_frames(path: Path) -> Iterator[tuple[float, Rgb]]:
    """Times in s, from 0, and frames, uint8 (h, w, 3), in the order of time; one frame in memory at a time.

    A file that breaks off ends there. Raises VideoError if it cannot be opened or not one frame can be read.
    """
    import av

    container, stream = _opened(path)
    stream.thread_type = "AUTO"
    first: float | None = None
    n = 0
    with container:
        try:
            for n, frame in enumerate(container.decode(stream)):
                at = float(frame.time) if frame.time is not None else n / float(stream.average_rate or 25)
                first = at if first is None else first
                yield at - first, frame.to_ndarray(format="rgb24")
        except av.FFmpegError as err:
            if first is None:
                raise VideoError(f"{path}: not a frame of it can be read: {err.strerror}") from err
    if first is None:
        raise VideoError(f"{path}: it holds no frames")


def _opened(path: Path) -> tuple[Any, Any]:
    import av

    if not path.is_file():
        raise VideoError(f"{path}: no such file")
    try:
        container = av.open(str(path))
    except (av.FFmpegError, ValueError, OSError) as err:
        raise VideoError(f"{path}: no video, or a broken one: {getattr(err, 'strerror', err)}") from err
    if not container.streams.video:
        container.close()
        raise VideoError(f"{path}: there is no picture in it")
    return container, container.streams.video[0]

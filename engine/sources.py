"""What the picture can start from and be held to: a picture, a video or a live camera, read beside the frames."""

import logging
import platform
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.pictures import SUFFIXES, open_picture, why

log = logging.getLogger("engine.sources")

Rgb = NDArray[np.uint8]

RETRY_S = 5.0
"""After this long a source that failed is tried again: the camera may be plugged in now."""
BEHIND_S = 0.5
"""A video that lies further behind its time than this goes on from where it is."""
LONGEST = 3840
"""Pixels of the longer side of a still picture; it is fitted to the canvas anyway."""
DEVICES = {"Linux": "v4l2", "Darwin": "avfoundation", "Windows": "dshow"}
"""FFmpeg's name for what gives cameras on each system."""


def device_of(spec: str, system: str) -> tuple[str, str]:
    """What FFmpeg calls the device of this source, and the format it is opened with.

    `camera`, `camera:1` or `camera:NAME` is a camera of this system; `device:FORMAT:NAME` anything else that FFmpeg
    opens: a screen, a capture card. Raises OSError for what it cannot be.
    """
    kind, _, name = spec.partition(":")
    if kind.strip().lower() == "device":
        form, _, name = name.partition(":")
        return name, form
    name = name.strip() or "0"
    if system not in DEVICES:
        raise OSError(f"no cameras are known on {system}")
    if system == "Linux":
        return (f"/dev/video{name}" if name.isdigit() else name), "v4l2"
    if system == "Darwin":
        return f"{name}:none", "avfoundation"
    return f"video={_numbered(int(name)) if name.isdigit() else name}", "dshow"


class Source:
    """The newest frame of one source. Owns its thread, and the file or device that it alone opens and closes."""

    def __init__(self, spec: str, waits: bool = False) -> None:
        """`spec` is the path of a picture or a video, or a camera (see `device_of`).

        With `waits` there is no thread, and every call of `newest` moves on by the time it is given.
        """
        self.spec = spec
        self._waits = waits
        self._size = (0, 0)
        self._frame: Rgb | None = None
        self._failure = ""
        self._frames: Iterator[tuple[float, Rgb]] | None = None
        self._due_s = 0.0
        self._read_s = -1.0
        self._closed = threading.Event()
        self._reader: threading.Thread | None = None

    @property
    def fault(self) -> str:
        """Why there is no picture, in one line; "" while there is one or it is not known yet."""
        return self._failure

    def newest(self, height: int, width: int, step_s: float) -> Rgb | None:
        """The newest frame (h, w, 3), cut to this size; None while there is none. Waits for nothing unless `waits`.

        `step_s` is the time since the last call, by which a source that `waits` moves on. After a change of size a
        frame or two are still of the size before. The same frame is the same object.
        """
        self._size = (height, width)
        if self._waits:
            self._move_on(step_s)
        elif self._reader is None:
            self._reader = threading.Thread(target=self._run, name="source", daemon=True)
            self._reader.start()
        return self._frame

    def close(self) -> None:
        """Let go of it; a device is closed by its own thread, which is not waited for: it may hang in a driver."""
        self._closed.set()
        self._frames = None

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self._play()
            except Exception as err:  # FFmpeg, its devices and PIL raise of their own
                if self._fail(err):
                    log.exception("source: %s", self._failure)
            self._closed.wait(RETRY_S)

    def _play(self) -> None:
        is_device, started = _is_device(self.spec), time.monotonic()
        for at_s, rgb in self._read():
            due = started + at_s - time.monotonic()
            if not is_device and due < -BEHIND_S:
                started -= due
            if self._closed.wait(0.0 if is_device else max(0.0, due)):
                return
            self._frame, self._failure = rgb, ""

    def _move_on(self, step_s: float) -> None:
        if self._failure:
            return
        try:
            self._frames = self._frames or self._read()
            self._due_s += step_s
            while self._read_s < self._due_s - step_s or self._frame is None:
                self._read_s, self._frame = next(self._frames)
        except Exception as err:
            self._fail(err)
            log.exception("source: %s", self._failure)

    def _fail(self, err: BaseException) -> bool:
        """Remember why there is no picture; whether that is news."""
        before, self._failure = self._failure, why(self.spec, err)
        self._frame = None
        return self._failure != before

    def _read(self) -> Iterator[tuple[float, Rgb]]:
        """Frames with the second at which each is due, without end."""
        if _is_device(self.spec):
            name, form = device_of(self.spec, platform.system())
            try:
                yield from self._video(name, form)
            except FileNotFoundError as err:
                raise OSError(f"nothing is there ({name})") from err
            raise OSError("it gives no more pictures")
        if self.spec.lower().endswith(SUFFIXES):
            yield from self._still()
        if not Path(self.spec).expanduser().is_file():
            raise FileNotFoundError(self.spec)
        length_s = 0.0
        while True:
            start_s, at_s = length_s, -1.0
            for at_s, rgb in self._video(str(Path(self.spec).expanduser()), None):
                yield start_s + at_s, rgb
                length_s = max(length_s, start_s + at_s + 1.0 / 30.0)
            if at_s < 0.0:
                raise OSError("there is no moving picture in it")

    def _still(self) -> Iterator[tuple[float, Rgb]]:
        from PIL import ImageOps

        image = open_picture(Path(self.spec), LONGEST)
        size, at_s = (0, 0), 0.0
        while True:
            if self._size != size:
                size = self._size
                fitted = np.asarray(ImageOps.fit(image, (size[1], size[0])), dtype=np.uint8)
            yield at_s, fitted
            at_s += 0.1

    def _video(self, name: str, form: str | None) -> Iterator[tuple[float, Rgb]]:
        import av

        with av.open(name, format=form) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1  # the cores are the engine's
            first_s: float | None = None
            for frame in container.decode(stream):
                if self._closed.is_set():
                    return
                at_s = frame.time or 0.0
                first_s = at_s if first_s is None else first_s
                yield at_s - first_s, _cut(frame, *self._size)


def _is_device(spec: str) -> bool:
    # A drive of Windows is one letter, so that no path begins like this.
    return spec.partition(":")[0].strip().lower() in ("camera", "device")


def _cut(frame: Any, height: int, width: int) -> Rgb:
    """The video frame scaled to cover this size, its middle cut out, (h, w, 3)."""
    scale = max(height / frame.height, width / frame.width)
    tall, broad = max(height, round(frame.height * scale)), max(width, round(frame.width * scale))
    rgb: Rgb = frame.reformat(width=broad, height=tall, format="rgb24", interpolation="AREA").to_ndarray()
    top, left = (tall - height) // 2, (broad - width) // 2
    return rgb[top : top + height, left : left + width]


def _numbered(number: int) -> str:
    """The name of the camera of this number on a system that opens cameras by name."""
    import av

    cameras = [device for device in av.enumerate_input_devices("dshow") if "video" in str(device.media_types)]
    if number >= len(cameras):
        raise OSError(f"no camera of number {number}; there are {len(cameras)}")
    return str(cameras[number].name)

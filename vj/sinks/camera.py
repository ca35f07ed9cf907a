"""The camera sink: the program as a webcam, through pyvirtualcam. Which drivers there are depends on the system."""

import struct
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vj.errors import DeviceError
from vj.mailboxes import Rgb
from vj.sinks.even import even, even_size

_ADVICE = {
    "linux": "load v4l2loopback: sudo apt install v4l2loopback-dkms && "
    'sudo modprobe v4l2loopback exclusive_caps=1 card_label="vj"',
    "darwin": "install OBS 30 or newer, start its virtual camera once, allow it in the system settings, stop it",
    "win32": "install OBS and start its virtual camera once, then stop it; or install Unity Capture",
}

# struct v4l2_capability: driver, card, bus_info, version, capabilities, device_caps, reserved (linux/videodev2.h).
_CAPABILITY = struct.Struct("16s32s32sII4I")
_QUERYCAP = 0x80685600  # VIDIOC_QUERYCAP
_VIDEO_OUTPUT = 0x2


class Camera:
    """A webcam to other programs. The argument is a device ("/dev/video9"), a camera's name, or "" for any."""

    def __init__(self, argument: str) -> None:
        self._wanted = argument
        self._camera: Any = None

    def check(self) -> None:
        """Raise DeviceError when there is no virtual camera. On macOS and Windows only `open` can tell for certain."""
        if not find_spec("pyvirtualcam"):
            raise DeviceError("camera: pyvirtualcam is not installed: pip install pyvirtualcam")
        if sys.platform == "linux":
            _find_loopback(self._wanted)

    def open(self, width: int, height: int, fps: float) -> None:
        """Open the device at this size, made even. Raises DeviceError: what was tried, what would help."""
        self.check()
        # GPL-2.0, and native code that may crash: it is loaded in this sink's process only, and nowhere earlier.
        try:
            import pyvirtualcam

            self._camera = pyvirtualcam.Camera(*even_size(width, height), fps, device=self._wanted or None)
        except (ImportError, OSError, RuntimeError, ValueError) as error:
            tried = "; ".join(str(error).splitlines())
            raise DeviceError(f"camera: no virtual camera could be opened (tried: {tried}); {_advice()}") from error

    def send(self, rgb: Rgb) -> None:
        """Hand over a frame; the sink's loop keeps the pace, nothing sleeps here."""
        self._camera.send(even(rgb))

    def report(self) -> dict[str, Any]:
        """`device`, the name that other programs list, and `backend`."""
        if self._camera is None:
            return {"device": self._wanted}
        return {"device": self._camera.device, "backend": self._camera.backend}

    def close(self) -> None:
        """Give the device back."""
        if self._camera is not None:
            self._camera.close()
        self._camera = None

    @staticmethod
    def reason() -> str:
        """Why this sink cannot be had here, or ""."""
        try:
            Camera("").check()
        except DeviceError as error:
            return str(error)
        return ""


def _advice() -> str:
    return _ADVICE.get(sys.platform, "pyvirtualcam has no driver for this system; use browser instead")


def _find_loopback(wanted: str) -> str:
    """The device pyvirtualcam would take. Raises DeviceError naming each device that was looked at and why not."""
    tried = []
    for device in [wanted] if wanted else [f"/dev/video{number}" for number in range(100)]:
        why = _why_not(device)
        if not why:
            return device
        if wanted or why != "missing":
            tried.append(f"{device}: {why}")
    what = "; ".join(tried) or "/dev/video0 to /dev/video99: none there"
    raise DeviceError(f"camera: no virtual camera found (tried {what}); {_advice()}")


def _why_not(device: str) -> str:
    """Why this device takes no frames, or "". Asks the driver the way pyvirtualcam does (VIDIOC_QUERYCAP)."""
    import fcntl
    import os

    try:
        opened = os.open(device, os.O_WRONLY)
    except FileNotFoundError:
        return "missing"
    except PermissionError:
        return f"not yours to open; add yourself to its group: sudo usermod -aG {_group(device)} $USER"
    except OSError as error:
        return error.strerror or str(error)
    try:
        answer = fcntl.ioctl(opened, _QUERYCAP, bytes(_CAPABILITY.size))
    except OSError:
        return "not a video device"
    finally:
        os.close(opened)
    driver, _, _, _, capabilities, *_ = _CAPABILITY.unpack(answer)
    is_loopback = driver.rstrip(b"\0") == b"v4l2 loopback"
    return "" if is_loopback and capabilities & _VIDEO_OUTPUT else "a camera, not a virtual one"


def _group(device: str) -> str:
    try:
        return Path(device).group()
    except (OSError, KeyError):
        return "video"

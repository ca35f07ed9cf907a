"""Sinks: where the program goes. One process each; a sink never sees torch or the dashboard."""

from typing import Any, Protocol

from vj.mailboxes import Rgb

# name → class, imported only in the process that opens it: native codec and camera libraries can crash natively.
SINKS = {
    "browser": "vj.sinks.browser:Browser",
    "camera": "vj.sinks.camera:Camera",
    "record": "vj.sinks.record:Record",
    "frames": "vj.sinks.frames:Frames",
}


class Sink(Protocol):
    """A device that takes frames. Made from the part of its spec after the colon ("" when there is none)."""

    def check(self) -> None:
        """Raise UsageError or DeviceError if this sink could not be opened now. Opens nothing, leaves nothing."""
        ...

    def open(self, width: int, height: int, fps: float) -> None:
        """Open the device for uint8 RGB frames of this size. Raises DeviceError: what was tried, what would help."""
        ...

    def send(self, rgb: Rgb) -> None:
        """Hand over the newest frame, (h, w, 3). Called at the program's rate; must not wait for a slow reader."""
        ...

    def report(self) -> dict[str, Any]:
        """Facts for the sink's pulse, JSON-able: url, clients, path, bytes …"""
        ...

    def close(self) -> None:
        """Close the device. Called exactly once, also after a failed send."""
        ...

"""Sinks: where the program goes. One process each; a sink never sees torch or the dashboard."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from vj.errors import UsageError, did_you_mean
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


# name → how it is written, what it is; in the order `vj sinks` lists them.
_KINDS = {
    "browser": ("browser[:PORT]", "a page and an MJPEG stream on this machine, for OBS's browser source; port 8090"),
    "camera": ("camera[:DEVICE]", "a virtual camera for Zoom, Teams, OBS and browsers"),
    "record": ("record:FILE.mp4", "an H.264 recording that plays even if the show is killed; never overwrites"),
    "frames": ("frames:DIR", "numbered PNG files; goes on from the last number"),
}


@dataclass(frozen=True, slots=True)
class SinkKind:
    """One line of `vj sinks`. `reason` says why this kind cannot be had here, "" when it can."""

    name: str
    spec: str
    what: str
    reason: str


def make_sink(spec: str) -> Sink:
    """The sink of a spec such as "record:show.mp4", not opened. Raises UsageError for an unknown one."""
    name, _, argument = spec.partition(":")
    if name not in SINKS:
        raise UsageError(f"no sink called {name!r}{did_you_mean(name, SINKS)}")
    sink: Sink = _class_of(name)(argument)
    return sink


def sink_kinds() -> list[SinkKind]:
    """Every kind of sink and whether it can be had on this machine. Opens nothing."""
    return [SinkKind(name, *_KINDS[name], _class_of(name).reason()) for name in SINKS]


def _class_of(name: str) -> Any:
    module, _, kind = SINKS[name].partition(":")
    return getattr(import_module(module), kind)

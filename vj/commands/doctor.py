"""`vj doctor`: what this machine has, what is missing, and the command that mends it."""

import argparse
import importlib.metadata
import json
import os
import platform
import sys
from typing import Any

RED, PLAIN = "\x1b[31m", "\x1b[0m"
LIBRARIES = (
    "torch", "open_clip_torch", "numba", "openvino", "textual", "mido", "python-rtmidi", "python-osc", "pyvirtualcam",
    "av",
)  # fmt: skip


def add(parser: argparse.ArgumentParser) -> None:
    """Plain text, or JSON."""
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(args: argparse.Namespace) -> int:
    """Look at everything once; exit code 1 when something a show needs is missing."""
    found = examine()
    if args.json:
        print(json.dumps(found))
    else:
        _print(found)
    return 1 if found["problems"] else 0


def examine() -> dict[str, Any]:
    """Versions, device, shipped guide, sinks, MIDI, and problems with what would mend them."""
    from engine.devices import choose_device, gpu_unused
    from engine.quickness import quickness
    from vj.controls.midi import list_ports
    from vj.runtime import running_show
    from vj.sinks import sink_kinds

    device, note = choose_device("auto")
    ports, reason = list_ports()
    unused, (guide, broken) = gpu_unused(), _guide()
    return {
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "cores": os.cpu_count(),
        "libraries": {name: _version(name) for name in LIBRARIES},
        "device": str(device),
        "processor": quickness(),
        "guide": guide,
        "midi": list(ports) or reason,
        "sinks": {kind.name: kind.reason or "ready" for kind in sink_kinds()},
        "show": "running" if running_show() else "none",
        "notes": [note] if note else [],
        "gpu_unused": unused,
        "problems": [text for text in (unused, broken, _engine_stands_beside()) if text],
    }


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def _guide() -> tuple[str, str]:
    """The shipped guide's name and "", or "missing" and why."""
    from engine.devices import choose_device
    from engine.errors import GuideError
    from engine.guides.loading import load_guide

    try:
        return str(load_guide("shipped", choose_device("cpu")[0]).name), ""
    except GuideError as err:
        return "missing", str(err)


def _engine_stands_beside() -> str:
    """A foreign package called `engine` would paint nothing: ours must lie beside `vj`."""
    import engine
    import vj

    ours, theirs = (os.path.dirname(os.path.dirname(str(m.__file__))) for m in (vj, engine))  # noqa: PTH120
    return "" if ours == theirs else f"another package called engine hides ours: {engine.__file__}"


def _print(found: dict[str, Any]) -> None:
    red, plain = (RED, PLAIN) if sys.stdout.isatty() else ("", "")
    for name, value in found.items():
        if isinstance(value, dict):
            print(f"{name}:")
            for key, item in value.items():
                print(f"  {key:20} {item}")
        elif name not in ("problems", "gpu_unused", "notes"):
            print(f"{name:12} {', '.join(value) if isinstance(value, list) else value}")
    for note in found["notes"]:
        print(note)
    for problem in found["problems"]:
        print(f"{red}! {problem}{plain}")
    print("nothing is missing" if not found["problems"] else f"{len(found['problems'])} to mend")

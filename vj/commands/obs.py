"""`vj obs`: what to paste into OBS, and a small local page that waits for the show."""

import argparse
from pathlib import Path

import platformdirs

from vj.errors import UsageError
from vj.runtime import running_show
from vj.sinks.browser import DEFAULT_PORT
from vj.sinks.obs_page import obs_instructions, obs_page


def add(parser: argparse.ArgumentParser) -> None:
    """Port, and where the page goes."""
    parser.add_argument("--port", type=int, default=0, help="port of the browser sink (default: the running show's)")
    parser.add_argument("--out", type=Path, default=None, metavar="FILE", help="where to write the page")


def run(args: argparse.Namespace) -> int:
    """Write the page and print what goes where in OBS."""
    if not 0 <= args.port <= 65535:
        raise UsageError(f"--port {args.port}: from 1 to 65535")
    port = args.port or _running_port() or DEFAULT_PORT
    path = args.out or Path(platformdirs.user_data_path("vj")) / "vj-for-obs.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(obs_page(port), encoding="utf-8")
    print(obs_instructions(path.resolve(), f"http://127.0.0.1:{port}/"))
    return 0


def _running_port() -> int:
    folder = running_show()
    for spec in folder.plan().sinks if folder else ():
        kind, _, port = spec.partition(":")
        if kind == "browser" and port.isdigit():
            return int(port)
    return 0

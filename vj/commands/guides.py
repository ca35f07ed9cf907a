"""`vj guides [list|info G|pull G]`: the models that can lead the picture."""

import argparse
from typing import TYPE_CHECKING

from vj.errors import UsageError, VjError

if TYPE_CHECKING:
    from engine.guides.catalogue import Entry


def add(parser: argparse.ArgumentParser) -> None:
    """list, info or pull."""
    parser.add_argument("action", nargs="?", default="list", choices=("list", "info", "pull"), help="default: list")
    parser.add_argument("name", nargs="?", default="", metavar="G", help="guide by name, or MODEL:TAG")


def run(args: argparse.Namespace) -> int:
    """The catalogue, or one guide; `pull` downloads it and exits 1 when it cannot be fetched or does not load."""
    from engine.guides.catalogue import CATALOGUE

    if args.action == "list":
        for entry in CATALOGUE.values():
            print(_line(entry))
        print("any other open_clip model goes as MODEL:TAG, a checkpoint of yours as MODEL:FILE")
        return 0
    if not args.name:
        raise UsageError(f"which guide? known are {', '.join(CATALOGUE)}, or MODEL:TAG")
    return _load(args.name, fetch=args.action == "pull")


def _line(entry: "Entry") -> str:
    source = f"{entry.model}:{entry.tag}" if entry.model else "in the package"
    size = f"{entry.megabytes} MB" if entry.megabytes else ""
    return f"{entry.name:16} {source:34} {size:8} {entry.remark}"


def _load(name: str, fetch: bool) -> int:
    from engine.devices import choose_device
    from engine.errors import GuideError
    from engine.guides.loading import load_guide

    try:
        guide = load_guide(name, choose_device("cpu")[0], fetch)
    except GuideError as err:
        raise VjError(str(err)) from err
    weights = sum(weight.numel() for weight in guide.model.parameters())
    print(f"{guide.name}: ready; sees {guide.image_size}x{guide.image_size}, {weights / 1e6:.1f} million weights")
    return 0

"""`vj guides [list|info G]`: the models that can lead the picture."""

import argparse

from vj.errors import UsageError, did_you_mean


def add(parser: argparse.ArgumentParser) -> None:
    """list or info."""
    parser.add_argument("action", nargs="?", default="list", choices=("list", "info"))
    parser.add_argument("name", nargs="?", default="", metavar="G", help="guide by name")


def run(args: argparse.Namespace) -> int:
    """The catalogue; any other open_clip model goes as MODEL:TAG, a checkpoint as MODEL:FILE."""
    from engine.guides.catalogue import CATALOGUE

    if args.action == "info" and args.name not in CATALOGUE:
        raise UsageError(f"no guide called {args.name!r}{did_you_mean(args.name, CATALOGUE)}")
    for name, entry in CATALOGUE.items():
        if args.action == "list" or name == args.name:
            print(f"{name:24} {entry}")
    return 0

"""`vj mappings [list|check|show M]`: which control moves which parameter."""

import argparse
from pathlib import Path

from vj import library
from vj.commands.kinds import refuse_other_kind
from vj.controls.mapping import Mapping, read_mapping
from vj.errors import UsageError, VjError


def add(parser: argparse.ArgumentParser) -> None:
    """list, check or show, and files."""
    parser.add_argument("action", nargs="?", default="list", choices=("list", "check", "show"), help="default: list")
    parser.add_argument("files", nargs="*", metavar="M", help="mapping by name or path (check without one: all)")


def run(args: argparse.Namespace) -> int:
    """A mapping that does not read gives exit code 2."""
    if args.action == "show" and not args.files:
        raise UsageError(f"which mapping? known are {', '.join(library.paths('mappings'))}")
    code = 0
    for name in args.files or library.paths("mappings"):
        try:
            path = library.find("mappings", name)
            refuse_other_kind("mappings", path)
            mapping = read_mapping(path)
        except VjError as err:
            print(err)
            code = 2
            continue
        _show(mapping, path, args.action == "show")
    return code


def _show(mapping: Mapping, path: Path, is_whole: bool) -> None:
    ports = ", ".join(mapping.ports) or "any port"
    print(f"{path.stem:16} {mapping.title:28} {len(mapping.controls):3} controls on {ports}  {path}")
    for control in mapping.controls if is_whole else ():
        print(f"  {control}")

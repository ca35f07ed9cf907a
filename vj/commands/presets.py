"""`vj presets [list|check]`: the presets that can be recalled."""

import argparse

from vj import library
from vj.commands.kinds import refuse_other_kind
from vj.errors import VjError


def add(parser: argparse.ArgumentParser) -> None:
    """list or check, and files."""
    parser.add_argument("action", nargs="?", default="list", choices=("list", "check"), help="default: list")
    parser.add_argument("files", nargs="*", metavar="P", help="preset by name or path (check without one: all)")


def run(args: argparse.Namespace) -> int:
    """A preset that does not read gives exit code 2."""
    code = 0
    for name in args.files or library.paths("presets"):
        try:
            path = library.find("presets", name)
            refuse_other_kind("presets", path)
            preset = library.read_preset(path)
        except VjError as err:
            print(err)
            code = 2
            continue
        print(f"{preset.name:16} {preset.title:32} {len(preset.values):3} parameters  {preset.path}")
    return code

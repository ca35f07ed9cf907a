"""`vj cues [list|check FILE…]`: the cue files there are; reading some says all that is wrong or was skipped."""

import argparse

from vj import library
from vj.commands.kinds import refuse_other_kind
from vj.cues import read_cues
from vj.errors import VjError


def add(parser: argparse.ArgumentParser) -> None:
    """list or check, and the files."""
    parser.add_argument(
        "action", nargs="?", default="list", choices=("list", "check"),
        help="list the shipped and your own (default), or check files",
    )  # fmt: skip
    parser.add_argument("files", nargs="*", metavar="FILE", help="cue file by name or path (check without one: all)")


def run(args: argparse.Namespace) -> int:
    """Warnings leave exit code 0; a problem in any file gives 2."""
    if args.action == "list":
        for name, path in library.paths("cues").items():
            print(f"{name:20} {path}")
        return 0
    code = 0
    for name in args.files or library.paths("cues"):
        try:
            path = library.find("cues", name)
            refuse_other_kind("cues", path)
            found = read_cues(path)
        except VjError as err:
            print(err)
            code = 2
            continue
        for warning in found.warnings:
            print(warning)
        last = found.cues[-1].at_s
        print(f"{found.path}: {found.title or 'untitled'}: {len(found.cues)} cues, the last at {last:.1f} s")
    return code

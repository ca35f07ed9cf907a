"""`vj check SHOW…`: read show files and every file they name, and say everything that is wrong."""

import argparse

from vj import library
from vj.commands.kinds import refuse_other_kind
from vj.cues import read_cues
from vj.errors import VjError
from vj.show_file import ShowFile, read_show


def add(parser: argparse.ArgumentParser) -> None:
    """The files."""
    parser.add_argument("shows", nargs="+", metavar="SHOW", help="show file")


def run(args: argparse.Namespace) -> int:
    """A problem in any file gives exit code 2; warnings of the cue files leave 0."""
    code = 0
    for name in args.shows:
        try:
            path = library.find("shows", name)
            refuse_other_kind("shows", path)
            _print(read_show(path))
        except VjError as err:
            print(err)
            code = 2
    return code


def _print(show: ShowFile) -> None:
    for n, song in enumerate(show.songs, 1):
        cues = read_cues(library.find("cues", song.cues))
        for warning in cues.warnings:
            print(warning)
        print(f"{show.path}: song {n} {song.title}: {len(cues.cues)} cues, the last at {cues.cues[-1].at_s:.1f} s")
    bank = sum(map(bool, show.bank))
    print(f"{show.path}: {show.title}: {len(show.songs)} songs, {len(show.mappings)} mappings, {bank} stored prompts")

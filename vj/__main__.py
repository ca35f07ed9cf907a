"""The command line: finds the command and runs it. Imports neither torch nor textual."""

import argparse
import importlib
import os
import select
import sys

from engine.errors import EngineError
from vj import __version__
from vj.errors import VjError

# name → what it is for; each lives in vj/commands/<name>.py with `add(parser)` and `run(args) -> exit code`.
COMMANDS = {
    "play": "start a show and its dashboard",
    "stop": "end the running show",
    "render": "make a video of a cue file, frame by frame, not live",
    "obs": "what to paste into OBS, and a local page file for it",
    "doctor": "check this machine: GPU, guides, ports, cameras, MIDI",
    "ports": "list MIDI ports",
    "sinks": "list where the program can go",
    "cues": "list or check cue files",
    "check": "check a show file and every file it names",
    "presets": "list or check presets",
    "mappings": "list, check or show controller mappings",
    "guides": "list guides, look at one, or pull (download) one",
    "parameters": "list every parameter with its range and what it does",
    "bench": "measure speed and latency on this machine",
    "score": "judge a recording, or the running show, against what is sung",
}


def main(argv: list[str] | None = None) -> int:
    """Run a command; 0 fine, 1 could not be done, 2 bad usage or files, 3 a device or port cannot be had."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["part"]:  # the keeper's own door, not for people
        from vj.commands.part import main as part

        return part(*argv[1:])
    try:
        args = _parser(argv).parse_args(argv)
        code = int(importlib.import_module(f"vj.commands.{args.command or 'attach'}").run(args))
        sys.stdout.flush()
        return code
    except VjError as err:
        for line in str(err).splitlines():
            print(f"vj: {line}", file=sys.stderr)  # noqa: T201 - the command line's answer
        return err.exit_code
    except EngineError as err:
        print(f"vj: {err}", file=sys.stderr)  # noqa: T201 - the command line's answer
        return 1
    except OSError as err:  # a folder that cannot be written, a reader of our words that has gone
        if isinstance(err, BrokenPipeError) and _is_unread():
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is unsaid is dropped
            return 1
        print(f"vj: {err}", file=sys.stderr)  # noqa: T201 - the command line's answer
        return 1
    except KeyboardInterrupt:
        return 130


def _is_unread() -> bool:
    """Whether nobody reads our words any more, as after `| head`."""
    if not hasattr(select, "poll"):  # Windows cannot tell
        return True
    words = select.poll()
    words.register(sys.stdout.fileno(), 0)
    return any(event & select.POLLERR for _, event in words.poll(0))


def _parser(argv: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vj", description="Paint the song: lyrics become a moving picture, live.",
        epilog="Without a command, vj attaches to the running show or starts the demo show.",
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"vj {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, what in COMMANDS.items():
        command = commands.add_parser(name, help=what, description=what)
        if name in argv[:1]:  # only the command that runs is imported: `vj --help` must be quick
            importlib.import_module(f"vj.commands.{name}").add(command)
    return parser


if __name__ == "__main__":
    sys.exit(main())

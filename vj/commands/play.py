"""`vj play`: check everything, start the show, and open its dashboard."""

import argparse
import logging
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from vj import library, show
from vj.checks import check
from vj.commands.arguments import add_show_arguments, cue_file, gathered, plan_from
from vj.commands.strict import missing
from vj.errors import UsageError, VjError
from vj.runtime import VJ, Folder, Plan, environment, running_show, runtime_root
from vj.show_file import is_show, read_show

START_WAIT_S = 20.0
GOES_ON = "the show goes on; `vj` shows it again, `vj stop` ends it"
# Windows ends every process of a console that is closed: the keeper gets one of its own, which nobody sees.
OWN_CONSOLE = getattr(subprocess, "CREATE_NO_WINDOW", 0)


def add(parser: argparse.ArgumentParser) -> None:
    """The options of a live show."""
    parser.add_argument(
        "show", nargs="?", default="", metavar="SHOW|CUES",
        help="show file, or cue file by name or path; none = prompts by hand",
    )  # fmt: skip
    add_show_arguments(parser)
    _add_devices(parser)
    parser.add_argument("--wait", action="store_true", help="hold the cue list until GO")
    parser.add_argument("--headless", action="store_true", help="no dashboard: a JSON line a second on stdout")
    parser.add_argument("--for", type=float, dest="for_s", metavar="SECONDS", help="end the show after this long")
    parser.add_argument("--strict", action="store_true", help="refuse to start without all that is asked for")
    parser.add_argument("--resume", action="store_true", help="go on from where the last show's desk was")
    parser.add_argument(
        "--resume-before", action="store_true", help="go on from the show before that: --resume had been forgotten"
    )


def _add_devices(parser: argparse.ArgumentParser) -> None:
    """Where the show listens and where its picture goes; what is not given may stand in the show file."""
    parser.add_argument(
        "--mapping", action="append", metavar="M", help="controller mapping (default: generic and nanokontrol2)"
    )
    parser.add_argument(
        "--sink", action="append", metavar="S",
        help="browser[:PORT] camera[:DEVICE] record:FILE.mp4 frames:DIR (default: browser)",
    )  # fmt: skip
    parser.add_argument(
        "--osc", default="127.0.0.1:9000", metavar="HOST:PORT", help="where OSC is heard (default 127.0.0.1:9000)"
    )
    parser.add_argument(
        "--midi-in", action="append", default=[], metavar="NAME",
        help="MIDI input by name pattern (default: every port)",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Start the show; with --headless this process is its keeper, else a detached one is."""
    started = _process_start()
    if running_show() is not None:  # said before its ports are found taken
        raise VjError("a show is already running; `vj` attaches to it, `vj stop` ends it")
    if args.resume_before and not (runtime_root() / "desk.before.json").exists():
        raise VjError("there is no saved desk of a show before the last one; --resume goes on from the last")
    problems: list[str] = []
    plan = plan_of(args, problems)
    notes = [] if args.resume or args.resume_before else cut_off()
    notes += check(plan, problems, missing if args.strict else lambda _: [])
    for note in notes:
        print(f"vj: {note}", file=sys.stderr)
    if args.headless:
        folder = show.prepare(plan)
        show.keep(folder, plan, started, args.for_s or 0.0)
        return 0
    return play(plan, args.for_s or 0.0, notes)


def cut_off() -> list[str]:
    """A note if the last show did not end in order: what its desk saved could be gone on from."""
    root = runtime_root()
    # A show that ends in order takes the first of these files away.
    if not ((root / "show.json").exists() and (root / "desk.json").exists()):
        return []
    return ["the last show was cut off; what its desk saved is kept, and --resume-before goes on from it later"]


def plan_of(args: argparse.Namespace, problems: list[str]) -> Plan:
    """The plan of the arguments and of the show file they name, where the arguments win; problems are gathered."""
    path = str(library.find("shows", args.show)) if _is_shows(args.show) else cue_file(args.show, problems)
    is_file_of_show = path != "" and is_show(Path(path))
    found = gathered(problems, lambda: read_show(Path(path)), None) if is_file_of_show else None
    mappings = args.mapping or (found and found.mappings) or ("generic", "nanokontrol2")
    sinks = args.sink or (found and found.sinks) or ("browser",)
    return plan_from(
        args, problems,
        cues="" if is_file_of_show else path,
        show=found.path.stem if found else "",
        songs=found.songs if found else (),
        bank=found.bank if found else (),
        mappings=tuple(mappings), sinks=tuple(sinks), midi_in=tuple(args.midi_in),
        osc=gathered(problems, lambda: _osc(args.osc), ""),
        wait=args.wait, strict=args.strict, resume="before" if args.resume_before else "last" if args.resume else "",
    )  # fmt: skip


def _is_shows(name: str) -> bool:
    """Whether a bare name is that of a show file in the user's own folder, and of no cue file."""
    return name in library.paths("shows") and name not in library.paths("cues")


def play(plan: Plan, for_s: float = 0.0, notes: Sequence[str] = ()) -> int:
    """Start a checked show under a keeper of its own and attach a dashboard. The show outlives this terminal."""
    _need_terminal()
    if running_show() is not None:
        raise VjError("a show is already running; `vj` attaches to it, `vj stop` ends it")
    folder = _start_keeper(plan, for_s)
    return dashboard(folder, notes)


def dashboard(folder: Folder, notes: Sequence[str] = ()) -> int:
    """Show the running show in this terminal, and these notes first: it covers what was printed."""
    _need_terminal()
    from vj.dashboard.app import run as run_dashboard

    logging.basicConfig(filename=folder.logs / "dashboard.log", format="%(asctime)s %(name)s %(levelname)s %(message)s")
    code = run_dashboard(folder, lambda: show.stop(folder), " · ".join(notes))
    print(GOES_ON if running_show() is not None else "the show has ended")
    return code


def _need_terminal() -> None:
    # Textual draws to standard error: `vj 2> file` would leave the screen blank.
    if not (sys.stdout.isatty() and sys.stderr.isatty()):
        raise VjError("this is no terminal; use --headless, or run vj in one with nothing redirected")


def _start_keeper(plan: Plan, for_s: float) -> Folder:
    root = runtime_root()
    root.mkdir(parents=True, exist_ok=True)
    asked = root / "asked.json"
    asked.write_text(plan.to_json(), encoding="utf-8")
    with (root / "keeper.log").open("wb") as output:
        keeper = subprocess.Popen(
            [*VJ, "part", "keeper", str(asked), str(for_s)],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            env=environment(root), creationflags=OWN_CONSOLE,
        )  # fmt: skip
    until = time.monotonic() + START_WAIT_S
    while time.monotonic() < until:
        folder = running_show()
        if folder is not None:
            return folder
        if keeper.poll() is not None:
            break
        time.sleep(0.02)
    said = Path(root / "keeper.log").read_text(encoding="utf-8", errors="replace").strip()
    raise VjError(f"the show did not start: {said or 'no word from its keeper'}")


def _osc(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise UsageError(f"--osc {text!r}: give it as HOST:PORT, as in 127.0.0.1:9000")
    return f"{host or '127.0.0.1'}:{port}"


def _process_start() -> float:
    """When this process started, on the monotonic clock, s."""
    import psutil

    return time.monotonic() - (time.time() - float(psutil.Process().create_time()))

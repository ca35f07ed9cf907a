"""`vj render CUES --out F`: every frame of a song, as fast as the machine can, the same again for the same seed."""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from vj.commands.arguments import add_show_arguments, cue_file, gathered, plan_from
from vj.commands.kinds import refuse_other_kind
from vj.cues import read_cues
from vj.mailboxes import Frame, Rgb
from vj.runtime import Plan

TAIL_S = 4.0


def add(parser: argparse.ArgumentParser) -> None:
    """The options of play that mean something without a show, and the file."""
    parser.add_argument("cues", metavar="CUES", help="cue file by name or path")
    parser.add_argument("--out", required=True, type=Path, metavar="F", help="the video, .mp4")
    parser.add_argument(
        "--for",
        type=float,
        dest="for_s",
        metavar="SECONDS",
        help="length (default: to the last cue and 4 s more)",
    )
    add_show_arguments(parser)  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Render with a progress bar; an existing file is refused, for nothing the performer made is lost."""
    from vj.checks import check_files

    problems = _out_problems(args.out)
    plan = plan_from(args, problems, cues=_cues(args.cues, problems), sinks=())
    check_files(plan, problems)
    length_s = args.for_s or read_cues(Path(plan.cues)).cues[-1].at_s + TAIL_S
    _write(args.out, plan, length_s)
    return 0


def _cues(name: str, problems: list[str]) -> str:
    """The path of the cue file, "" where there is none or it is of another kind."""

    def right() -> str:
        refuse_other_kind("cues", Path(path))
        return path

    path = cue_file(name, problems)
    return gathered(problems, right, "") if path else ""


def _out_problems(path: Path) -> list[str]:
    if path.suffix != ".mp4":
        return [f"--out {path}: give it as a .mp4 file"]
    if path.exists():
        return [f"--out {path}: is there already"]
    return [] if path.parent.is_dir() else [f"--out {path}: no folder {path.parent}"]


def _write(path: Path, plan: Plan, length_s: float) -> None:
    from rich.progress import Progress

    from vj.sinks.mp4 import Mp4

    began, count = time.monotonic(), round(length_s * plan.fps)
    video = Mp4(path, plan.width, plan.height, plan.fps)
    try:
        with Progress(transient=True) as progress:
            task = progress.add_task("painting", total=count)
            for n, rgb in enumerate(program_frames(plan, count)):
                video.write(rgb, n / plan.fps)
                progress.advance(task)
    finally:
        video.close()
    print(f"{path}: {count} frames, {length_s:.1f} s of show in {time.monotonic() - began:.1f} s")


def program_frames(plan: Plan, count: int) -> Iterator[Rgb]:
    """The program's frames, uint8 RGB (h, w, 3), on a clock of n/fps: the same loop as live, without its waiting."""
    from vj.engine_process import make_painter
    from vj.opening import opening_state
    from vj.program.mix import Mix

    # The governor looks at a clock; without it the same seed gives the same frames on any machine.
    state = opening_state(plan).begun(0.0)
    look = state.look.with_values({"governor": False})
    painter, mix = make_painter(plan, is_live=False), Mix(plan.width, plan.height, 0.0)
    for note in painter.report()["notes"]:
        print(f"vj: {note}", file=sys.stderr)
    paint_due, state = 0.0, replace(state, look=look)
    for n in range(count):
        now = n / plan.fps
        state = state.advanced(now)
        look = state.look_at(now)
        if now + 1e-9 >= paint_due:
            # The engine takes a frame's time from its rate: no more frames are painted than the program has.
            painted_fps = min(plan.fps, look.number("engine_fps"))
            paint_due = paint_due + 1.0 / painted_fps
            mix.take(Frame(painter.paint(look.with_values({"engine_fps": painted_fps})), n, now, 1, True), now)
        yield mix.turn(look, now)

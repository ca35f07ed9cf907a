"""`vj score VIDEO --cues FILE` or `vj score --live SECONDS`: how well the picture shows what is sung."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vj import library
from vj.commands.kinds import refuse_other_kind
from vj.cues import CueList, read_cues
from vj.errors import UsageError, VjError
from vj.mailboxes import Rgb

if TYPE_CHECKING:
    from engine.score.critic import Critic
    from engine.score.judge import Judge
    from engine.score.song import Line

LAST_LINE_S = 5.0
"""How long the last line counts as sung."""

LONGEST_LIVE_S = 86_400.0


def add(parser: argparse.ArgumentParser) -> None:
    """The recording or the running show, who judges, and where the figures go."""
    parser.add_argument("video", nargs="?", type=Path, metavar="VIDEO", help="a recording or render of a show")
    parser.add_argument("--cues", metavar="FILE", help="the cue file it shows, by name or path")
    parser.add_argument("--live", type=float, metavar="SECONDS", help="watch the running show instead of a video")
    parser.add_argument(
        "--starts-at", type=float, default=0.0, metavar="S", help="second of the video at which the song begins"
    )
    parser.add_argument("--partial", action="store_true", help="the video may end before the song does")
    parser.add_argument(
        "--guide", default="judge", metavar="G", help="who judges: the shipped judge, or a guide's name"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with plots and frames")


def run(args: argparse.Namespace) -> int:
    """Watch, score, and tell. Exit code 2 for files and options that are wrong, 1 for a guide that cannot be had."""
    _check_options(args)
    cues = _cues(args.cues) if args.cues else None
    if args.video:
        _check_length(args, cues)
    from engine.score.report import as_html, as_json, as_table
    from engine.score.results import score

    critic, words = _critics(args.guide)
    seen, lines = _watched(args, cues, critic)
    found = score(seen, lines, critic, words)
    if args.html:
        args.html.write_text(as_html(found, _title(args)), encoding="utf-8")
    print(as_json(found) if args.json else as_table(found))
    return 0


def _check_options(args: argparse.Namespace) -> None:
    if (args.video is None) == (args.live is None):
        raise UsageError("score: give a video and --cues FILE, or --live SECONDS for the running show")
    if args.video and not args.cues:
        raise UsageError(f"score: what does {args.video} show? give its cue file with --cues FILE")
    if args.live is not None and (args.cues or args.partial or args.starts_at):
        raise UsageError(
            "--live reads what is sung from the running show; --cues, --starts-at, --partial go with a video"
        )
    if args.live is not None and not 1.0 <= args.live <= LONGEST_LIVE_S:
        raise UsageError(f"--live {args.live:g}: from 1 to {LONGEST_LIVE_S:g} seconds")
    if not 0.0 <= args.starts_at <= LONGEST_LIVE_S:
        raise UsageError(f"--starts-at {args.starts_at:g}: give it as seconds, 0 or more")
    if args.html and not args.html.parent.is_dir():
        raise UsageError(f"--html {args.html}: no folder {args.html.parent}")


def _cues(name: str) -> CueList:
    path = library.find("cues", name)
    refuse_other_kind("cues", path)
    return read_cues(path)


def _check_length(args: argparse.Namespace, cues: CueList | None) -> None:
    """Refuse a video that cannot be one of this song."""
    from engine.score.video import VideoError, video_length

    try:
        length_s = video_length(args.video)
    except VideoError as err:
        raise UsageError(str(err)) from err
    last_s = lines_of(cues)[-1].start_s + args.starts_at if cues else 0.0
    if 0.0 < length_s <= last_s and not args.partial:
        what = f"{args.video} is {length_s:.1f} s long, but the last line of {args.cues} begins at {last_s:.1f} s"
        raise UsageError(f"{what}; give --partial if it ends early, --starts-at if the song begins elsewhere")
    if 0.0 < length_s <= args.starts_at:
        raise UsageError(f"--starts-at {args.starts_at:g}: {args.video} is only {length_s:.1f} s long")


def _critics(name: str) -> tuple["Critic", "Judge"]:
    """Who judges, and the shipped judge, which knows what words can be drawn."""
    from engine.devices import choose_device
    from engine.guides.loading import load_guide
    from engine.score.critic import GuideCritic, JudgeCritic
    from engine.score.judge import load_judge

    judge = load_judge()
    if name == "judge":
        return JudgeCritic(judge), judge
    device, _ = choose_device()
    return GuideCritic(load_guide(name, device)), judge


def _watched(args: argparse.Namespace, cues: CueList | None, critic: "Critic") -> tuple[Any, list["Line"]]:
    from engine.score.video import VideoError
    from engine.score.watch import Watch

    watch = Watch(critic)
    if args.live is not None:
        lines = _watch_show(args.live, watch.take)
        return watch.seen(), lines
    try:
        for t_s, rgb in _with_progress(args.video):
            if t_s >= args.starts_at:
                watch.take(rgb, t_s - args.starts_at)
    except VideoError as err:
        raise UsageError(str(err)) from err
    return watch.seen(), lines_of(cues) if cues else []


def _with_progress(path: Path) -> Iterator[tuple[float, Rgb]]:
    from rich.console import Console
    from rich.progress import Progress

    from engine.score.video import video_frames, video_length

    with Progress(transient=True, console=Console(stderr=True)) as progress:
        task = progress.add_task("watching", total=video_length(path) or None)
        for t_s, rgb in video_frames(path):
            progress.update(task, completed=t_s)
            yield t_s, rgb


def lines_of(cues: CueList) -> list["Line"]:
    """Every cue with words, sung until the next one; an empty cue holds the words before it."""
    from engine.score.song import Line

    sung = [cue for cue in cues.cues if cue.text]
    ends = [cue.at_s for cue in sung[1:]] + [sung[-1].at_s + LAST_LINE_S] if sung else []
    return [Line(cue.at_s, end_s, cue.text) for cue, end_s in zip(sung, ends, strict=True)]


def _watch_show(seconds: float, take: Callable[[Rgb, float], None]) -> list["Line"]:
    """Take the program's frames for so long; the lines that were sung meanwhile."""
    from engine.score.song import Line
    from vj.pulse import read_pulse
    from vj.runtime import running_show

    folder = running_show()
    if folder is None:
        raise VjError("no show is running")
    program, desk = folder.program(), folder.pulse("desk")
    began, newest, heard = time.monotonic(), -1, list[tuple[float, str]]()
    while (now := time.monotonic() - began) < seconds:
        frame = program.newest(newest)
        if frame is None:
            time.sleep(0.004)
            continue
        newest = frame.number
        text = sung(read_pulse(desk))
        if text and (not heard or heard[-1][1] != text):
            heard.append((now, text))
        if frame.is_painted:
            take(frame.rgb, now)
    ends = [at for at, _ in heard[1:]] + [seconds]
    print(f"score: watched {seconds:g} s, {len(heard)} lines", file=sys.stderr)
    return [Line(at, end, text) for (at, text), end in zip(heard, ends, strict=True)]


def sung(pulse: dict[str, Any]) -> str:
    """What a desk's pulse says is sung: the running cue's words, or else the line it asks the engine for."""
    cue = pulse.get("cue", {})
    if cue.get("state") == "running" and cue.get("text"):
        return str(cue["text"])
    return str(pulse.get("next_line" if pulse.get("blend", 0.0) > 0.5 else "line", ""))


def _title(args: argparse.Namespace) -> str:
    return f"{args.video.name}, {Path(args.cues).name}" if args.video else f"{args.live:g} s of the running show"

"""`vj bench`: how fast this machine paints, how soon a hand is seen, how steady a show is, and what it takes."""

import argparse
import json
import os
import platform
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from vj import library
from vj.bench.asked import LONGEST_MINUTES, MOST_REPEATS, PARTS, PROGRAM_SIZE, RANDOM, Asked
from vj.commands.arguments import add_compile_argument, gathered, settings, size
from vj.errors import UsageError, VjError, did_you_mean


def add(parser: argparse.ArgumentParser) -> None:
    """Which parts, with what, and how the figures are shown."""
    parser.add_argument(
        "part", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}, all (default: all; at most 8 minutes)"
    )
    parser.add_argument("--json", action="store_true", help="one flat JSON object on stdout, units in the names")
    parser.add_argument(
        "--guide", default="shipped", metavar="G",
        help=f"as for play; {RANDOM}MODEL is an open_clip model with random weights, for timing without a download",
    )  # fmt: skip
    parser.add_argument("--preset", default="live", metavar="P", help="as for play")
    parser.add_argument(
        "--set", action="append", default=[], dest="values", metavar="PARAMETER=VALUE", help="as for play"
    )
    parser.add_argument(
        "--size", default="", metavar="WxH",
        help=f"of the canvas for engine (default: the preset's); of the program for the others ({PROGRAM_SIZE})",
    )  # fmt: skip
    parser.add_argument("--steps", metavar="N", help="optimisation steps a frame (default: the preset's)")
    parser.add_argument("--crops", metavar="N", help="views a step (default: the preset's)")
    parser.add_argument(
        "--device", default="auto", choices=("auto", "cpu", "cuda", "mps"), help="where the engine computes"
    )
    parser.add_argument("--cores", type=int, default=0, metavar="N", help="processor cores for the engine, as for play")
    _add_of_parts(parser)


def _add_of_parts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--repeats", type=int, default=20, metavar="N", help="engine: turns of each way (default 20)")
    parser.add_argument("--vram", type=float, metavar="GB", help="engine: no more of a CUDA device's memory than this")
    parser.add_argument("--profile", type=Path, metavar="FILE", help="engine: write the profiler's table of operators")
    add_compile_argument(parser)
    parser.add_argument("--encode", action="store_true", help="cadence: again beside an x264 720p30 encode by ffmpeg")
    parser.add_argument(
        "--minutes", type=float, default=1.0, metavar="N", help="memory: how long it is watched (default 1)"
    )
    parser.add_argument("--no-dashboard", action="store_true", help="measure with no dashboard and no browser watching")


def run(args: argparse.Namespace) -> int:
    """Measure, and print figures with their units in their names."""
    asked = asked_of(args)
    figures = _settings(asked)
    with tempfile.TemporaryDirectory(prefix="vj-bench-") as folder:
        guide = _loadable(asked, Path(folder))
        if "engine" in asked.parts:
            figures |= _engine(asked, guide)
        if asked.show_parts:
            from vj.bench.whole import measure_show

            print(f"bench: a whole show, for {', '.join(asked.show_parts)}; some minutes", file=sys.stderr)
            figures |= measure_show(asked, guide)
    if args.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:38} {value}")
    return 0


def asked_of(args: argparse.Namespace) -> Asked:
    """What is asked for. Raises UsageError with every problem at once, VjError for what is not on this machine."""
    problems: list[str] = []
    parts = _parts(args.part, problems)
    numbers = [f"{name}={text}" for name in ("steps", "crops") if (text := getattr(args, name)) is not None]
    given: dict[str, Any] = gathered(problems, lambda: settings([*args.values, *numbers]), {})
    wh = gathered(problems, partial(size, args.size), (0, 0)) if args.size else None
    gathered(problems, lambda: library.read_preset(library.find("presets", args.preset)), None)
    asked = Asked(
        parts=parts, guide=args.guide, preset=args.preset, values=given, canvas=wh,
        program_size=f"{wh[0]}x{wh[1]}" if wh else PROGRAM_SIZE, device=args.device, cores=args.cores,
        repeats=args.repeats, vram_gb=args.vram, profile=args.profile, compile_mode=args.compile, encode=args.encode,
        minutes=args.minutes, is_watched=not args.no_dashboard,
    )  # fmt: skip
    problems += _numbers_wrong(asked) + _parts_missing(asked) + _guides_wrong(asked) + _memory_wrong(asked)
    problems += _compiler_wrong(asked)
    if problems:
        raise UsageError("\n".join(problems))
    _need_all(asked)
    return asked


def _parts(words: list[str], problems: list[str]) -> tuple[str, ...]:
    known = (*PARTS, "all")
    problems += [
        f"no part of the bench called {word!r}{did_you_mean(word, known)}" for word in words if word not in known
    ]
    return PARTS if not words or "all" in words else tuple(part for part in PARTS if part in words)


def _numbers_wrong(asked: Asked) -> list[str]:
    found = []
    if not 1 <= asked.repeats <= MOST_REPEATS:
        found.append(f"--repeats {asked.repeats}: from 1 to {MOST_REPEATS}")
    if not 0.1 <= asked.minutes <= LONGEST_MINUTES:
        found.append(f"--minutes {asked.minutes:g}: from 0.1 to {LONGEST_MINUTES}")
    if not 0 <= asked.cores <= 1024:
        found.append(f"--cores {asked.cores}: from 1 to as many as there are")
    if asked.profile and not asked.profile.parent.is_dir():
        found.append(f"--profile {asked.profile}: no folder {asked.profile.parent}")
    return found


def _parts_missing(asked: Asked) -> list[str]:
    """Options whose part is not measured."""
    of_parts = {
        "--vram": asked.vram_gb is not None, "--profile": asked.profile is not None, "--encode": asked.encode,
    }  # fmt: skip
    needs = {"--vram": "engine", "--profile": "engine", "--encode": "cadence"}
    return [
        f"{option} is for {needs[option]}, which is not measured here: vj bench {needs[option]} {option}"
        for option, is_given in of_parts.items()
        if is_given and needs[option] not in asked.parts
    ]


def _guides_wrong(asked: Asked) -> list[str]:
    """Names that nobody knows; the shipped guide is known without a look at the others."""
    if asked.guide == "shipped":
        return []
    from engine.errors import GuideError
    from engine.guides.loading import find_source
    from engine.guides.untrained import check_random, is_random

    found = []
    for name in asked.guide.split("+"):
        try:
            if is_random(name):
                check_random(name)
            elif name != "shipped":
                find_source(name)
        except GuideError as err:
            found.append(f"--guide {name}: {err}")
    return found


def _memory_wrong(asked: Asked) -> list[str]:
    if asked.vram_gb is None:
        return []
    from engine.bench.memory import cap_problem
    from engine.devices import choose_device

    what = cap_problem(choose_device(asked.device)[0], asked.vram_gb)
    return [f"--vram {asked.vram_gb:g}: {what}"] if what else []


def _compiler_wrong(asked: Asked) -> list[str]:
    from engine.devices import choose_device

    if not asked.compile_mode or choose_device(asked.device)[0].type == "cuda":
        return []
    return [f"--compile {asked.compile_mode}: is for CUDA devices; a processor's steps are compiled already"]


def _need_all(asked: Asked) -> None:
    """Raise VjError where a known guide is not on this machine, or the encoder is not."""
    if asked.encode:
        from vj.bench.encode import need_ffmpeg

        need_ffmpeg()
    if asked.guide == "shipped":
        return
    from engine.guides.loading import find_source

    for name in asked.guide.split("+"):
        if name != "shipped" and not name.startswith(RANDOM) and find_source(name).file is None:
            raise VjError(f"guide {name!r} is not on this machine; get it with: vj guides pull {name}")


def _settings(asked: Asked) -> dict[str, Any]:
    """What was asked for, and of which machine."""
    return {
        "parts": " ".join(asked.parts),
        "guide": asked.guide,
        "weights": "random, for timing only" if asked.is_random else "as published",
        "preset": asked.preset,
        **{f"set_{name}": value for name, value in asked.values.items()},
        "machine": f"{platform.system()} {platform.machine()} {_processor()}".strip(),
        "machine_cores": os.cpu_count() or 0,
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _loadable(asked: Asked, folder: Path) -> str:
    """The guide's name as it is loaded; weights that are to be random are written into the folder first."""
    if not asked.is_random:
        return asked.guide
    from engine.guides.untrained import is_random, write_random

    print("bench: making random weights", file=sys.stderr)
    return "+".join(write_random(name, folder) if is_random(name) else name for name in asked.guide.split("+"))


def _engine(asked: Asked, guide: str) -> dict[str, Any]:
    from engine.bench.part import EngineAsked, measure

    print("bench: the engine and the baseline in turns, a minute or two", file=sys.stderr)
    return measure(
        EngineAsked(
            guide,
            asked.look(),
            asked.device,
            asked.cores,
            asked.repeats,
            asked.vram_gb,
            asked.profile,
            asked.compile_mode,
        )
    )

"""`vj bench`: how fast this machine paints, how soon a knob is seen, and what a killed engine costs."""

import argparse
import json
import sys
from typing import Any

PARTS = ("step", "show", "recovery")


def add(parser: argparse.ArgumentParser) -> None:
    """Which parts, and how they are shown."""
    parser.add_argument("part", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (default: all)")
    parser.add_argument("--json", action="store_true", help="one flat JSON object on stdout")
    parser.add_argument("--guide", default="shipped", metavar="G", help="as for play")
    parser.add_argument("--preset", default="live", metavar="P", help="as for play")
    parser.add_argument("--size", default="640x360", metavar="WxH", help="size of the program (default 640x360)")
    parser.add_argument(
        "--device", default="auto", choices=("auto", "cpu", "cuda", "mps"), help="where the engine computes"
    )
    parser.add_argument("--no-dashboard", action="store_true", help="measure with no dashboard and no browser watching")


def run(args: argparse.Namespace) -> int:
    """Measure, and print figures with their units in their names."""
    from vj.commands.arguments import size
    from vj.errors import UsageError, did_you_mean

    size(args.size)
    for part in args.part:
        if part not in PARTS:
            raise UsageError(f"no part of the bench called {part!r}{did_you_mean(part, PARTS)}")
    wanted = args.part or PARTS
    figures: dict[str, Any] = {"size": args.size, "guide": args.guide, "preset": args.preset}
    if "step" in wanted:
        figures.update(_step(args))
    if "show" in wanted or "recovery" in wanted:
        figures.update(_show(args, wanted))
    if args.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:34} {value}")
    return 0


def _step(args: argparse.Namespace) -> dict[str, Any]:
    print("bench: steps, ours and the baseline's, side by side", file=sys.stderr)
    from engine.bench import bench_step
    from engine.devices import choose_device
    from engine.guides.loading import load_guide
    from engine.parameters import Look
    from vj import library

    look = Look(line="a red heart").with_values(library.read_preset(library.find("presets", args.preset)).values)
    device, _ = choose_device(args.device)
    guide = load_guide(args.guide, device)
    canvas = f"{look.whole('canvas_width')}x{look.whole('canvas_height')}"
    return {"device": str(device), "canvas": canvas, **bench_step(guide, look, repeats=20)}


def _show(args: argparse.Namespace, wanted: tuple[str, ...]) -> dict[str, Any]:
    from vj import bench

    print("bench: a whole show, about a minute", file=sys.stderr)
    options = ["--guide", args.guide, "--preset", args.preset, "--size", args.size, "--device", args.device]
    figures: dict[str, Any] = {}
    with bench.BenchShow(options, not args.no_dashboard) as show:
        figures.update(bench.first_frames(show))
        if "show" in wanted:
            for _ in bench.watched(show.program, bench.WARM_UP_S):
                pass
            figures.update(bench.steady(show))
            figures.update(bench.osc_to_frame(show))
        if "recovery" in wanted:
            figures.update(bench.engine_killed(show))
    return figures

"""Arguments that play and render share, and the plan made of them."""

import argparse
import re
from collections.abc import Callable
from typing import Any, TypeVar

from engine.parameters import PARAMETERS
from vj import library
from vj.errors import UsageError, did_you_mean
from vj.runtime import Plan

T = TypeVar("T")

COMPILE_MODES = ("none", "default", "max-autotune-no-cudagraphs")
"""None, and torch's names; those of `engine.compiled`, which cannot be asked before torch is loaded."""


def add_show_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that say what is painted and how."""
    parser.add_argument(
        "--guide", default="shipped", metavar="G",
        help="guide by name, or MODEL:TAG, or MODEL:FILE; G+G for two (default: shipped)",
    )  # fmt: skip
    parser.add_argument(
        "--device", default="auto", choices=("auto", "cpu", "cuda", "mps"), help="where the engine computes"
    )
    parser.add_argument("--preset", default="live", metavar="P", help="preset by name or file (default: live)")
    parser.add_argument(
        "--set", action="append", default=[], dest="values", metavar="PARAMETER=VALUE",
        help="set a parameter; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--size", default="", metavar="WxH", help="size of the program (default 640x360; 1280x720 with an NVIDIA GPU)"
    )
    parser.add_argument(
        "--fps", type=float, default=30.0, metavar="N", help="frames a second of the program (default 30)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the random numbers (default 0)")
    parser.add_argument(
        "--cores", type=int, default=0, metavar="N",
        help="processor cores for the engine (default: all but one, at most 4)",
    )  # fmt: skip
    add_compile_argument(parser)


def add_compile_argument(parser: argparse.ArgumentParser) -> None:
    """The option that has steps compiled."""
    parser.add_argument(
        "--compile", default="", choices=COMPILE_MODES, metavar="MODE",
        help="on an NVIDIA GPU, have steps compiled by torch's compiler beside the picture, which is slower "
        "meanwhile: default (half a minute), or max-autotune-no-cudagraphs (minutes); none: by nothing, not even fused",
    )  # fmt: skip


def size(text: str) -> tuple[int, int]:
    """Width and height of "1280x720". Raises UsageError outside 64x64 to 3840x2160."""
    found = re.fullmatch(r"(\d{2,4})[xX×](\d{2,4})", text)
    if not found:
        raise UsageError(f"--size {text!r}: give width and height as in 1280x720")
    width, height = int(found[1]), int(found[2])
    if not (64 <= width <= 3840 and 64 <= height <= 2160):
        raise UsageError(f"--size {text}: from 64x64 to 3840x2160")
    # Virtual cameras and H.264 take even sizes only.
    return width - width % 2, height - height % 2


def settings(given: list[str]) -> dict[str, Any]:
    """The parameters of `--set name=value …`, in their own types. Raises UsageError with every problem at once."""
    values: dict[str, Any] = {}
    problems = []
    for item in given:
        name, equals, text = item.partition("=")
        name = name.strip()
        if not equals or name not in PARAMETERS:
            hint = did_you_mean(name, PARAMETERS) if equals else "; write it as parameter=value"
            problems.append(f"--set {item}: no parameter called {name!r}{hint}")
            continue
        values[name] = value_of(name, text.strip())
        what = library.value_problem(name, values[name])
        problems += [f"--set {item}: {what}"] if what else []
    if problems:
        raise UsageError("\n".join(problems))
    return values


def value_of(name: str, text: str) -> Any:
    """A value from its text on the command line; a text that does not fit stays a text and is refused later."""
    kind = PARAMETERS[name].kind
    if kind == "switch":
        return {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}.get(text.lower(), text)
    if kind in ("number", "whole"):
        try:
            return int(text) if kind == "whole" else float(text)
        except ValueError:
            return text
    return text


def gathered(problems: list[str], make: Callable[[], T], otherwise: T) -> T:
    """What `make` gives; where it refuses what was asked, its reasons join the problems and `otherwise` stands in."""
    try:
        return make()
    except UsageError as err:
        problems += str(err).splitlines()
        return otherwise


def plan_from(args: argparse.Namespace, problems: list[str], **more: Any) -> Plan:
    """The plan of these arguments; whatever is wrong with them joins the problems."""
    width, height = gathered(problems, lambda: size(args.size or default_size(args.device)), (640, 360))
    if not 1 <= args.fps <= 120:
        problems.append(f"--fps {args.fps:g}: from 1 to 120")
    if args.for_s is not None and not 0 < args.for_s < 1e9:
        problems.append(f"--for {args.for_s:g}: give it as seconds, more than 0")
    if not 0 <= args.cores <= 1024:
        problems.append(f"--cores {args.cores}: from 1 to as many as there are")
    return Plan(
        width=width, height=height, fps=args.fps, guide=args.guide, device=args.device, preset=args.preset,
        values=gathered(problems, lambda: settings(args.values), {}), seed=args.seed, cores=args.cores,
        compile_mode=args.compile, **more,
    )  # fmt: skip


def cue_file(name: str, problems: list[str]) -> str:
    """The path of a cue file given by name or path, "" for none."""
    return gathered(problems, lambda: str(library.find("cues", name).resolve()), "") if name else ""


def default_size(device: str) -> str:
    """1280x720 where an NVIDIA driver answers or CUDA was asked for, else 640x360."""
    import shutil

    return "1280x720" if device == "cuda" or (device == "auto" and shutil.which("nvidia-smi")) else "640x360"

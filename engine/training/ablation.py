"""What each part of the guide's training does: python -m engine.training.ablation --out docs.

Trains small guides of a few subjects for the same number of steps, one with everything and one without each part in
turn, paints every subject with each, and asks the judge which of them it sees. Writes ablation.md and ablation.png.
"""

import argparse
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from engine.guides.shipped import load_shipped
from engine.score.critic import Critic, JudgeCritic, Rgb
from engine.score.judge import load_judge
from engine.training.concepts import Concepts, read_concepts
from engine.training.guide import RUNS, Session
from engine.training.sheet import paint
from engine.training.sheets_layout import Tile, contact_sheet
from engine.training.trainer import ALL

VARIANTS = ("", *sorted(ALL))
"""What is left out, nothing first."""

SHOWN = 8
"""Subjects on the sheet."""

PAINT_STEPS, PAINT_VIEWS = 60, 4


@dataclass(frozen=True, slots=True)
class Ablated:
    """One small guide: what was left out, its pictures of all subjects, and the share of them that the judge named."""

    without: str
    rgbs: tuple[Rgb, ...]
    named: float
    among_three: float
    seconds: float


def main() -> None:
    """Train, paint, judge and write the table and the sheet."""
    options = _options()
    concepts = _few(read_concepts(), options.subjects)
    names = [subject.name for subject in concepts.subjects]
    critic = JudgeCritic(load_judge())
    found = []
    for without in VARIANTS:
        found.append(ablated(concepts, without, options, critic))
        print(f"without {without or 'nothing'}: {found[-1].named:.0%} named", flush=True)
    table = [
        f"{len(names)} subjects, {options.steps} steps of {options.batch} canvases, {PAINT_STEPS} steps of painting",
        "",
        f"| left out | named by the judge, of {len(names)} | among its first three | seconds |",
        "|---|---|---|---|",
        *(f"| {o.without or 'nothing'} | {o.named:.0%} | {o.among_three:.0%} | {o.seconds:.0f} |" for o in found),
    ]
    (options.out / "ablation.md").write_text("\n".join(table) + "\n", encoding="utf-8")
    tiles = [
        Tile(rgb, f"{name}" + (f" - {o.without}" if o.without else ""))
        for o in found
        for name, rgb in list(zip(names, o.rgbs, strict=True))[:SHOWN]
    ]
    contact_sheet(tiles, SHOWN).save(options.out / "ablation.png", optimize=True)


def ablated(concepts: Concepts, without: str, options: argparse.Namespace, critic: Critic) -> Ablated:
    """A guide trained without this part, and what the judge makes of its pictures."""
    began = time.monotonic()
    torch.manual_seed(options.seed)
    path = RUNS / "ablation" / f"{without or 'everything'}.safetensors"
    settings = {**vars(options), "without": [without] if without else [], "out": path, "name": "ablation"}
    Session(concepts, argparse.Namespace(**settings)).run()
    names = [subject.name for subject in concepts.subjects]
    pictures = paint(load_shipped(path), names, PAINT_STEPS, PAINT_VIEWS, options.seed)
    rgbs = tuple((p.permute(1, 2, 0) * 255).round().byte().numpy() for p in pictures)
    order = (critic.see(rgbs) @ critic.read(names).T).argsort(dim=1, descending=True).numpy()
    places = np.array([int((row == n).nonzero()[0][0]) for n, row in enumerate(order)])
    return Ablated(without, rgbs, float((places < 1).mean()), float((places < 3).mean()), time.monotonic() - began)


def _few(concepts: Concepts, count: int) -> Concepts:
    """So many subjects, evenly from the whole table."""
    every = max(1, len(concepts.subjects) // count)
    return replace(concepts, subjects=concepts.subjects[::every][:count])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m engine.training.ablation", description=__doc__)
    parser.add_argument("--subjects", type=int, default=24)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path())
    parser.set_defaults(
        minutes=0.0, resume=False, start_from=None, calm_by=None, pause_file=None, workers=1, few=True, only=""
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()

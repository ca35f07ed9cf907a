"""Train the judge that measures pictures: python -m engine.training.judge --device cpu --minutes 25 [--resume].

It is never used to paint. It learns from the same kind of scenes as the shipped guide, as there are no others, but
from its own views and distortions, in its own order, and with every subject equally often.
"""

import argparse
import json
import math
import random
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from engine.score.judge import JUDGE_PATH, Judge, JudgeShape, save_judge
from engine.training.aliases import full_tokenizer
from engine.training.concepts import read_concepts, tokenizer_for
from engine.training.facts import FARTHEST, LOOSE, Recipe
from engine.training.glyphs import dim_ones, draw_glyphs
from engine.training.judge_distortions import distorted
from engine.training.judge_trainer import JudgeTrainer
from engine.training.losses import holds
from engine.training.patterns import Chance
from engine.training.recipes import Cook
from engine.training.scenes import Bank, Scenes, Studio

RUNS = Path("training-runs")
"""Checkpoints, logs and the glyph cache; not in git."""

SEED = 77_000
"""Added to every seed, so that no scene comes in the guide's order."""

REPORT_EVERY_S = 60.0
WARM_UP_STEPS = 100


def main() -> None:
    """Train for the minutes given, exporting on the way and at the end."""
    options = _options()
    torch.manual_seed(SEED + options.seed)
    Session(options).run()


class Session:
    """One run of training. Owns the clock, the scenes and the trainer."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        concepts = read_concepts()
        chance = Chance(SEED + options.seed, options.device)
        glyphs = draw_glyphs(concepts.subjects, RUNS / options.name / "cache")
        dim = dim_ones(glyphs)
        self.tokenizer = tokenizer_for(concepts)
        self.full_tokenizer = full_tokenizer(concepts)
        self.names = [s.name for s in concepts.subjects]
        self.studio = Studio(concepts, glyphs, chance, size=JudgeShape().sees, bank=Bank(24))
        self.order = random.Random(SEED + options.seed)
        self.cook = fair_cook(Cook(concepts, SEED + options.seed, dim, freedom=LOOSE))
        exam = fair_cook(Cook(concepts, 2 * SEED + options.seed, dim, True, LOOSE))
        self.exam = self._scenes(exam.recipe, 256)
        # Beside other work on a CPU only this process's own time says how much was learnt.
        self._clock = time.process_time if options.device == "cpu" else time.monotonic
        self.trainer = JudgeTrainer(concepts, self.tokenizer, chance, JudgeShape())
        if options.resume:
            self.trainer.resume(self.folder / "checkpoint.pt")
        elif options.start_from:
            print(f"taken over: {self.trainer.take_over(options.start_from)} tensors", flush=True)

    @property
    def folder(self) -> Path:
        """Where this run keeps its checkpoint and log."""
        return RUNS / str(self.options.name)

    def run(self) -> None:
        """Train until the minutes are over: the processor's, or on a GPU the clock's; pauses do not count."""
        trained_s = reported_s = 0.0
        whole_s, losses = self.options.minutes * 60, dict[str, float]()
        while trained_s < whole_s:
            while self.options.pause_file and self.options.pause_file.exists():
                time.sleep(1.0)
            began = self._clock()
            losses = self.trainer.train(
                self._scenes(self.cook.recipe, self.options.batch), self._rate(trained_s / whole_s)
            )
            trained_s += self._clock() - began
            if trained_s - reported_s > REPORT_EVERY_S:
                reported_s = trained_s
                self._report(trained_s, losses)
        self._report(trained_s, losses)

    def _scenes(self, recipe: Callable[[], Recipe], count: int) -> Scenes:
        recipes = [recipe() for _ in range(count)]
        for one in recipes:
            one.box = judged_box(self.order, one.box)
        return self.studio.paint(recipes, self.tokenizer)

    def _rate(self, part: float) -> float:
        """Learning rate: a short warm-up, then a cosine down to a fiftieth."""
        warm = min(1.0, (self.trainer.steps + 1) / WARM_UP_STEPS)
        return float(self.options.rate * warm * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * min(1.0, part)))))

    def _report(self, trained_s: float, losses: dict[str, float]) -> None:
        found = examine(self.trainer.average, self.exam, self.names, Chance(SEED, self.options.device))
        line = {"minutes": trained_s / 60, "steps": self.trainer.steps, **losses, **found}
        text = json.dumps({key: round(value, 4) for key, value in line.items()})
        print(text, flush=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(text + "\n")
        self.trainer.save(self.folder / "checkpoint.pt")
        self.trainer.average.tokenizer = self.full_tokenizer
        save_judge(self.options.out, self.trainer.average)


def fair_cook(cook: Cook) -> Cook:
    """The cook without favourites."""
    cook.weights = [1.0] * len(cook.weights)
    return cook


def judged_box(order: random.Random, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """What the judge is shown of a picture: its middle square, its squeezed width, or, one time in ten, a part."""
    kind = order.random()
    if kind > 0.9:
        return box
    high = order.uniform(0.92, 1.02)
    wide = high if kind < 0.5 else order.uniform(4 / 3, FARTHEST)
    x, y = order.gauss(0, 0.03), order.gauss(0, 0.03)
    return x - wide, y - high, x + wide, y + high


@torch.no_grad()
def examine(judge: Judge, scenes: Scenes, names: list[str], chance: Chance) -> dict[str, float]:
    """Shares in 0..1 on held-out scenes, clean and distorted: right caption first of all, right name of subjects."""
    texts, named = _unit(judge.reader(scenes.tokens)), judge.read(names)
    right = holds(scenes.said, scenes.true)
    found: dict[str, float] = {}
    for kind, views in (("", scenes.pictures), ("_distorted", distorted(scenes.pictures, chance))):
        images = judge.see(views)
        first = (images @ texts.T).argmax(1)
        found[f"caption_first{kind}"] = right[torch.arange(len(first)), first].float().mean().item()
        found[f"name_first{kind}"] = ((images @ named.T).argmax(1) == scenes.true[:, 0]).float().mean().item()
    return found


def _unit(vectors: Tensor) -> Tensor:
    return torch.nn.functional.normalize(vectors.float(), dim=-1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m engine.training.judge", description=__doc__)
    parser.add_argument("--device", default="cpu", help="cpu, cuda, mps")
    parser.add_argument("--minutes", type=float, default=25.0, help="time spent training; 0 with --resume only exports")
    parser.add_argument("--batch", type=int, default=64, help="scenes in a batch")
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--name", default="judge", help="folder of this run under training-runs/")
    parser.add_argument("--resume", action="store_true", help="go on from this run's checkpoint")
    parser.add_argument("--start-from", type=Path, help="a judge's file whose fitting weights are taken over")
    parser.add_argument("--out", type=Path, default=JUDGE_PATH, help="the judge to write")
    parser.add_argument("--pause-file", type=Path, help="train only while this file does not exist")
    return parser.parse_args()


if __name__ == "__main__":
    main()

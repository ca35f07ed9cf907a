"""Train the shipped guide: python -m engine.training.guide --device cpu --minutes 30 [--resume]."""

import argparse
import json
import math
import time
from pathlib import Path

import torch

from engine.guides.shipped import SHIPPED_PATH, GuideShape, save_shipped
from engine.training.aliases import full_tokenizer
from engine.training.canvases import Easel
from engine.training.concepts import Concepts, read_concepts, tokenizer_for
from engine.training.facts import LOOSE, STEADY
from engine.training.glyphs import dim_ones, draw_glyphs
from engine.training.lessons import KEPT, LESSON, LESSONS, Album
from engine.training.measure import measure
from engine.training.patterns import Chance
from engine.training.recipes import Cook
from engine.training.scenes import Bank, Scenes, Studio
from engine.training.trainer import ALL, Trainer
from engine.training.workers import agreed, join, rank, share

RUNS = Path("training-runs")
"""Checkpoints, logs and the glyph cache; not in git."""

GROUNDS = 0
"""The seed of the grounds' pictures."""

MEASURE_EVERY_S, MEASURED = 120.0, 20
EXPORT_EVERY_S, EXPORTED = 300.0, 6
"""Longest times between measurements and between exports; short trainings have about so many of each."""

WARM_UP_STEPS = 60

PICTURES, WORDS, BOTH = "pictures", "words", "both"
STAGES = {PICTURES: 0.24, WORDS: 0.36, BOTH: 0.40}
"""Parts of the training: to paint what a picture shows, what words look like, and to paint what words say."""

RATES = {PICTURES: 0.7, WORDS: 1.0, BOTH: 0.3}
"""Share of the highest learning rate in each stage: the last one begins with a guide that can paint."""

TOWER = 0.5
"""Share of the rate with which the image tower learns beside words."""

EASELS = 40
"""Batches of canvases that are painted in turns."""


def main() -> None:
    """Train for the minutes given, exporting on the way and at the end."""
    options = _options()
    others = join(options.workers)
    torch.manual_seed(options.seed)
    torch.backends.cudnn.benchmark = True  # there are few shapes of batches
    options.seed += 101 * rank()  # the same model, other scenes
    options.batch = max(1, options.batch // options.workers)
    Session(read_concepts(), options).run()
    for other in others:
        other.wait()


class Session:
    """One run of training. Owns the clock, the data and the trainer."""

    def __init__(self, concepts: Concepts, options: argparse.Namespace) -> None:
        self.options = options
        self.concepts = concepts
        self.names = [s.name for s in concepts.subjects]
        chance = Chance(options.seed, options.device)
        glyphs = draw_glyphs(concepts.subjects, RUNS / "cache")
        dim = dim_ones(glyphs)
        self.tokenizer = tokenizer_for(concepts)
        is_loose = "one-picture" in options.without
        self.cook = Cook(concepts, options.seed, dim, freedom=LOOSE if is_loose else STEADY)
        # The same words have the same grounds in every process, on every device and in every run.
        bank = Bank(32 if is_loose else 4, Chance(GROUNDS, "cpu"))
        self.studio = Studio(concepts, glyphs, chance, bank=bank)
        exam = Cook(concepts, 10_000 + options.seed, dim, held_out=True)
        self.exam = self.studio.paint([exam.recipe() for _ in range(256)], self.tokenizer)
        grounds = len(concepts.grounds) + len(concepts.patterns)
        sizes = len(self.tokenizer.words), len(self.names), grounds
        self.trainer = Trainer(GuideShape(), *sizes, chance, frozenset(options.without))
        self.trained_s = 0.0
        self.stage, self.began = "", 0
        self.album = Album(chance, max(KEPT, LESSONS * LESSON * options.batch))
        self.easels, self.turn = [self._easel() for _ in range(EASELS)], 0
        if options.start_from and not options.resume:
            print(f"taken over: {self.trainer.take_over(options.start_from, self.tokenizer.words)} tensors", flush=True)
        if options.resume:
            self.trained_s = self.trainer.resume(self.checkpoint, self.tokenizer.words, bool(options.calm_by))
        if options.calm_by:  # its tower is compared with the one that is trained from
            self.trainer.calm_by(options.calm_by, self.tokenizer.words)
        share([*self.trainer.learnt, *self.trainer.average.parameters()])

    @property
    def checkpoint(self) -> Path:
        """Where this run keeps what resuming needs."""
        return RUNS / str(self.options.name) / "checkpoint.pt"

    def run(self) -> None:
        """Train until the minutes are over, those of earlier stretches included; pauses do not count."""
        measured_s = exported_s = self.trained_s
        losses = dict[str, float]()
        while (part := agreed(self._part())) < 1.0:
            self._pause()
            began = time.monotonic()
            losses = self._step(part)
            self.trained_s += time.monotonic() - began
            if self.trained_s - measured_s > self._every(MEASURE_EVERY_S, MEASURED):
                measured_s = self.trained_s
                self._report(losses)
            if self.trained_s - exported_s > self._every(EXPORT_EVERY_S, EXPORTED):
                exported_s = self.trained_s
                self._export()
        self._report(losses)
        self._export()

    def _every(self, longest_s: float, times: int) -> float:
        return min(longest_s, self.options.minutes * 60 / times) if self.options.minutes else longest_s

    def _part(self) -> float:
        """How much of the training is done; 1 at its end."""
        if self.options.steps:
            return float(self.trainer.steps / self.options.steps)
        return self.trained_s / (self.options.minutes * 60) if self.options.minutes else 1.0

    def _stage(self, part: float) -> tuple[str, float]:
        """The stage of the training of which so much is done, and how much of the stage is."""
        if self.options.only or "pictures-first" in self.options.without:
            return self.options.only or BOTH, part
        for stage, length in STAGES.items():
            if part < length:
                return stage, part / length
            part -= length
        return BOTH, 1.0

    def _step(self, done: float) -> dict[str, float]:
        stage, part = self._stage(done)
        if stage != self.stage:
            self.stage, self.began = stage, self.trainer.steps
            self.trainer.settle()
        rate = self._rate(part) * RATES[stage]
        lesson = self._lesson(rate, stage == WORDS) if stage != PICTURES else {}
        if stage == WORDS:
            return lesson
        place = self.turn = (self.turn + 1) % EASELS
        if self.easels[place].steps_left <= 0:
            self.easels[place] = self._easel()
        # Words could not follow a tower that learns as fast as they do.
        found = self.trainer.train(self.easels[place], rate * (TOWER if stage == BOTH else 1.0), by_words=stage == BOTH)
        return found | lesson

    def _lesson(self, rate: float, is_alone: bool) -> dict[str, float]:
        """One step of learning words from views seen lately; the losses."""
        count = LESSON * self.options.batch
        scenes = self._scenes(self.album.wants(count))
        self.album.add(scenes, self.trainer.see(scenes.pictures))
        return self.trainer.learn_words(self.album.lesson(count), rate, is_alone)

    def _scenes(self, count: int) -> Scenes:
        return self.studio.paint([self.cook.recipe() for _ in range(count)], self.tokenizer)

    def _easel(self) -> Easel:
        brief = 1.0 if "long-canvases" in self.options.without else 0.5
        return Easel.of(self._scenes(self.options.batch), self.studio.chance, brief)

    def _rate(self, part: float) -> float:
        """Learning rate in a stage: a short warm-up, then a cosine down to a fiftieth."""
        warm = min(1.0, (self.trainer.steps - self.began + 1) / WARM_UP_STEPS)
        return float(self.options.rate * warm * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * min(1.0, part)))))

    def _report(self, losses: dict[str, float]) -> None:
        if rank():
            return
        found = measure(self.trainer.average, self.tokenizer, self.exam, self.names)
        line = {"minutes": self.trained_s / 60, "steps": self.trainer.steps, **losses, **found}
        text = json.dumps({key: round(value, 4) for key, value in line.items()})
        print(text, flush=True)
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        with (self.checkpoint.parent / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(text + "\n")

    def _export(self) -> None:
        if rank():
            return
        self.trainer.save(self.checkpoint, self.trained_s, self.tokenizer.words)
        # The hand table of aliases is about all subjects there are.
        tokenizer = self.tokenizer if self.options.few else full_tokenizer(self.concepts)
        save_shipped(self.options.out, self.trainer.average, tokenizer, self.concepts.names())

    def _pause(self) -> None:
        while self.options.pause_file and self.options.pause_file.exists():
            time.sleep(1.0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m engine.training.guide", description=__doc__)
    parser.add_argument("--device", default="cpu", help="cpu, cuda, mps")
    parser.add_argument(
        "--minutes", type=float, default=30.0, help="time spent training in all; 0 with --resume only measures"
    )
    parser.add_argument("--steps", type=int, default=0, help="train so many steps instead")
    parser.add_argument("--without", nargs="*", default=[], choices=sorted(ALL), help="leave out, to see what it does")
    parser.add_argument("--only", choices=tuple(STAGES), default="", help="this stage alone")
    parser.add_argument("--batch", type=int, default=64, help="scenes in a batch")
    parser.add_argument("--workers", type=int, default=1, help="processes that share a batch, each on one core")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--name", default="guide", help="folder of this run under training-runs/")
    parser.add_argument("--resume", action="store_true", help="go on from this run's checkpoint")
    parser.add_argument("--start-from", type=Path, help="a guide or checkpoint whose weights are taken over")
    parser.add_argument("--calm-by", type=Path, help="with --only words: a guide; words half mean what they mean to it")
    parser.add_argument("--out", type=Path, default=SHIPPED_PATH, help="the guide to write")
    parser.add_argument("--pause-file", type=Path, help="train only while this file does not exist")
    parser.set_defaults(few=False)
    options = parser.parse_args()
    if options.calm_by and options.only != WORDS:
        parser.error("--calm-by needs --only words: other stages change the tower that the guide's words are for")
    return options


if __name__ == "__main__":
    main()

"""Train the shipped denoiser: python -m engine.training.denoiser --device cpu --minutes 25 [--resume].

With --teacher FILE it is taught to answer as that denoiser does, on spoiled pictures and on canvases of shows.
"""

import argparse
import copy
import json
import math
import time
import zlib
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.denoise.clean import (
    SHIPPED_PATH,
    SHIPPED_SHAPE,
    CleanNet,
    CleanShape,
    cleaned,
    enlarged,
    load_clean,
    save_clean,
    softened,
)
from engine.denoise.edges import keep_edges
from engine.guides.loading import load_guide
from engine.guides.words import SHIPPED_PATH as GUIDE_PATH
from engine.training.concepts import read_concepts
from engine.training.denoiser_damage import spoiled, traces
from engine.training.denoiser_painted import painted_canvases
from engine.training.denoiser_pictures import draw_scenes
from engine.training.glyphs import draw_glyphs
from engine.training.patterns import Chance

RUNS = Path("training-runs")
"""Checkpoints, logs, the glyph cache and the bank of pictures; not in git."""

SIDE = 288
"""Pixels of a clean picture; its canvas is half as high and wide."""
PATCH = 64
"""Pixels of a canvas shown at once."""
EXAM = 24
"""Pictures of the bank that are kept for measuring."""

KEEP = 0.998
"""Share of the moving average kept at each step."""
PAINTED, MIXED = 0.7, 0.3
"""Of a batch with a teacher: patches of canvases; and of those, with colours exchanged."""

OUTLINES, COLOURS = 1.0, 1.0
"""Weights of the outlines' and of the coarse colours' error, next to that of the pixels."""

REPORT_EVERY_S = 60.0
WARM_UP_STEPS = 100


def main() -> None:
    """Train for the minutes given, exporting every minute and at the end."""
    options = _options()
    torch.manual_seed(options.seed)
    Session(options).run()


def loss_of(found: Tensor, wanted: Tensor) -> Tensor:
    """Error of pixels, of outlines (differences of neighbours), and of colours over 8×8 pixels; (n, 3, h, w) each.

    All absolute: where an outline's place is uncertain, a mean of squares would choose a blurred one.
    """
    error = found - wanted
    across = (error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()) / 2
    return error.abs().mean() + OUTLINES * across + COLOURS * F.avg_pool2d(error, 8).abs().mean()


class Session:
    """One run of training. Owns the bank of pictures, the network, its average and the optimiser."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.folder = RUNS / str(options.name)
        self.folder.mkdir(parents=True, exist_ok=True)
        device = torch.device(options.device)
        # What a step draws depends on the seed and the step alone, so that a resumed run goes on as it would have.
        self.scenes, self.left = (part.to(device) for part in _bank(self.folder, options))
        self.teacher = load_clean(options.teacher).to(device) if options.teacher else None
        self.canvases = _canvases(self.folder, options).to(device) if self.teacher else None
        net = CleanNet(SHIPPED_SHAPE if self.teacher else CleanShape())
        if self.teacher:  # begins as it, but for the convolutions that it has more
            fitting = {name: value for name, value in self.teacher.state_dict().items() if name in net.state_dict()}
            net.load_state_dict(fitting)
        self.net = net.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.net).eval().requires_grad_(False)
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=1e-4)
        # On a CPU shared with other work only what this thread computed counts, or a busy machine would train less.
        self.clock = time.thread_time if device.type == "cpu" else time.monotonic
        self.steps, self.trained_s = 0, 0.0
        if options.resume:
            self._resume()

    def run(self) -> None:
        """Train until the minutes are over."""
        reported_s, loss = self.trained_s, math.nan
        until_s = self.trained_s + 60 * self.options.minutes
        try:
            while self.trained_s < until_s:
                began = self.clock()
                loss = self.step(self._rate(self.trained_s / until_s))
                self.trained_s += self.clock() - began
                if self.trained_s - reported_s > REPORT_EVERY_S:
                    reported_s = self.trained_s
                    self._report(loss)
        finally:  # also when it is stopped by Ctrl-C
            self._report(loss)

    def step(self, rate: float) -> float:
        """One step on a batch of patches at this learning rate; its loss."""
        chance = Chance(self.options.seed * 1_000_003 + self.steps, self.scenes.device)
        canvas, wanted = self._batch(chance)
        canvas = canvas.contiguous(memory_format=torch.channels_last)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        with torch.autocast(canvas.device.type, torch.bfloat16, enabled=self.options.half):
            lacking = self.net(canvas)
        # Differences of neighbours take half the time where each colour lies by itself.
        found = (enlarged(softened(canvas)) + lacking.float()).contiguous(memory_format=torch.contiguous_format)
        loss = loss_of(found, wanted.contiguous())
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        self.steps += 1
        keep = min(KEEP, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            torch._foreach_lerp_([*self.average.parameters()], [*self.net.parameters()], 1 - keep)
        return float(loss.detach())

    def _batch(self, chance: Chance) -> tuple[Tensor, Tensor]:
        """Canvases (n, 3, p, p) and what is wanted of them (n, 3, 2p, 2p): with a teacher, its answers."""
        count: int = self.options.batch
        if self.teacher is None or self.canvases is None:
            wanted, left = self._patches(count, chance)
            return spoiled(wanted, left, chance), wanted
        shown = round(PAINTED * count)
        pictures, left = self._patches(count - shown, chance)
        canvas = torch.cat([_cut(self.canvases, shown, chance), spoiled(pictures, left, chance)])
        return canvas, cleaned(self.teacher, canvas, 1.0, 2)

    def _patches(self, count: int, chance: Chance) -> tuple[Tensor, Tensor]:
        """Clean patches (n, 3, 2p, 2p) and the engine's traces on them (n, 3, p, p), turned over by chance."""
        room = SIDE // 2 - PATCH
        numbers = chance.below(len(self.scenes) - EXAM, count).tolist()
        rows, columns = (chance.below(room + 1, count).tolist() for _ in range(2))
        wanted, left = [], []
        for number, row, column in zip(numbers, rows, columns, strict=True):
            wanted.append(self.scenes[number, :, 2 * row : 2 * (row + PATCH), 2 * column : 2 * (column + PATCH)])
            left.append(self.left[number, :, row : row + PATCH, column : column + PATCH])
        both = torch.stack(wanted).float() / 255, torch.stack(left).float()
        turns, mirrored = chance.below(8, 2).tolist()
        order = torch.randperm(3, generator=chance.source, device=chance.device)
        turned = [torch.rot90(part[:, order], turns, (-2, -1)) for part in both]
        first, second = (part.flip(-1) if mirrored % 2 else part for part in turned)
        return first, second

    def _rate(self, part: float) -> float:
        """Learning rate: a short warm-up, then a cosine down to a fiftieth."""
        warm = min(1.0, (self.steps + 1) / WARM_UP_STEPS)
        return float(self.options.rate * warm * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * min(1.0, part)))))

    @torch.no_grad()
    def measure(self) -> dict[str, float]:
        """Signal to noise in dB on pictures never trained on: enlarged only, after the `edges` filter, and cleaned."""
        chance = Chance(77, self.scenes.device)
        wanted = self.scenes[-EXAM:].float() / 255
        canvases = spoiled(wanted, self.left[-EXAM:].float(), chance)
        answers = {
            "enlarged": enlarged(canvases),
            "edges": torch.cat([enlarged(keep_edges(canvas[None], 0.5)) for canvas in canvases]),
            "cleaned": cleaned(self.average, canvases, 1.0, 2),
        }
        found = {name: _decibels(answer, wanted) for name, answer in answers.items()}
        tint = (answers["cleaned"].mean((2, 3)) - canvases.mean((2, 3))).abs().mean()
        return {**found, "tint": float(tint)}

    def _report(self, loss: float) -> None:
        line = {"minutes": self.trained_s / 60, "steps": self.steps, "loss": loss, **self.measure()}
        text = json.dumps({key: round(value, 4) for key, value in line.items()})
        print(text, flush=True)
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(text + "\n")
        state = {"net": self.net.state_dict(), "average": self.average.state_dict(), "steps": self.steps}
        state |= {"optimiser": self.optimiser.state_dict(), "trained_s": self.trained_s}
        part = self.folder / "checkpoint.part"
        torch.save(state, part)
        part.replace(self.folder / "checkpoint.pt")
        save_clean(self.options.out, self.average)

    def _resume(self) -> None:
        state = torch.load(self.folder / "checkpoint.pt", map_location=self.scenes.device, weights_only=True)
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.steps, self.trained_s = state["steps"], state["trained_s"]


def _bank(folder: Path, options: argparse.Namespace) -> tuple[Tensor, Tensor]:
    """Clean pictures (n, 3, 288, 288) in bytes and the engine's traces on them (n, 3, 144, 144); kept in the folder."""
    kept = folder / f"bank-{options.pictures}-{options.seed}.pt"
    if kept.exists():
        stored = torch.load(kept, weights_only=True)
        return stored["scenes"], stored["left"]
    concepts, chance = read_concepts(), Chance(options.seed, "cpu")
    began = time.monotonic()
    scenes = draw_scenes(options.pictures, SIDE, draw_glyphs(concepts.subjects, RUNS / "cache"), chance)
    scenes = scenes[torch.randperm(len(scenes), generator=chance.source)]
    names = concepts.names()
    order = torch.randperm(len(names), generator=chance.source).tolist()
    left = traces(scenes, [names[number] for number in order], options.seed)
    stored = {"scenes": (scenes * 255).round().byte(), "left": left.half()}
    torch.save(stored, kept)
    print(f"bank: {len(scenes)} pictures in {time.monotonic() - began:.0f} s", flush=True)
    return stored["scenes"], stored["left"]


def _canvases(folder: Path, options: argparse.Namespace) -> Tensor:
    """Canvases (n, 3, h, w) in bytes that the shipped guide painted; kept in the folder."""
    guide_of = zlib.crc32(GUIDE_PATH.read_bytes())  # another guide paints other canvases
    kept = folder / f"canvases-{options.lines}-{options.seed}-{guide_of:08x}.pt"
    if not kept.exists():
        guide = load_guide("shipped", torch.device("cpu"))
        torch.save(painted_canvases(guide, read_concepts(), options.lines, options.seed), kept)
    found: Tensor = torch.load(kept, weights_only=True)
    return found


def _cut(canvases: Tensor, count: int, chance: Chance) -> Tensor:
    """So many patches (count, 3, p, p) in 0..1 of these canvases, some mirrored, some with colours exchanged."""
    rooms = [side - PATCH + 1 for side in canvases.shape[-2:]]
    numbers = chance.below(len(canvases), count).tolist()
    rows, columns = (chance.below(room, count).tolist() for room in rooms)
    sides, mixed = (chance.between(0, 1, count).tolist() for _ in range(2))
    found = []
    for number, row, column, side, mix in zip(numbers, rows, columns, sides, mixed, strict=True):
        patch = canvases[number, :, row : row + PATCH, column : column + PATCH].float() / 255
        order = torch.randperm(3, generator=chance.source, device=chance.device)
        patch = patch[order] if mix < MIXED else patch
        found.append(patch.flip(-1) if side < 0.5 else patch)
    return torch.stack(found)


def _decibels(found: Tensor, wanted: Tensor) -> float:
    """Peak signal to noise, averaged over pictures."""
    return float((-10 * (found - wanted).square().mean((1, 2, 3)).clamp(min=1e-9).log10()).mean())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m engine.training.denoiser", description=__doc__)
    parser.add_argument("--device", default="cpu", help="cpu, cuda, mps")
    parser.add_argument("--minutes", type=float, default=25.0, help="time spent training; 0 with --resume only exports")
    parser.add_argument("--pictures", type=int, default=320, help="pictures in the bank")
    parser.add_argument("--teacher", type=Path, help="a denoiser whose answers are learnt, by a smaller network")
    parser.add_argument(
        "--lines", type=int, default=900, help="lines painted for the pupil of a --teacher, two canvases each"
    )
    parser.add_argument("--batch", type=int, default=16, help="patches in a batch")
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--half", action="store_true", help="compute in bfloat16")
    parser.add_argument("--name", default="denoiser", help="folder of this run under training-runs/")
    parser.add_argument("--resume", action="store_true", help="go on from this run's checkpoint")
    parser.add_argument("--out", type=Path, default=SHIPPED_PATH, help="the denoiser to write")
    options = parser.parse_args()
    if options.teacher and not options.teacher.is_file():
        parser.error(f"--teacher {options.teacher}: no such file")
    if options.teacher and options.name == "denoiser":
        options.name = "taught"  # its checkpoint is another's
    return options


if __name__ == "__main__":
    main()

"""One guide in training: its weights, their moving average, the optimiser, and single steps."""

import copy
import math
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from engine.guides.packed import unpack
from engine.guides.precision import autocast
from engine.guides.shipped import MEAN, STD, GuideShape, SmallCLIP, learnt_words
from engine.training.canvases import ATTACKS, Easel, moved
from engine.training.facts import MOOD, NONE
from engine.training.lessons import Lesson
from engine.training.losses import alignment, contrastive
from engine.training.patterns import Chance
from engine.training.scenes import Scenes
from engine.training.word_rows import for_words
from engine.training.workers import average_gradients

ALL = frozenset({"alignment", "attacks", "long-canvases", "one-picture", "pictures-first"})
"""What can be left out of the training to see what it does: gradients taught to point to the scene, canvases pushed

away from it, canvases painted on for longer than a few steps, one picture for the same words, and learning to paint
from pictures before words.
"""

TELLING_STEPS = 3
"""Steps on the same scenes that also teach to tell them apart; then they would be learnt by heart."""

KEEP = 0.997
"""Share of the moving average kept at each step."""

NAMES = 3.0
ALIGN = 4.0
TELL = 0.1
"""Weights of naming what is seen, of the gradient's alignment, and of telling scenes apart by their words.

In a lesson of words, that they mean what is seen weighs 1.
"""

OWN = 3
"""When words lead, one canvas of so many is still led by its picture, so that the tower keeps seeing what is small."""

WORD_ROWS = "text.words.weight"
"""The rows that stand for words."""

TOLD = 128
"""Most scenes of a lesson that are told apart: each is compared with every other."""


class Trainer:
    """Owns the model being trained, its average, the naming heads and the optimiser."""

    def __init__(
        self,
        shape: GuideShape,
        words: int,
        subjects: int,
        grounds: int,
        chance: Chance,
        without: frozenset[str] = frozenset(),
    ) -> None:
        device = chance.device
        self.chance = chance
        self.align = 0.0 if "alignment" in without else ALIGN
        self.attacks = 0.0 if "attacks" in without else ATTACKS
        self.model = SmallCLIP(shape, words).to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.heads = nn.ModuleList(nn.Linear(shape.embedding, n) for n in (subjects, grounds)).to(device)
        self.mean, self.std = (torch.tensor(v, device=device).view(1, 3, 1, 1) for v in (MEAN, STD))
        self.learnt = [*self.model.parameters(), *self.heads.parameters()]
        self.optimiser = torch.optim.AdamW(self.learnt, lr=1e-3, betas=(0.9, 0.98), weight_decay=0.02, fused=True)
        self.steps = 0
        self.calm: SmallCLIP | None = None

    def train(self, easel: Easel, rate: float, by_words: bool = True) -> dict[str, float]:
        """One step on these canvases at this learning rate, which moves them too; the losses.

        They are pulled by the scenes' words, some by the pictures, or else all by the pictures themselves.
        """
        tells = float(easel.steps_done < TELLING_STEPS or not self.align)
        losses, pull = self._step(easel, tells, rate, by_words)
        easel.canvas = moved(easel.canvas, pull, easel.scenes.pictures - easel.canvas, self.chance, self.attacks)
        easel.steps_left -= 1
        easel.steps_done += 1
        return losses

    def _step(self, easel: Easel, tells: float, rate: float, by_words: bool) -> tuple[dict[str, float], Tensor]:
        scenes, hidden = easel.scenes, easel.hidden
        canvas = easel.canvas.detach().contiguous(memory_format=torch.channels_last).requires_grad_()
        with autocast(canvas.device):
            found = self.model.encode_image((canvas - self.mean) / self.std)
            shown = self.model.encode_image((scenes.pictures - self.mean) / self.std)
            texts, placed = shown, shown
            if by_words:
                with torch.no_grad():  # words learn from lessons: these few scenes they would learn by heart
                    texts, placed = self._read(scenes.tokens, scenes.boxes)
        images, shown, texts, placed = (F.normalize(x.float(), dim=-1) for x in (found, shown, texts, placed))
        pull = (images * _toward(placed, shown, by_words)).sum()
        (gradient,) = torch.autograd.grad(pull, canvas, create_graph=True)
        aligned = alignment(gradient, scenes.pictures - canvas.detach())
        sure = scenes.seen * ((0.8 - hidden) / 0.4).clamp(0, 1)
        named = self._naming(images, scenes, sure)
        loss = tells * NAMES * named + self.align * aligned.mean()
        losses = {"named": named.item(), "aligned": aligned.mean().item()}
        if by_words:
            told = contrastive(images, texts, self.model.logit_scale, scenes.said, scenes.true, sure)
            loss = loss + TELL * told
            losses["told_painting"] = told.item()
        self._update(loss, rate)
        losses["finishing"] = aligned[hidden < 0.4].mean().item()
        return losses, gradient.detach()

    def _read(self, tokens: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """What these words mean, and what they mean in these boxes."""
        texts = self.model.encode_text(tokens)
        return texts, self.model.place(texts, boxes) if self.model.place else texts

    def learn_words(self, lesson: Lesson, rate: float, is_alone: bool = True) -> dict[str, float]:
        """One step of learning what words look like to the image tower, which stays as it is; the losses.

        A view's words are to mean what the tower sees in the view: with that for a goal the tower paints the scene.
        Unless it `is_alone`, the step counts as a part of that on canvases which follows it.
        """
        with autocast(self.chance.device):
            texts, wanted = self._read(lesson.tokens, lesson.boxes)
        texts, wanted = (F.normalize(x.float(), dim=-1) for x in (texts, wanted))
        missed = (wanted - self._goals(lesson)).square().sum(1).mean()
        part = slice(0, TOLD)
        scale, sure = self.model.logit_scale, torch.ones_like(lesson.boxes[part, 0])
        told = contrastive(lesson.views[part], texts[part], scale, lesson.said[part], lesson.true[part], sure)
        self._update(missed + TELL * told, rate, is_alone)
        return {"missed": missed.item(), "told": told.item()}

    @torch.no_grad()
    def _goals(self, lesson: Lesson) -> Tensor:
        """What words are to mean, unit (n, d): what is seen, or half of it what they mean to the calm guide.

        What is seen has all marks, and speckle. A guide whose words learnt where to pull has neither: it is calm. Moods
        are as they are seen, for a guide that was not taught them would take them away.
        """
        if self.calm is None:
            return lesson.views
        texts = self.calm.encode_text(lesson.tokens)
        meant = self.calm.place(texts, lesson.boxes) if self.calm.place else texts
        both = F.normalize(lesson.views + F.normalize(meant.float(), dim=-1), dim=-1)
        return torch.where(lesson.said[:, MOOD, None] == NONE, both, lesson.views)

    @torch.no_grad()
    def see(self, pictures: Tensor) -> Tensor:
        """Unit embeddings (n, d) of views as the averaged tower sees them."""
        with autocast(self.chance.device):
            found = self.average.encode_image((pictures - self.mean) / self.std)
        return F.normalize(found.float(), dim=-1)

    def settle(self) -> None:
        """Go on from the average."""
        self.model.load_state_dict(self.average.state_dict())

    def _naming(self, images: Tensor, scenes: Scenes, sure: Tensor) -> Tensor:
        total = images.new_zeros(())
        for head, fact in zip(self.heads, (0, 3), strict=True):
            wanted = scenes.true[:, fact]
            wrong = F.cross_entropy(head(images * 16), wanted.clamp(min=0), reduction="none")
            total = total + (wrong * sure * (wanted != NONE)).mean()
        return total

    def _update(self, loss: Tensor, rate: float, counts: bool = True) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        average_gradients(self.learnt)
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        with torch.no_grad():
            self.model.logit_scale.clamp_(max=math.log(50))
        if not counts:
            return
        self.steps += 1
        keep = min(KEEP, (1 + self.steps) / (10 + self.steps))
        slow, fast = ([p.data for p in m.parameters()] for m in (self.average, self.model))
        torch._foreach_lerp_(slow, fast, 1 - keep)

    def save(self, path: Path, trained_s: float, words: Sequence[str]) -> None:
        """Write all that resuming needs, with the seconds spent so far."""
        path.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "heads": self.heads.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "steps": self.steps,
            "trained_s": trained_s,
            "words": list(words),
            "is_calm": self.calm is not None,
        }
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def calm_by(self, path: Path, words: Sequence[str]) -> None:
        """Have words mean half of what they mean to this guide: see `_goals`.

        Raises ValueError where its image tower is another one: its words then mean nothing here.
        """
        theirs, own = unpack(load_file(path)), self.average.state_dict()
        tower = [name for name in own if name.startswith("visual.")]
        if any(theirs[name].shape != own[name].shape or not _are_close(theirs[name], own[name]) for name in tower):
            raise ValueError(f"{path.name}: its image tower is not the one that is trained from")
        self.calm = copy.deepcopy(self.average)
        self.calm.load_state_dict(for_words(theirs, own, WORD_ROWS, learnt_words(path), words))

    def resume(self, path: Path, words: Sequence[str], is_calm: bool = False) -> float:
        """Go on from a checkpoint written by save(); the seconds spent on it.

        Raises ValueError where that knew other words than `words`, or was calmed by a guide and this is not going to be
        (`is_calm`): its words would turn back.
        """
        state = torch.load(path, map_location=self.chance.device, weights_only=True)
        if state.get("words", list(words)) != list(words):
            raise ValueError("this run knew other words: begin a new one with --start-from and its checkpoint")
        if state.get("is_calm") and not is_calm:
            raise ValueError("this run was calmed by a guide: give it again with --calm-by")
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.heads.load_state_dict(state["heads"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.steps = state["steps"]
        return float(state["trained_s"])

    def take_over(self, path: Path, words: Sequence[str]) -> int:
        """Begin with the weights of a checkpoint or a guide that have a name and size of ours; how many they are.

        A guide says which words it learnt: of `words`, ours, those it knows are taken over, whatever their numbers.
        """
        own = self.model.state_dict()
        if path.suffix == ".safetensors":
            average, theirs = unpack(load_file(path)), learnt_words(path)
        else:
            state = torch.load(path, map_location=self.chance.device, weights_only=True)
            average, theirs = state["average"], state.get("words", words)
        average = for_words(average, own, WORD_ROWS, theirs, words)
        fitting = {name: value for name, value in average.items() if name in own and own[name].shape == value.shape}
        for model in (self.model, self.average):
            model.load_state_dict(fitting, strict=False)
        return len(fitting)


def _are_close(one: Tensor, other: Tensor) -> bool:
    """Whether these are the same weights but for half precision."""
    return torch.allclose(one.float().cpu(), other.float().cpu(), rtol=2e-3, atol=1e-4)


def _toward(placed: Tensor, shown: Tensor, by_words: bool) -> Tensor:
    """What the canvases are led by, (n, d): their words, but some by their pictures; or all by their pictures.

    Words are taken as they are: they learn what the tower sees, not what is easiest to paint, which is a blur.
    """
    if not by_words:
        return placed
    is_own = torch.arange(len(placed), device=placed.device)[:, None] % OWN == 0
    return torch.where(is_own, shown, placed)

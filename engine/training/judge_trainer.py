"""One judge in training: its weights, their moving average, the optimiser, and single steps."""

import copy
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.guides.precision import autocast
from engine.guides.shipped_text import WordTokenizer
from engine.score.judge import Judge, JudgeShape, load_judge
from engine.training.concepts import Concepts
from engine.training.facts import NONE
from engine.training.judge_distortions import bent, distorted
from engine.training.losses import contrastive
from engine.training.patterns import Chance
from engine.training.scenes import Scenes
from engine.training.word_rows import for_words

VIEWS = (bent, distorted)
"""What is learnt from each batch of scenes: clean views for the shapes, distorted ones for what painting makes."""

KEEP = 0.995
"""Share of the moving average kept at each step."""

WORD_ROWS = "reader.words.weight"
"""The rows that stand for words."""

SEEN = 0.5
"""Share of a subject that a view must show to be judged by it."""


class _Phrases:
    """The phrases of all things of a kind, read once."""

    def __init__(self, phrases: Sequence[Sequence[str]], tokenizer: WordTokenizer, chance: Chance) -> None:
        if not all(phrases):
            raise ValueError("a thing without a phrase cannot be learnt")
        self._chance = chance
        self._tokens = tokenizer([phrase for each in phrases for phrase in each]).to(chance.device)
        self._counts = torch.tensor([len(each) for each in phrases], device=chance.device)
        self._starts = self._counts.cumsum(0) - self._counts

    def __len__(self) -> int:
        return len(self._counts)

    def drawn(self) -> Tensor:
        """Word numbers (n, 16) of one phrase of each thing, by chance."""
        drawn = (self._chance.between(0, 1, len(self)) * self._counts).long()
        return self._tokens[self._starts + drawn.minimum(self._counts - 1)]


class JudgeTrainer:
    """Owns the judge being trained, its average, the naming heads and the optimiser."""

    def __init__(self, concepts: Concepts, tokenizer: WordTokenizer, chance: Chance, shape: JudgeShape) -> None:
        self.chance = chance
        groups = [s.phrases for s in concepts.subjects], _grounds(concepts)
        self.phrases = [_Phrases(group, tokenizer, chance) for group in groups]
        judge = Judge(shape, tokenizer, pictured_words(concepts, tokenizer))
        self.judge = judge.to(device=chance.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.judge).eval().requires_grad_(False)
        sizes = [len(phrases) for phrases in self.phrases]
        self.heads = nn.ModuleList(nn.Linear(shape.embedding, n) for n in sizes).to(chance.device)
        learnt = [*self.judge.parameters(), *self.heads.parameters()]
        self.optimiser = torch.optim.AdamW(learnt, lr=1e-3, betas=(0.9, 0.98), weight_decay=0.03, fused=True)
        self.steps = 0

    def train(self, scenes: Scenes, rate: float) -> dict[str, float]:
        """Some steps on one batch at this learning rate; the losses of the last."""
        losses: dict[str, float] = {}
        for view in VIEWS:
            with autocast(self.chance.device):
                images = self.judge.see(view(scenes.pictures, self.chance))
            told = self._told(images, scenes)
            subject, ground = (self._named(images, scenes, kind) for kind in (0, 1))
            self._update(told + subject + 0.5 * ground, rate)
            losses = {"told": told.item(), "subject": subject.item(), "ground": ground.item()}
        return losses

    def _told(self, images: Tensor, scenes: Scenes) -> Tensor:
        texts = F.normalize(self.judge.reader(scenes.tokens).float(), dim=-1)
        sure = (scenes.seen > SEEN).float()
        return contrastive(images, texts, self.judge.scale, scenes.said, scenes.true, sure)

    def _named(self, images: Tensor, scenes: Scenes, kind: int) -> Tensor:
        """Cross-entropy of what is there among all subjects (0) or grounds (1).

        Twice: by a plain head, which teaches the eye, and by one phrase of each, drawn by chance.
        """
        phrases = self.phrases[kind]
        drawn = F.normalize(self.judge.reader(phrases.drawn()).float(), dim=-1)
        wanted = scenes.true[:, (0, 3)[kind]]
        is_told = (wanted != NONE) & (wanted < len(phrases)) & (scenes.seen > SEEN)
        # Two subjects of one scene are both right: the second is left out, not punished.
        second = scenes.true[:, 1] if kind == 0 else torch.full_like(wanted, NONE)
        is_left_out = F.one_hot(second.clamp(min=0), len(phrases)).bool() & (second != NONE)[:, None]
        total = images.new_zeros(())
        for logits in (self.judge.scale.exp() * images @ drawn.T, self.heads[kind](16 * images)):
            rest = logits.masked_fill(is_left_out & (second != wanted)[:, None], -1e4)
            wrong = F.cross_entropy(rest, wanted.clamp(0, len(phrases) - 1), reduction="none")
            total = total + (wrong * is_told).sum() / is_told.sum().clamp(min=1)
        return total / 2

    def _update(self, loss: Tensor, rate: float) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.judge.parameters(), 1.0)
        self.optimiser.step()
        with torch.no_grad():
            self.judge.scale.clamp_(max=4.0)
        self.steps += 1
        keep = min(KEEP, (1 + self.steps) / (10 + self.steps))
        slow, fast = ([p.data for p in m.parameters()] for m in (self.average, self.judge))
        torch._foreach_lerp_(slow, fast, 1 - keep)

    def save(self, path: Path) -> None:
        """Write all that resuming needs."""
        path.parent.mkdir(parents=True, exist_ok=True)
        parts = {"judge": self.judge, "average": self.average, "heads": self.heads, "optimiser": self.optimiser}
        state = {name: part.state_dict() for name, part in parts.items()}
        state |= {"steps": self.steps, "words": list(self.judge.tokenizer.words)}
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def take_over(self, path: Path) -> int:
        """Begin with the weights of a judge's file, words by their names; how many they are. JudgeError for none."""
        found = load_judge(path, self.chance.device)
        own, before = self.judge.state_dict(), list(found.tokenizer.words)
        held = for_words(found.state_dict(), own, WORD_ROWS, before, self.judge.tokenizer.words)
        for model in (self.judge, self.average):
            model.load_state_dict(held)
        return len(held)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint written by save(). Words learnt since then start from nothing."""
        state = torch.load(path, map_location=self.chance.device, weights_only=True)
        words = self.judge.tokenizer.words
        for name, model in (("judge", self.judge), ("average", self.average)):
            model.load_state_dict(for_words(state[name], model.state_dict(), WORD_ROWS, state["words"], words))
        if list(words) == state["words"]:
            self.heads.load_state_dict(state["heads"])
            self.optimiser.load_state_dict(state["optimiser"])
        self.steps = state["steps"]


def pictured_words(concepts: Concepts, tokenizer: WordTokenizer) -> list[str]:
    """The words that stand for something to be seen: those of subjects, grounds, patterns, colours and moods."""
    seen = [s.phrases for s in concepts.subjects] + list(concepts.grounds.values()) + list(concepts.patterns.values())
    seen += [c.phrases for c in concepts.colours] + [s.phrases for s in concepts.moods]
    numbers = {number for group in seen for phrase in group for number in tokenizer.numbers(phrase)}
    return [tokenizer.words[number - 1] for number in sorted(numbers) if tokenizer.words[number - 1] not in LITTLE]


LITTLE = {
    "of",
    "in",
    "on",
    "and",
    "at",
    "the",
    "to",
    "with",
    "all",
    "up",
    "down",
    "out",
    "as",
    "off",
    "no",
    "not",
    "it",
}
LITTLE |= {"me", "my", "you", "she", "he", "they", "we", "i", "go", "over", "under", "around", "behind", "between"}
"""Words of phrases such as "queen of hearts" that picture nothing by themselves."""


def _grounds(concepts: Concepts) -> list[tuple[str, ...]]:
    return [tuple(p for p in phrases if p) for phrases in (*concepts.grounds.values(), *concepts.patterns.values())]

"""What a look's prompts mean to each guide, with what is ready of them."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from engine.beside import Beside
from engine.guides.guide import Guide
from engine.looking import read_shown
from engine.objectives import Goal
from engine.parameters import Look
from engine.pictures import why
from engine.sending import sent
from engine.texts import Texts, Twins

Asked = tuple[Twins, float, str]
"""A prompt's vector (d,) on the device and on the host, its weight, and the part of the picture it owns."""

WORDS = "text, letters, words, watermark"
"""What `no_words` pushes away."""


class Goals:
    """The present goal of every guide. Owns their texts and remembers the last goal that was ready."""

    def __init__(self, guides: Sequence[Guide], waits: bool) -> None:
        """With `waits` a frame waits for its texts, so that the same looks always give the same goals."""
        self._texts = [Texts(guide, waits) for guide in guides]
        self._pictures = [Beside("prompt_picture", partial(_embedded, guide), waits=waits) for guide in guides]
        self._guides = tuple(guides)
        self._asked: tuple[str, ...] = ()
        self._strange: list[str] = []
        self._missing: list[str] = []
        self._last: list[Goal | None] = [None for _ in guides]
        self._made_of: list[tuple[list[Asked], list[Asked]]] = [([], []) for _ in guides]

    def of(self, look: Look) -> list[Goal | None]:
        """A goal for each guide, in their order; None for a guide that never had one.

        Prompts that are not ready are left out; with none ready, or none at all, the last goal stays: the picture
        holds. While nothing changes it is the same object.
        """
        prompts = look.prompts()
        self._note_strange(tuple(text for text, _ in prompts))
        for n, texts in enumerate(self._texts):
            if look.next_line:
                texts.find(look.next_line)  # on standby: read now, so that it is ready when its turn comes
            ready: list[Asked] = [
                (twins, weight, region)
                for (text, weight), region in zip(prompts, look.regions(), strict=True)
                if (twins := texts.twins(text)) is not None
            ]
            pictures = self._picture(look, n)
            ready += self._no_words(look, n, ready + pictures)
            if (ready or pictures) and not _is_same(self._made_of[n], (ready, pictures)):
                self._made_of[n] = ready, pictures
                goal = _goal(ready + pictures, self._guides[n].device)
                self._last[n] = replace(goal, pictures=len(pictures), shown=self._shown(look, n) if pictures else None)
        self._note_picture(look)
        return self._last

    def has_read(self, look: Look) -> bool:
        """Whether no text of this look is still to be read; asks for those that are."""
        is_read = [texts.has_read(text) for texts in self._texts for text, _ in look.prompts()]
        return all(is_read)

    def faults(self) -> list[str]:
        """Sentences about texts that could not be read, and those of this frame that mean nothing to a guide."""
        return [*(texts.fault for texts in self._texts if texts.fault), *self._strange, *self._missing]

    def _picture(self, look: Look, n: int) -> list[Asked]:
        """The picture guide n is asked for beside the prompts, if it is there."""
        path, weight = look.text("prompt_picture"), look.number("picture_weight")
        read = self._pictures[n].find(path) if path and weight else None
        return [] if read is None else [(read[0], weight, "whole")]

    def _shown(self, look: Look, n: int) -> Tensor | None:
        """That picture itself."""
        read = self._pictures[n].find(look.text("prompt_picture"))
        return None if read is None else read[1]

    def _no_words(self, look: Look, n: int, asked: Sequence[Asked]) -> list[Asked]:
        """What pushes painted words away, beside prompts that guide n is asked for."""
        shyness = look.number("no_words")
        twins = self._texts[n].twins(WORDS) if shyness and asked and self._guides[n].paints_words else None
        return [] if twins is None else [(twins, -shyness, "whole")]

    def _note_picture(self, look: Look) -> None:
        path = look.text("prompt_picture") if look.number("picture_weight") else ""
        failures = [read.failure(path) for read in self._pictures] if path else []
        self._missing = [f"prompt_picture: {why(path, failure)}" for failure in failures if failure is not None][:1]

    def _note_strange(self, asked: tuple[str, ...]) -> None:
        if asked == self._asked:  # as in most frames
            return
        self._asked = asked
        strange = [(guide.name, text) for guide in self._guides for text in asked if not guide.knows(text)]
        self._strange = [f"the {name} guide knows no word of {text[:40]!r}" for name, text in strange]

    def close(self) -> None:
        """Stop reading texts and pictures."""
        for texts, pictures in zip(self._texts, self._pictures, strict=True):
            texts.close()
            pictures.close()


def _goal(asked: Sequence[Asked], device: torch.device) -> Goal:
    """The goal of these prompts: vector, weight and part of the picture of each.

    Together those that push away push no harder than the others pull; else the picture would be about nothing.
    """
    twins, weights, regions = zip(*asked, strict=True)
    pull, push = sum(max(0.0, weight) for weight in weights), sum(max(0.0, -weight) for weight in weights)
    least = min(1.0, pull / push) if pull and push else 1.0
    tamed = [weight if weight > 0.0 else least * weight for weight in weights]
    here = Goal(torch.stack([host for _, host in twins]), torch.tensor(tamed), regions)
    if device.type == "cpu":
        return here
    return Goal(torch.stack([vector for vector, _ in twins]), sent(tamed, device), regions, twin=here)


def _is_same(before: tuple[list[Asked], list[Asked]], now: tuple[list[Asked], list[Asked]]) -> bool:
    """Whether the same is asked for, vector for vector; those that were read once are not compared, but known."""
    kinds = zip(before, now, strict=True)
    return all(
        len(old) == len(new) and all(a[0] is b[0] and a[1:] == b[1:] for a, b in zip(old, new, strict=True))
        for old, new in kinds
    )


def _embedded(guide: Guide, path: str) -> tuple[Twins, Tensor]:
    vector, picture = read_shown(guide, path)
    return (vector, vector.cpu()), picture

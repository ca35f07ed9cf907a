"""What a look's prompts mean to each guide, with what is ready of them."""

from collections.abc import Sequence

import torch

from engine.guides.guide import Guide
from engine.objectives import Goal
from engine.parameters import Look
from engine.texts import Texts


class Goals:
    """The present goal of every guide. Owns their texts and remembers the last goal that was ready."""

    def __init__(self, guides: Sequence[Guide], waits: bool) -> None:
        """With `waits` a frame waits for its texts, so that the same looks always give the same goals."""
        self._texts = [Texts(guide, waits) for guide in guides]
        self._devices = [guide.device for guide in guides]
        self._last: list[Goal | None] = [None for _ in guides]

    def of(self, look: Look) -> list[Goal | None]:
        """A goal for each guide, in their order; None for a guide that never had one.

        Prompts that are not ready are left out; with none ready, or none at all, the last goal stays: the picture
        holds.
        """
        prompts = look.prompts()
        for n, texts in enumerate(self._texts):
            if look.next_line:
                texts.find(look.next_line)  # on standby: read now, so that it is ready when its turn comes
            found = [(texts.find(text), weight) for text, weight in prompts]
            ready = [(vector, weight) for vector, weight in found if vector is not None]
            if ready:
                vectors, weights = zip(*ready, strict=True)
                self._last[n] = Goal(torch.stack(vectors), torch.tensor(weights, device=self._devices[n]))
        return self._last

    def faults(self) -> list[str]:
        """Sentences about texts that could not be read."""
        return [texts.fault for texts in self._texts if texts.fault]

    def close(self) -> None:
        """Stop reading texts."""
        for texts in self._texts:
            texts.close()

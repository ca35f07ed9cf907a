"""The words of the shipped guide: a tokenizer that keeps only what was learnt, and a small text tower."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.guides.words import Words

CONTEXT = 16
"""Words of one prompt that are read; the rest is cut off."""


@dataclass(frozen=True, slots=True)
class WordTokenizer:
    """Turns prompts into word numbers, (n, 16) int64, 0 where no word stands; what words mean is said by `Words`."""

    words: Sequence[str]
    aliases: Mapping[str, str]
    shown: Mapping[str, str] = field(default_factory=dict)
    things: frozenset[str] = frozenset()
    moods: frozenset[str] = frozenset()
    _meant: Words = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_meant", Words(self.words, self.aliases, self.shown, self.things, self.moods))

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Word numbers of each text, (n, 16) int64."""
        tokens = torch.zeros(len(texts), CONTEXT, dtype=torch.long)
        for row, text in zip(tokens, texts, strict=True):
            numbers = self.numbers(text)[:CONTEXT]
            row[: len(numbers)] = torch.tensor(numbers, dtype=torch.long)
        return tokens

    def numbers(self, text: str) -> list[int]:
        """The numbers of the learnt words in this text, in their order."""
        return self._meant.numbers(text)

    def learnt(self, word: str) -> list[str]:
        """The learnt words this word stands for: itself, its stem, its aliases, or none."""
        return self._meant.learnt(word)


class _Block(nn.Module):
    """One pre-norm transformer block without causal mask."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention = nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.after_attention = nn.Linear(width, width)
        self.feed = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.GELU(), nn.Linear(3 * width, width)
        )

    def forward(self, x: Tensor, allowed: Tensor) -> Tensor:
        n, length, width = x.shape
        parts = self.queries_keys_values(self.before_attention(x)).view(n, length, 3, self.heads, -1)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        # Written out: for sequences this short torch's attention kernel is several times slower on a CPU.
        scores = (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).masked_fill(~allowed, -1e4)
        mixed = scores.softmax(-1) @ v
        x = x + self.after_attention(mixed.transpose(1, 2).reshape(n, length, width))
        fed: Tensor = x + self.feed(x)
        return fed


class TextTower(nn.Module):
    """Word numbers (n, L) int64 to an embedding (n, d): two transformer blocks and a mean over the words.

    A first, always present word makes the empty prompt a proper one ("any picture"). The hidden layer behind the mean,
    if there is one, keeps what the words look like: all embeddings lie in a space of its size, not of the width.
    """

    def __init__(
        self, words: int, embedding: int, width: int = 128, heads: int = 4, layers: int = 2, hidden: int = 0
    ) -> None:
        super().__init__()
        self.words = nn.Embedding(words + 1, width, padding_idx=0)
        self.places = nn.Parameter(torch.randn(CONTEXT, width) * 0.02)
        self.start = nn.Parameter(torch.randn(1, 1, width) * 0.1)
        self.blocks = nn.ModuleList(_Block(width, heads) for _ in range(layers))
        wide = (nn.Linear(width, hidden), nn.GELU()) if hidden else ()
        self.head = nn.Sequential(nn.LayerNorm(width), *wide, nn.Linear(hidden or width, embedding))
        nn.init.normal_(self.words.weight, std=0.1)
        with torch.no_grad():
            self.words.weight[0].zero_()

    def forward(self, tokens: Tensor) -> Tensor:
        """Embeddings (n, d), not normalised."""
        n, length = tokens.shape
        x = torch.cat([self.start.expand(n, -1, -1), self.words(tokens) + self.places[:length]], dim=1)
        present = F.pad(tokens != 0, (1, 0), value=True)
        for block in self.blocks:
            x = block(x, present[:, None, None, :])
        weight = present.to(x.dtype)[..., None]
        embedding: Tensor = self.head((x * weight).sum(1) / weight.sum(1))
        return embedding

"""The judge: a small image-text model that only measures. It is no guide, and nothing is ever painted with it.

It shares nothing with the shipped guide but the words: residual blocks with strides and group normalisation (He 2016;
Wu & He 2018) in place of pools and bends, a bag of words and their neighbours in place of a transformer, other views,
other losses, seed and order.
"""

import itertools
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engine.errors import EngineError, first_line
from engine.guides.shipped_text import WordTokenizer

JUDGE_PATH = Path(__file__).parent.parent / "guides" / "judge" / "judge.safetensors"
"""The weights in the package."""

LICENCE = (
    "MIT; trained on Noto Color Emoji (SIL OFL 1.1), Game Icons (CC BY 3.0) and Unicode CLDR names (Unicode-3.0), "
    "see engine/training"
)

MEAN, STD = 0.45, 0.28


class JudgeError(EngineError):
    """The judge's file cannot be used."""


@dataclass(frozen=True, slots=True)
class JudgeShape:
    """The sizes a judge is built with; stored in the file's metadata."""

    sees: int = 64
    """Side of its views, px."""
    embedding: int = 256
    channels: tuple[int, ...] = (32, 64, 128, 256)
    words: int = 96


class _Block(nn.Module):
    """Two normalised 3x3 convolutions beside the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.before = nn.GroupNorm(8, channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.between = nn.GroupNorm(8, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.first(F.silu(self.before(x)))
        grown: Tensor = x + self.second(F.silu(self.between(inner)))
        return grown


class Eye(nn.Module):
    """Views (n, 3, s, s) to embeddings (n, d): a strided residual network, read out as mean and maximum."""

    def __init__(self, shape: JudgeShape) -> None:
        super().__init__()
        widths = shape.channels
        self.stem = nn.Conv2d(3, widths[0], 5, stride=2, padding=2)
        steps = [
            nn.Sequential(nn.Conv2d(a, b, 3, stride=2, padding=1), _Block(b)) for a, b in itertools.pairwise(widths)
        ]
        self.stages = nn.Sequential(*steps)
        self.last = nn.GroupNorm(8, widths[-1])
        self.read = nn.Linear(2 * widths[-1], shape.embedding)

    def forward(self, views: Tensor) -> Tensor:
        """Embeddings (n, d), not normalised, of views in 0..1."""
        centred = ((views - MEAN) / STD).contiguous(memory_format=torch.channels_last)
        x = F.silu(self.last(self.stages(F.silu(self.stem(centred)))))
        found: Tensor = self.read(torch.cat([x.mean((2, 3)), x.amax((2, 3))], dim=1))
        return found


class Reader(nn.Module):
    """Word numbers (n, L) to embeddings (n, d): a mean over words, each seen with its neighbours."""

    def __init__(self, words: int, shape: JudgeShape) -> None:
        super().__init__()
        self.words = nn.Embedding(words + 1, shape.words, padding_idx=0)
        self.near = nn.Conv1d(shape.words, 2 * shape.words, 3, padding=1)
        self.say = nn.Linear(3 * shape.words, shape.embedding)

    def forward(self, tokens: Tensor) -> Tensor:
        """Embeddings (n, d), not normalised; one and the same for texts without a learnt word."""
        # Most texts are short: what no text of the batch has is not computed.
        tokens = tokens[:, : max(1, int((tokens != 0).sum(1).max()))]
        there = (tokens != 0)[..., None]
        plain = self.words(tokens)
        beside = F.silu(self.near(plain.transpose(1, 2))).transpose(1, 2)
        every = torch.cat([plain, beside], dim=-1) * there
        said: Tensor = self.say(every.sum(1) / there.sum(1).clamp(min=1))
        return said


class Judge(nn.Module):
    """An eye and a reader with one embedding, and the words it learnt."""

    def __init__(self, shape: JudgeShape, tokenizer: WordTokenizer, pictured: Sequence[str]) -> None:
        """`pictured` are the learnt words that stand for something to be seen: "heart", and not "over"."""
        super().__init__()
        self.shape, self.tokenizer, self.pictured = shape, tokenizer, frozenset(pictured)
        self.eye = Eye(shape)
        self.reader = Reader(len(tokenizer.words), shape)
        self.scale = nn.Parameter(torch.tensor(3.0))

    def see(self, views: Tensor) -> Tensor:
        """Unit vectors (n, d) of views (n, 3, s, s) in 0..1, s being `shape.sees`."""
        return F.normalize(self.eye(views).float(), dim=-1)

    def read(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors (n, d) of texts."""
        tokens = self.tokenizer(texts).to(self.scale.device)
        return F.normalize(self.reader(tokens).float(), dim=-1)

    def words_of(self, text: str) -> tuple[str, ...]:
        """The learnt words of a text that can be seen in a picture, in their order."""
        found = [self.tokenizer.words[number - 1] for number in self.tokenizer.numbers(text)]
        return tuple(word for word in found if word in self.pictured)


def load_judge(path: Path = JUDGE_PATH, device: torch.device | str = "cpu") -> Judge:
    """The judge in this file, in float32, its weights frozen. Raises JudgeError in one line for any other file."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        facts = json.loads(metadata["judge"])
        shape = JudgeShape(**{**facts["shape"], "channels": tuple(facts["shape"]["channels"])})
        things, moods = (frozenset(facts.get(kind, ())) for kind in ("things", "moods"))
        tokenizer = WordTokenizer(facts["words"], facts["aliases"], facts["shown"], things, moods)
        judge = Judge(shape, tokenizer, facts["pictured"])
        judge.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as err:
        raise JudgeError(f"no judge can be read from {path}: {first_line(err)}") from err
    return judge.to(device).eval().requires_grad_(False)


def save_judge(path: Path, judge: Judge) -> None:
    """Write the judge in half precision with all it needs to be read again."""
    facts = {
        "shape": asdict(judge.shape),
        "words": list(judge.tokenizer.words),
        "aliases": dict(judge.tokenizer.aliases),
        "shown": dict(judge.tokenizer.shown),
        "things": sorted(judge.tokenizer.things),
        "moods": sorted(judge.tokenizer.moods),
        "pictured": sorted(judge.pictured),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = {name: value.detach().half().contiguous().cpu() for name, value in judge.state_dict().items()}
    unfinished = path.with_suffix(".part")
    save_file(weights, unfinished, {"judge": json.dumps(facts), "licence": LICENCE})
    unfinished.replace(path)

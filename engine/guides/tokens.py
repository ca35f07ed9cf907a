"""How a guide reads: open_clip's own word numbers, or those of a tokenizer.json, as SigLIP has them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.errors import GuideError
from engine.guides import weights

FILES = ("tokenizer.json", "tokenizer_config.json")


@dataclass(frozen=True, slots=True)
class FileTokenizer:
    """Turns texts into word numbers (n, length) int64, as the tokenizer of a file does it.

    `stripped` is a number that becomes 0 wherever it stands, -1 for none: some models read no separator.
    """

    tokenizer: Any
    clean: Callable[[str], str]
    stripped: int = -1

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Word numbers of each text, cut or filled up to the length the model reads."""
        read = self.tokenizer.encode_batch([self.clean(text) for text in texts])
        numbers = torch.tensor([one.ids for one in read], dtype=torch.long)
        return numbers.masked_fill(numbers == self.stripped, 0)


def repository(model: str) -> str:
    """The hub's repository with the tokenizer of an open_clip model; "" where open_clip brings its own."""
    return str(_text_config(model).get("hf_tokenizer_name") or "")


def read_tokenizer(model: str, file: Path) -> Callable[[Sequence[str]], Tensor]:
    """The tokenizer of this model, whose weights are in this file; a tokenizer.json beside them comes first.

    Asks no server. Raises GuideError where there is none.
    """
    import open_clip

    repo = repository(model)
    if not repo:
        return open_clip.get_tokenizer(model)  # type: ignore[no-any-return]
    found = [_beside(file, name) or weights.cached_file(repo, name) for name in FILES]
    if found[0] is None or found[1] is None:
        raise GuideError(f"its {' and '.join(FILES)} are not beside {file.name}, nor here from {repo}")
    return _file_tokenizer(found[0], found[1], _text_config(model))


def _beside(file: Path, name: str) -> Path | None:
    path = file.with_name(name)
    return path if path.is_file() else None


def _file_tokenizer(file: Path, facts: Path, config: dict[str, Any]) -> FileTokenizer:
    from open_clip.tokenizer import get_clean_fn
    from tokenizers import Tokenizer

    if config.get("tokenizer_mode"):
        raise GuideError(f"its way of reading, {config['tokenizer_mode']!r}, is not known here")
    tokenizer, told = Tokenizer.from_file(str(file)), json.loads(facts.read_text(encoding="utf-8"))
    length, how = int(config.get("context_length", 77)), config.get("tokenizer_kwargs", {})
    filler = _word(told, "pad_token")
    tokenizer.enable_truncation(length)
    tokenizer.enable_padding(length=length, pad_id=tokenizer.token_to_id(filler), pad_token=filler)
    stripped = tokenizer.token_to_id(_word(told, "sep_token")) if how.get("strip_sep_token") else None
    clean = get_clean_fn(how.get("clean", "whitespace"))
    return FileTokenizer(tokenizer, clean, -1 if stripped is None else stripped)


def _word(told: dict[str, Any], name: str) -> str:
    word = told[name]
    return str(word["content"] if isinstance(word, dict) else word)


def _text_config(model: str) -> dict[str, Any]:
    import open_clip

    if model.startswith("local-dir:"):
        config = json.loads((Path(model.removeprefix("local-dir:")) / "open_clip_config.json").read_text("utf-8"))
        return dict(config["model_cfg"].get("text_cfg", {}))
    return dict((open_clip.get_model_config(model) or {}).get("text_cfg", {}))

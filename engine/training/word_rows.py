"""Weights that stand for words, taken over by who was taught other words or numbers them in another way."""

from collections.abc import Mapping, Sequence

from torch import Tensor


def for_words(
    held: Mapping[str, Tensor], own: Mapping[str, Tensor], name: str, before: Sequence[str], now: Sequence[str]
) -> dict[str, Tensor]:
    """Weights `held`, which were learnt with the words `before`, for who knows the words `now` and has `own` weights.

    `name` are the rows that stand for words, row 0 for none: each word's goes where it stands now, new words keep
    their own. Where those rows have another width they are left as they are.
    """
    if held[name].shape[1:] != own[name].shape[1:]:
        return dict(held)
    rows, place = own[name].clone(), {word: i + 1 for i, word in enumerate(before)}
    for i, word in enumerate(now):
        if word in place:
            rows[i + 1] = held[name][place[word]].to(rows.device)
    return {**held, name: rows}

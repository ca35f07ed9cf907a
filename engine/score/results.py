"""The figures of a show, made of what was seen of it."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.score.critic import Critic
from engine.score.judge import Judge
from engine.score.measures import TONES, dynamic_degree
from engine.score.song import Line, choices, distractors
from engine.score.watch import Seen

WEIGHT = 2.5
"""What CLIPScore multiplies cosines by (Hessel 2021, section 3.1)."""

STEADY = 2
"""Samples running that must prefer a line before it counts as preferred."""

FROZEN = 0.001
"""Mean change of a second below which nothing can be seen to move: a quarter of one level of 256."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one line was shown. `named` is the share of its samples in which it was picked out of all choices."""

    line: Line
    is_drawable: bool
    samples: int
    named: float
    clip_score: float
    latency_s: float | None
    """None: never preferred to the line before, or nothing to compare with."""
    is_compared: bool

    @property
    def is_judged(self) -> bool:
        """Whether it was seen, and could be judged at all."""
        return self.is_drawable and self.samples > 0


@dataclass(frozen=True, slots=True)
class Track:
    """Over the judged samples: time, s; cosine of the line sung; the best other one's; whether the line was picked."""

    times: NDArray[np.float64]
    own: NDArray[np.float64]
    best_other: NDArray[np.float64]
    is_right: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Score:
    """Everything told of a show. `figures` is flat: None where something is missing, units in names."""

    figures: dict[str, Any]
    verdicts: tuple[Verdict, ...]
    track: Track
    seen: Seen
    notes: tuple[str, ...]


def score(seen: Seen, lines: Sequence[Line], critic: Critic, words: Judge) -> Score:
    """Judge what was seen against what was sung. `words` says which lines can be drawn and which mean the same."""
    table = _Table(seen, lines, critic, words)
    verdicts = tuple(table.verdict(n) for n in range(len(lines)))
    figures = {"critic": critic.name, "seconds": round(seen.seconds, 2), "frames": seen.frames}
    figures |= {"judged_frames": len(seen.times), "choices": len(table.texts)}
    figures |= _agreement(table.track, table.cosines, table.wanted) | _lines(verdicts)
    figures |= steadiness(seen) | {"background_consistency": table.consistency()} | drift(seen)
    return Score(figures, verdicts, table.track, seen, _notes(figures, critic))


class _Table:
    """Cosines (samples, choices) and which choice was wanted in each sample, -1 where nothing was sung."""

    def __init__(self, seen: Seen, lines: Sequence[Line], critic: Critic, words: Judge) -> None:
        self.seen, self.lines, self.critic = seen, lines, critic

        def meaning(text: str) -> tuple[str, ...] | str:
            return tuple(sorted(words.words_of(text))) or text.lower()

        self.texts = choices([line.text for line in lines], distractors(), meaning)
        place = {meaning(text): n for n, text in enumerate(self.texts)}
        self.choice = [place[meaning(line.text)] for line in lines]
        self.drawable = [bool(words.words_of(line.text)) for line in lines]
        self.cosines = (
            (seen.vectors @ critic.read(self.texts).T).double().numpy() if len(seen.times) else np.zeros((0, 1))
        )
        self.sung = np.full(len(seen.times), -1)
        for n, line in enumerate(lines):
            self.sung[(seen.times >= line.start_s) & (seen.times < line.end_s)] = n
        self.wanted = np.array([self.choice[n] if n >= 0 and self.drawable[n] else -1 for n in self.sung], dtype=int)
        self.track = self._track()

    def _track(self) -> Track:
        is_sung = self.wanted >= 0
        cosines, wanted = self.cosines[is_sung], self.wanted[is_sung]
        rows = np.arange(len(wanted))
        others = cosines.copy()
        others[rows, wanted] = -np.inf
        best = others.max(1) if len(rows) else np.zeros(0)
        own = cosines[rows, wanted]
        is_right = cosines.argmax(1) == wanted if len(rows) else np.zeros(0, dtype=bool)
        return Track(self.seen.times[is_sung], own, best, is_right)

    def verdict(self, n: int) -> Verdict:
        """How line n was shown."""
        rows = np.flatnonzero(self.sung == n)
        is_judged = self.drawable[n] and len(rows) > 0
        own = self.cosines[rows, self.choice[n]] if is_judged else np.zeros(0)
        named = float((self.cosines[rows].argmax(1) == self.choice[n]).mean()) if is_judged else 0.0
        before = self.choice[n - 1] if n and self.drawable[n - 1] else self.choice[n]
        is_compared = is_judged and before != self.choice[n]
        latency = self._latency(rows, self.choice[n], before) if is_compared else None
        return Verdict(self.lines[n], self.drawable[n], len(rows), named, _clip_score(own), latency, is_compared)

    def _latency(self, rows: NDArray[np.int64], new: int, old: int) -> float | None:
        """Seconds from the first sample of a line until it is preferred to the one before, and stays so a moment."""
        prefers = self.cosines[rows, new] > self.cosines[rows, old]
        for i in range(len(prefers)):
            if prefers[i : i + STEADY].all():
                return float(self.seen.times[rows[i]] - self.seen.times[rows[0]])
        return None

    def consistency(self) -> float | None:
        """VBench's background consistency within lines, 0..1: cosines with the line's first sample and the one before.

        Huang 2024, section 3.2, which sees with CLIP ViT-B/32; None for a critic that is no published guide.
        """
        if not self.critic.is_published:
            return None
        found = []
        for n in range(len(self.lines)):
            own = self.seen.vectors[np.flatnonzero(self.sung == n)]
            for i in range(1, len(own)):
                found.append(0.5 * float((own[i] @ own[0]).clamp(min=0) + (own[i] @ own[i - 1]).clamp(min=0)))
        return statistics.fmean(found) if found else None


def _clip_score(cosines: NDArray[np.float64]) -> float:
    """CLIPScore: the mean of 2.5 max(cos, 0) (Hessel 2021, equation 1)."""
    return float(WEIGHT * np.maximum(cosines, 0.0).mean()) if len(cosines) else 0.0


def _agreement(track: Track, cosines: NDArray[np.float64], wanted: NDArray[np.int64]) -> dict[str, Any]:
    all_texts = cosines[wanted >= 0]
    return {
        "clip_score": _clip_score(track.own),
        "clip_score_of_all_choices": _clip_score(all_texts.flatten()),
        "accuracy": float(track.is_right.mean()) if len(track.is_right) else None,
    }


def _lines(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    judged = [v for v in verdicts if v.is_judged]
    compared = [v for v in verdicts if v.is_compared]
    waits = [v.latency_s for v in compared if v.latency_s is not None]
    return {
        "lines": len(verdicts),
        "lines_judged": len(judged),
        "lines_named": sum(v.named >= 0.5 for v in judged) / len(judged) if judged else None,
        "cue_latency_median_s": statistics.median(waits) if waits else None,
        "cue_latency_longest_s": max(waits) if waits else None,
        "cues_never_preferred": len(compared) - len(waits),
    }


def steadiness(seen: Seen) -> dict[str, Any]:
    """VBench's figures of stillness (Huang 2024, section 3.2), and beside them how much moves at all."""
    changes = seen.changes[:, 1].mean() if len(seen.changes) else 0.0
    rough = seen.changes[:, 2].mean() if len(seen.changes) else 0.0
    return {
        "dynamic_degree": dynamic_degree(seen.motions),
        "change_per_frame": float(changes),
        "seconds_frozen": float((seen.changes[:, 1] < FROZEN).mean()) if len(seen.changes) else 1.0,
        "temporal_flickering": 1.0 - float(changes),
        "motion_smoothness": None,
        "motion_smoothness_linear": 1.0 - float(rough),
    }


def drift(seen: Seen) -> dict[str, Any]:
    """Of every tone: its mean in the first and the last tenth, and its trend per minute (least squares)."""
    found: dict[str, Any] = {}
    tenth = max(1, len(seen.tones) // 10)
    for column, name in enumerate(TONES):
        values = seen.tones[:, column]
        minutes = seen.times / 60.0
        trend = np.polyfit(minutes, values, 1)[0] if len(values) > 1 and np.ptp(minutes) > 0 else 0.0
        found[f"{name}_first"] = float(values[:tenth].mean()) if len(values) else None
        found[f"{name}_last"] = float(values[-tenth:].mean()) if len(values) else None
        found[f"{name}_per_minute"] = float(trend)
    return found


def _notes(figures: dict[str, Any], critic: Critic) -> tuple[str, ...]:
    notes = ["motion_smoothness: needs AMT-S, whose published weights vj does not read; _linear compares with the "]
    notes[0] += "mean of the neighbours and is no VBench figure"
    if not critic.is_published:
        notes.append("background_consistency: needs a published guide; give --guide openai-b32")
        notes.append(f"clip_score: by the {critic.name}, not comparable with published CLIPScores")
    if figures["seconds_frozen"] > 0.5:
        notes.append("the picture is frozen: stillness, smoothness and consistency are no merit of it")
    return tuple(notes)

"""How soon a person sees what a hand did: a knob's move in the picture, and a new prompt in the judge's eyes."""

import statistics
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vj.bench.latency import percentile
from vj.bench.show import BenchShow, watched
from vj.mailboxes import Rgb

if TYPE_CHECKING:
    from engine.score.critic import Critic

VISIBLE = 2.0
"""Mean levels, of 255, by which a frame must differ more than it would have done anyway."""
COLD, HOT = 20.0, 80.0
MOVES = 12
BEFORE_S, AFTER_S = 2.0, 1.5
EVERY = 4
"""Every so many pixels both ways are compared: the mean needs no more."""

PROMPTS = ("a red heart", "a green tree", "a yellow sun", "a blue fish", "a red rose")
LOOKS_A_SECOND = 10.0
SETTLE_S, AWAIT_S = 4.0, 4.0
IN_A_ROW = 3
"""The judge must prefer the new prompt so many looks in a row."""

Seen = tuple[float, Rgb]
"""A frame, and when it was there, s."""


def hand_to_eye(show: BenchShow, moves: int = MOVES) -> dict[str, float]:
    """From an OSC move of temperature, 20 to 80, until the program differs visibly, ms.

    The cue clock stands, so that nothing else changes. A move never seen counts as the whole time it was waited for.
    """
    show.send("/vj/cue/pause")
    show.send("/vj/prompt", PROMPTS[0], 0.0)
    found = []
    for _ in range(moves):
        show.send("/vj/temperature", COLD)
        list(watched(show.program, 1.0))
        found.append(_seen_after_s(show))
    waits_ms = [1000.0 * (AFTER_S if wait_s is None else wait_s) for wait_s in found]
    return {
        "hand_to_eye_p50_ms": percentile(waits_ms, 0.5),
        "hand_to_eye_p95_ms": percentile(waits_ms, 0.95),
        "hand_to_eye_moves": moves,
        "hand_to_eye_seen": sum(wait_s is not None for wait_s in found),
        "hand_to_eye_threshold_levels": VISIBLE,
    }


def _seen_after_s(show: BenchShow) -> float | None:
    """Make one move amid a stretch of frames; seconds until it was visible, None if it never was."""
    before: list[Seen] = []
    after: list[Seen] = []
    moved_at, began = 0.0, time.monotonic()
    for frame in watched(show.program, BEFORE_S + AFTER_S):
        now = time.monotonic()
        (after if moved_at else before).append((now, frame.rgb[::EVERY, ::EVERY].copy()))
        if not moved_at and now - began >= BEFORE_S:
            moved_at = time.monotonic()
            show.send("/vj/temperature", HOT)
    return visible_after_s(before, after, moved_at)


def visible_after_s(before: Sequence[Seen], after: Sequence[Seen], moved_at: float) -> float | None:
    """Seconds until a frame differs visibly from the last one before the move; None if none does.

    What it would have changed anyway is the most that two frames before the move, as far apart, differed.
    """
    if not before:
        return None
    for n, (at, frame) in enumerate(after):
        apart = n + 1
        anyway = [difference(before[k][1], before[k + apart][1]) for k in range(len(before) - apart)]
        if difference(before[-1][1], frame) > VISIBLE + max(anyway, default=255.0):
            return at - moved_at
    return None


def difference(one: Rgb, other: Rgb) -> float:
    """Mean absolute difference in levels."""
    return float(np.abs(one.astype(np.int16) - other).mean())


def prompt_to_judge(show: BenchShow, prompts: Sequence[str] = PROMPTS) -> dict[str, float]:
    """From a new prompt by OSC until the held-out judge prefers it to the one before, s; the median and the slowest.

    Frames are kept and judged afterwards, so that judging costs the show nothing. A prompt that never won, or one
    that followed a prompt the judge had not seen in the picture, is told apart.
    """
    show.send("/vj/cue/pause")
    show.send("/vj/temperature", 35.0)
    show.send("/vj/prompt", prompts[0], 0.0)
    kept = []
    for prompt in prompts[1:]:
        list(watched(show.program, SETTLE_S))
        before = _every_tenth(show, 0.3)
        sent = time.monotonic()
        show.send("/vj/prompt", prompt, 0.0)
        kept.append((sent, before, _every_tenth(show, AWAIT_S)))
    critic = _judge()
    waits = [
        preferred_after_s(critic, (old, new), before, after, sent)
        for (sent, before, after), old, new in zip(kept, prompts[:-1], prompts[1:], strict=True)
    ]
    return judged(waits)


def judged(waits: Sequence[float | None]) -> dict[str, float]:
    """The figures of these waits, in s: None where there was nothing to lose, `AWAIT_S` where it was never won."""
    counted = [wait for wait in waits if wait is not None]
    return {
        "prompt_to_judge_s": round(statistics.median(counted), 2) if counted else -1.0,
        "prompt_to_judge_slowest_s": round(max(counted), 2) if counted else -1.0,
        "prompt_to_judge_prompts": len(counted),
        "prompt_to_judge_won": sum(wait < AWAIT_S for wait in counted),
    }


def preferred_after_s(
    critic: "Critic", texts: tuple[str, str], before: Sequence[Seen], after: Sequence[Seen], sent: float
) -> float | None:
    """Seconds until the judge prefers the second text, and stays with it for three looks; `AWAIT_S` if never.

    None where it preferred the second before that was asked for.
    """
    if not before or not after or _prefers(critic, texts, before).any():
        return None
    is_new = _prefers(critic, texts, after)
    for n in range(len(after) - IN_A_ROW + 1):
        if is_new[n : n + IN_A_ROW].all():
            return after[n][0] - sent
    return AWAIT_S


def _prefers(critic: "Critic", texts: tuple[str, str], frames: Sequence[Seen]) -> np.ndarray:
    """Whether each frame looks more like the second text than like the first."""
    agreed = (critic.see([rgb for _, rgb in frames]) @ critic.read(texts).T).numpy()
    return np.asarray(agreed[:, 1] > agreed[:, 0])


def _every_tenth(show: BenchShow, seconds: float) -> list[Seen]:
    """A frame every tenth of a second."""
    kept: list[Seen] = []
    for frame in watched(show.program, seconds):
        now = time.monotonic()
        if not kept or now - kept[-1][0] >= 1.0 / LOOKS_A_SECOND:
            kept.append((now, frame.rgb))
    return kept


def _judge() -> "Critic":
    from engine.score.critic import JudgeCritic
    from engine.score.judge import load_judge

    return JudgeCritic(load_judge())

"""Where a song is at a time: which cue is on, which two prompts pull, and how far along it is. Pure."""

from bisect import bisect_right
from dataclasses import dataclass

from vj.cues.cue import Cue, CueList

# The last cue has no next one to end it: it counts as sung after this long, s; the picture holds for ever.
LAST_CUE_S = 5.0
# How much of a line is given to crossing over into the next one, when it holds first: s, and share of the line.
CROSSING_S, CROSSING_SHARE = 2.0, 0.35


@dataclass(frozen=True, slots=True)
class CueMoment:
    """The cue list at one time.

    `index` is 1-based, 0 before the first cue; `text` is the cue's own words, empty before the first and on a
    line that holds. The picture is pulled toward `line` with weight (1 - blend) and toward `next_line` with
    weight blend. `progress` 0..1 is how far through the cue (before the first: how near it is), `next_text`
    the words of the cue that follows, for the screen. `is_over` turns true 5 s into the last cue.
    """

    index: int
    text: str
    line: str
    next_line: str
    blend: float
    progress: float
    next_text: str
    is_over: bool


def moment(cues: CueList, t_s: float, came_from: str = "", shape: str = "linear") -> CueMoment:
    """The cue list at `t_s` seconds; any time is allowed, also before 0 and after the end.

    Prompts blend from a cue's own words to the next cue's: `linear` over the whole cue, as in the paper (arXiv
    2210.12826); `hold` over its last part only, 35 % of it and 2 s at most. Before the first cue its words pull
    alone, so that frame 1 is painted from the first prompt. An empty cue holds the last words that were sung, and a
    cue that an empty one follows does not blend. A cue with a fade is crossed into within that time, from the words
    before it or from `came_from`; the words before have held until then.
    """
    rows = cues.cues
    index = bisect_right(rows, t_s, key=lambda cue: cue.at_s)
    following = rows[index] if index < len(rows) else None
    next_text = following.text if following else ""
    if index == 0:
        first = next((cue.text for cue in rows if cue.text), "")
        return CueMoment(0, "", first, "", 0.0, _share(t_s, 0.0, rows[0].at_s) if rows else 0.0, next_text, not rows)
    cue = rows[index - 1]
    end_s = following.at_s if following else cue.at_s + LAST_CUE_S
    progress = _share(t_s, cue.at_s, end_s)
    is_over = following is None and t_s >= end_s
    before = came_from or (_sung(cues, index - 1) if index > 1 else "")
    faded_s = _faded_s(cue, following) if before not in ("", cue.text) else cue.at_s
    if t_s < faded_s:
        line, next_line, blend = before, cue.text, _share(t_s, cue.at_s, faded_s)
    else:
        line, next_line = _sung(cues, index), next_text if cue.text else ""
        begun_s = faded_s if shape == "linear" else max(faded_s, end_s - _crossing_s(end_s - cue.at_s))
        blend = _share(t_s, begun_s, end_s) if next_line and following and following.fade_s is None else 0.0
    return CueMoment(index, cue.text, line, next_line, blend, progress, next_text, is_over)


def _crossing_s(length_s: float) -> float:
    return min(CROSSING_S, CROSSING_SHARE * length_s)


def _faded_s(cue: Cue, following: Cue | None) -> float:
    """When the crossfade into a cue is over, s: where the next cue begins at the latest."""
    over = cue.at_s + ((cue.fade_s or 0.0) if cue.text else 0.0)
    return min(over, following.at_s) if following else over


def _sung(cues: CueList, index: int) -> str:
    """The last words up to the cue with this 1-based index, or the first ones to come."""
    before = (cue.text for cue in reversed(cues.cues[:index]) if cue.text)
    after = (cue.text for cue in cues.cues[index:] if cue.text)
    return next(before, None) or next(after, "")


def _share(t_s: float, start_s: float, end_s: float) -> float:
    return min(1.0, max(0.0, (t_s - start_s) / (end_s - start_s))) if end_s > start_s else 0.0

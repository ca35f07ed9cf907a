"""A line typed or sent by hand, in front of what is sung. Pure."""

from dataclasses import dataclass

FOLLOWING_S = 1.0
"""Time the picture takes to follow its prompts, s: a crossfade of prompts is over by so much earlier than asked."""


@dataclass(frozen=True, slots=True)
class LivePrompt:
    """A line typed or sent by hand: it crossfades in from `before` and stays until the song takes the line back."""

    text: str
    before: str
    started: float
    fade_s: float
    standby: str = ""
    cue_index: int = 0

    def lines(self, now: float) -> tuple[str, str, float]:
        """Line, next line and blend at this time; the prompts are there early enough for the picture to follow."""
        crossing_s = max(0.5 * self.fade_s, self.fade_s - FOLLOWING_S)
        done = 1.0 if crossing_s <= 0 else min(1.0, (now - self.started) / crossing_s)
        if done < 1.0 and self.before and self.before != self.text:
            return self.before, self.text, done
        return self.text, self.standby, 0.0

    def holds(self, index: int, hold_s: float, now: float) -> bool:
        """Whether it has the line: until another cue is sung, and for `hold_s` seconds whatever is sung."""
        return index == self.cue_index or now - self.started < hold_s

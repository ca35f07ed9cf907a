"""The beat: tempo tapped by hand and the phase it runs in. Pure."""

from dataclasses import dataclass, replace
from itertools import pairwise
from math import floor
from statistics import median

TAP_GAP_S = 2.0  # a longer gap begins a new series; two taps so far apart are 30 beats a minute
BOUNCE_S = 0.1  # a pad that bounces sends twice; 300 beats a minute are 0.2 s apart
TAPS_KEPT = 8


@dataclass(frozen=True, slots=True)
class Beat:
    """A beat falls at the monotonic time `next_at`, s, and every 60/tempo seconds from there. `taps`: the last ones."""

    next_at: float = 0.0
    taps: tuple[float, ...] = ()

    def passed(self, tempo: float, now: float) -> "Beat":
        """The beat with the first one to come after now."""
        period_s = 60.0 / tempo
        late = floor(max(0.0, now - self.next_at) / period_s)
        return replace(self, next_at=self.next_at + (late + 1) * period_s)

    def at_tempo(self, before: float, tempo: float, now: float) -> "Beat":
        """The beat at another tempo, as far through itself as it was."""
        return replace(self, next_at=now + (self.next_at - now) * before / tempo)

    def tapped(self, now: float) -> "Beat":
        """The beat after a tap; the very same one for a bounce."""
        gap_s = now - self.taps[-1] if self.taps else TAP_GAP_S + 1.0
        if gap_s < BOUNCE_S:
            return self
        return replace(self, taps=((*self.taps, now) if gap_s <= TAP_GAP_S else (now,))[-TAPS_KEPT:])

    def tempo(self) -> float | None:
        """Beats a minute by the median of the gaps between taps; None before the second tap."""
        gaps = [later - earlier for earlier, later in pairwise(self.taps)]
        return 60.0 / median(gaps) if gaps else None

    def on_tap(self, tempo: float, now: float) -> "Beat":
        """The beat in phase with a tap now: the one it was meant for falls now, unless it just has."""
        period_s = 60.0 / tempo
        is_to_come = self.next_at - now < period_s / 2.0
        return replace(self, next_at=now if is_to_come else now + period_s)

    def phase_s(self, tempo: float) -> float:
        """Where beats fall, s into every period since the clock's beginning; the same from beat to beat."""
        return round(self.next_at % (60.0 / tempo), 3)

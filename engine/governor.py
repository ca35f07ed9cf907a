"""The quality governor: fewer steps and crops rather than a missed engine rate. Pure; the caller brings the time."""

from dataclasses import dataclass, replace

from engine.parameters import Look

FEWEST_CROPS = 2
"""One overview and one inner view: with less, either the whole or its parts are no longer guided."""

LATE = 1.05
"""Share of the time for a frame above which less is done."""
ROOM = 0.88
"""Share of the time for a frame that the next better rung must be expected to stay under."""
PATIENCE = 20
"""Frames with room in a row before more is done again; going down takes three."""
ALARM = 3


@dataclass(frozen=True, slots=True)
class Governor:
    """How much of the asked steps and crops is done: a rung of a ladder, 0 being everything."""

    rung: int = 0
    frame_s: float = 0.0
    """Time a frame takes, smoothed; 0 when unknown."""
    late: int = 0
    roomy: int = 0

    def effort(self, look: Look) -> tuple[int, int]:
        """(steps, crops) for the next frame."""
        ladder = rungs(look.whole("steps"), look.whole("crops"))
        if not look.is_on("governor"):
            return ladder[0]
        return ladder[min(self.rung, len(ladder) - 1)]

    def after(self, frame_s: float, look: Look) -> "Governor":
        """The governor once a frame of this look took so long."""
        if not look.is_on("governor"):
            return Governor()
        ladder = rungs(look.whole("steps"), look.whole("crops"))
        now = min(self.rung, len(ladder) - 1)
        mean_s = frame_s if self.frame_s == 0.0 else 0.7 * self.frame_s + 0.3 * frame_s
        budget_s = 1.0 / look.number("engine_fps")
        late = self.late + 1 if mean_s > LATE * budget_s else 0
        better_s = mean_s * _work(ladder[now - 1]) / _work(ladder[now]) if now else mean_s
        roomy = self.roomy + 1 if now and better_s < ROOM * budget_s else 0
        if late >= ALARM and now < len(ladder) - 1:
            return Governor(rung=_fitting(ladder, now, budget_s / mean_s))
        if roomy >= PATIENCE:
            return Governor(rung=now - 1)
        return replace(self, rung=now, frame_s=mean_s, late=late, roomy=roomy)

    def sentence(self, look: Look) -> str:
        """What the governor is doing, for the screen; "" while everything asked for is done."""
        steps, crops = self.effort(look)
        asked = look.whole("steps"), look.whole("crops")
        if (steps, crops) == asked:
            return ""
        return f"{steps} of {asked[0]} steps, {crops} of {asked[1]} crops to hold {look.number('engine_fps'):g} fps"


def rungs(steps: int, crops: int) -> list[tuple[int, int]]:
    """(steps, crops) from all that was asked down to (1, 2), each rung cheaper than the one before.

    Whatever is further above its least goes first, a quarter at a time.
    """
    ladder = [(steps, crops)]
    while steps > 1 or crops > FEWEST_CROPS:
        if crops > FEWEST_CROPS and (steps == 1 or crops / FEWEST_CROPS >= steps):
            crops = max(FEWEST_CROPS, crops - max(1, crops // 4))
        else:
            steps -= max(1, steps // 4)
        ladder.append((steps, crops))
    return ladder


def _work(effort: tuple[int, int]) -> float:
    # A step costs about as much as one more crop even before any crop is seen.
    steps, crops = effort
    return steps * (crops + 1.0)


def _fitting(ladder: list[tuple[int, int]], now: int, share: float) -> int:
    """The first rung below `now` whose work is at most this share of the present rung's."""
    for rung in range(now + 1, len(ladder)):
        if _work(ladder[rung]) <= share * _work(ladder[now]):
            return rung
    return len(ladder) - 1

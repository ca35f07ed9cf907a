"""How soon a knob is heard: an OSC packet's way to the first program frame painted with it, leg by leg."""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vj.bench.show import BenchShow
from vj.mailboxes import FrameMailbox, TextMailbox

MOVES = 40
LONGEST_S = 3.0
LEGS = ("osc_to_look", "look_to_engine", "engine_to_frame", "frame_to_program")


@dataclass(frozen=True, slots=True)
class Way:
    """When a change was where, s on the monotonic clock: sent, published, read by the engine, painted, shown."""

    sent: float
    look: float
    engine: float
    frame: float
    program: float

    def legs_ms(self) -> dict[str, float]:
        """What each leg took; they add up to the whole."""
        times = (self.sent, self.look, self.engine, self.frame, self.program)
        return {leg: 1000.0 * (times[n + 1] - times[n]) for n, leg in enumerate(LEGS)}

    def whole_ms(self) -> float:
        """From the packet to the program frame."""
        return 1000.0 * (self.program - self.sent)


@dataclass(frozen=True, slots=True)
class Watch:
    """The mailboxes on the way of a change; `pause` is called between two looks at them."""

    looks: TextMailbox
    frames: FrameMailbox
    program: FrameMailbox
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep

    def follow(self, sent: float, parameter: str, value: float) -> Way | None:
        """Follow a change of this parameter until the program shows it; None if it does not within 3 s."""
        look = engine = frame = 0.0
        serial = 0
        while (now := self.clock()) < sent + LONGEST_S:
            if not look and (serial := self._serial(parameter, value)):
                look = now
            if look and not frame:
                made = self.frames.newest()
                if made is not None and made.look >= serial:
                    # The engine may have begun this frame before, and have read the look at a later step of it.
                    frame, engine = now, min(now, max(look, made.painted_at))
            if frame:
                shown = self.program.newest()
                if shown is not None and shown.look >= serial and shown.is_painted:
                    return Way(sent, look, engine, frame, now)
            self.pause(0.001)
        return None

    def _serial(self, parameter: str, value: float) -> int:
        """The serial of the newest look if it has this value, else 0."""
        look = json.loads(self.looks.newest() or "{}")
        is_there = abs(float(look.get("values", {}).get(parameter, -1e9)) - value) < 1e-3
        return int(look["serial"]) if is_there else 0


def osc_to_frame(show: BenchShow, moves: int = MOVES) -> dict[str, float]:
    """From an OSC temperature packet to the first program frame painted with it, ms, and each leg's median."""
    watch = Watch(show.folder.look(), show.folder.frames(), show.program)
    found = []
    for n in range(moves):
        value = 20.0 + (n % 2) * 30.0 + n * 0.01
        sent = time.monotonic()
        show.send("/vj/temperature", value)
        found.append(watch.follow(sent, "temperature", value))
        time.sleep(0.11 + 0.013 * (n % 7))  # not in step with the frames
    return summed_up([way for way in found if way is not None], moves)


def summed_up(ways: Sequence[Way], moves: int) -> dict[str, float]:
    """Medians, quartiles and the 95th percentile; -1 where most of the moves were never seen."""
    if len(ways) <= moves // 2:
        return {"osc_to_frame_p50_ms": -1.0, "osc_to_frame_p95_ms": -1.0, "osc_to_frame_seen": len(ways)}
    whole = [way.whole_ms() for way in ways]
    legs = [way.legs_ms() for way in ways]
    return {
        "osc_to_frame_p50_ms": percentile(whole, 0.5),
        "osc_to_frame_p95_ms": percentile(whole, 0.95),
        "osc_to_frame_q1_ms": percentile(whole, 0.25),
        "osc_to_frame_q3_ms": percentile(whole, 0.75),
        "osc_to_frame_moves": moves,
        "osc_to_frame_seen": len(ways),
        **{f"{leg}_p50_ms": round(statistics.median(one[leg] for one in legs), 1) for leg in LEGS},
    }


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of all values does not exceed, rounded to a tenth."""
    ordered = sorted(values)
    if share == 0.5:
        return round(statistics.median(ordered), 1)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)

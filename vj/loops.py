"""A frame's way, top to bottom: changes → look → engine → frame → program → sinks.

Every loop takes its mailboxes, its device and its clock as arguments, so that a test runs it with memory mailboxes and
a hand clock. `keep_on` is asked once a turn and ends the loop.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from engine.parameters import Look
from vj.mailboxes import Frame, FrameMailbox, Rgb, TextMailbox
from vj.pace import Pace, Rate, in_step
from vj.program.mix import Mix
from vj.pulse import Pulse
from vj.sinks import Sink
from vj.standby import standby

log = logging.getLogger("vj.loops")
Turning = Callable[[], bool]

DESK_FPS = 60.0
SINK_RETRY_S = (0.5, 1.0, 2.0, 5.0)
SINK_HEALTHY_S = 10.0
HELD_AFTER_S = 0.25


class Painter(Protocol):
    """What paints: the engine, or its double in a test."""

    @property
    def serial(self) -> int:
        """Which look the last frame was painted from: the newest that took part whole."""
        ...

    def paint(self, look: Look, newest: Callable[[], Look | None]) -> Rgb:
        """One frame from this look, uint8 RGB (h, w, 3); `newest` is asked for a newer one on the way."""
        ...

    def start_from(self, rgb: Rgb) -> None:
        """Go on from this frame, as after a crash."""
        ...

    def report(self) -> dict[str, Any]:
        """Facts for the engine's pulse."""
        ...


class Desk(Protocol):
    """What turns changes into looks: owns the show's state."""

    def turn(self, timeout_s: float) -> Look:
        """Make the changes that came within this time and give the look as it is now."""
        ...

    def has_painted(self) -> None:
        """The engine's first frame has been painted: a cue clock that waits for it may start."""
        ...

    def report(self) -> dict[str, Any]:
        """Facts for the desk's pulse."""
        ...


class Looks:
    """Reads the look mailbox; parses a look only when it is another one. Keeps the last that could be read."""

    def __init__(self, box: TextMailbox) -> None:
        self._box = box
        self._text: str | None = None
        self.look: Look | None = None

    def newest(self) -> Look | None:
        """The newest look, or None before the first."""
        text = self._box.newest()
        if text is not None and text != self._text:
            self._text = text
            try:
                self.look = Look.from_json(text)
            except (ValueError, KeyError, TypeError):
                log.exception("look: not readable, the one before stays")
        return self.look


def desk_loop(desk: Desk, looks: TextMailbox, frames: FrameMailbox, pulse: Pulse, keep_on: Turning) -> None:
    """Changes → state → look. Publishes a look whenever it is another one, at most `DESK_FPS` times a second."""
    shown: Look | None = None
    is_painted = False
    while keep_on():
        look = desk.turn(1.0 / DESK_FPS)
        if look != shown:
            looks.put(look.to_json())
            shown = look
        if not is_painted:
            frame = frames.newest()
            is_painted = frame is not None and frame.is_painted
            if is_painted:
                desk.has_painted()
        pulse.beat(desk.report)


@dataclass(frozen=True, slots=True)
class Ticks:
    """When the program takes frames: its rate, and the time of its last turn (0.0 while there is none)."""

    fps: float
    last: Callable[[], float]


def engine_loop(
    painter: Painter,
    looks: TextMailbox,
    frames: FrameMailbox,
    pulse: Pulse,
    keep_on: Turning,
    ticks: Ticks | None = None,
) -> None:
    """Look → optimise → frame. Starts from the frame that is already there; waits while there is nothing to paint.

    With `ticks` of the same rate, frames are there just before the program takes them.
    """
    reader, rate = Looks(looks), Rate()
    last = frames.newest()
    number = before = last.number if last else 0
    if last is not None and last.is_painted:
        painter.start_from(last.rgb)
    started, usual_s = time.monotonic(), 0.0
    while keep_on():
        look, began = reader.newest(), time.monotonic()
        if look is None or look.is_blank():
            time.sleep(0.02)
            pulse.beat(painter.report, state="waiting", fps=0.0)
            continue
        if number == before:
            pulse.hasten()  # still loading for the keeper: a device's first frame may take long
            pulse.beat(painter.report, state="loading", fps=0.0)
        rgb = painter.paint(look, reader.newest)
        number += 1
        frames.put(Frame(rgb, number, began, painter.serial, True))
        rate.tick()
        pulse.beat(painter.report, state="painting", fps=round(rate.fps(), 2))
        # The rate asked for is a ceiling: time to spare goes to the rest of the machine, not to more frames.
        started = max(started + 1.0 / look.number("engine_fps"), time.monotonic() - 0.25)
        if ticks is not None and abs(look.number("engine_fps") - ticks.fps) < 0.5 and (tick := ticks.last()):
            usual_s += 0.1 * (time.monotonic() - began - usual_s)
            started = in_step(started, usual_s, tick, 1.0 / ticks.fps)
        time.sleep(max(0.0, started - time.monotonic()))


@dataclass(frozen=True, slots=True)
class ProgramBoxes:
    """The mailboxes of the program: it reads looks and the engine's frames, and writes its own."""

    looks: TextMailbox
    frames: FrameMailbox
    program: FrameMailbox


def program_loop(mix: Mix, boxes: ProgramBoxes, pulse: Pulse, pace: Pace, keep_on: Turning) -> None:
    """Frame → pace, blend, grade, master → program, at a steady rate whatever the engine does."""
    reader, rate = Looks(boxes.looks), Rate()
    before = boxes.program.newest()
    number, engine_number = (before.number if before else 0), -1
    look_serial, latency_ms = 0, 0.0
    while keep_on():
        now = pace.wait()
        frame = boxes.frames.newest(after=engine_number)
        if frame is not None:
            engine_number, look_serial = frame.number, frame.look
            mix.take(frame, now)
        number += 1
        rgb = mix.turn(reader.newest() or Look(), now)
        boxes.program.put(Frame(rgb, number, now, look_serial, mix.has_painted))
        rate.tick()
        if frame is not None:
            latency_ms = 1000.0 * (time.monotonic() - frame.painted_at)
        pulse.beat(
            lambda: {"gap_p99_ms": round(rate.gap_p99_ms(), 1), "size": [mix.width, mix.height]},
            fps=round(rate.fps(), 2),
            latency_ms=round(latency_ms, 1),
            holding=mix.is_holding(now),
            painted=mix.has_painted,
        )


def sink_loop(
    make: Callable[[], Sink],
    size: tuple[int, int],
    fps: float,
    program: FrameMailbox,
    pulse: Pulse,
    keep_on: Turning,
) -> None:
    """Program → device. Makes and opens the device again with back-off when it fails; only this device blinks."""
    failures, error = 0, ""
    while keep_on():
        sink, began = make(), time.monotonic()
        try:
            pulse.hasten()  # the keeper must hear of it: opening may take longer than a working sink may be silent
            pulse.beat(sink.report, state="opening", fps=0.0, error=error)
            sink.open(*size, fps)
            _feed(sink, size, fps, program, pulse, keep_on)
        except Exception as err:  # a device's own library may raise anything
            is_news, error = error != str(err), str(err) or type(err).__name__
            log.log(logging.ERROR if is_news else logging.DEBUG, "sink: %s, tried again", error, exc_info=is_news)
        finally:
            _close(sink)
        failures = 1 if time.monotonic() - began > SINK_HEALTHY_S else failures + 1
        again = time.monotonic() + SINK_RETRY_S[min(failures, len(SINK_RETRY_S)) - 1]
        while keep_on() and time.monotonic() < again:
            pulse.beat(dict, state="failed", fps=0.0, error=error)
            time.sleep(0.05)


def _feed(sink: Sink, size: tuple[int, int], fps: float, program: FrameMailbox, pulse: Pulse, keep_on: Turning) -> None:
    """Send each new program frame as soon as it is there; a silent program's last frame is sent again."""
    rate, number = Rate(), -1
    held, due = standby(*size, 0.0), 0.0
    while keep_on():
        frame, now = program.newest(after=number), time.monotonic()
        if frame is None and now < due:
            time.sleep(0.002)
            continue
        if frame is not None:
            number, held = frame.number, frame.rgb
        elif number < 0:
            held = standby(*size, now)
        sink.send(held)
        rate.tick()
        due = now + (1.0 / fps if number < 0 else HELD_AFTER_S)
        state = "ok" if frame is not None else "waiting"
        pulse.beat(sink.report, state=state, fps=round(rate.fps(), 2), error="")


def _close(sink: Sink) -> None:
    try:
        sink.close()
    except Exception:  # a device that failed may fail again while closing
        log.exception("sink: could not be closed")

"""The parts of a show as processes: what each is built from before its loop runs."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any, Protocol

from vj import library
from vj.bank import BankFile, show_file
from vj.desk import ShowDesk
from vj.errors import VjError
from vj.opening import given_bank, opening_state, read_or_note
from vj.priority import step_back, step_forward
from vj.pulse import Pulse
from vj.runtime import Folder, Plan, running_show
from vj.saved import from_json

if TYPE_CHECKING:
    from vj.controls.mapping import Mapping

log = logging.getLogger("vj.parts")


class Input(Protocol):
    """Where changes come from: OSC, MIDI, the dashboard's door."""

    def start(self) -> None:
        """Begin to listen. Raises VjError or OSError when it cannot be had."""
        ...

    def stop(self) -> None:
        """Stop listening and let go of the device."""
        ...

    def report(self) -> dict[str, Any]:
        """Counters for the desk's pulse."""
        ...


def run_part(name: str) -> int:
    """Run one part of the running show until it is told to end. Exit code 0 when it was."""
    folder = running_show()
    if folder is None:
        raise VjError("no show is running")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    log.info("%s: starting", name)
    turning = _until_told(folder)
    plan = folder.plan()
    kind, _, number = name.partition("-")
    if kind == "sink":
        spec = plan.sinks[int(number)]
        _run_sink(folder, plan, spec, Pulse(folder.pulse(name), spec=spec), turning)
    else:
        pulse = Pulse(folder.pulse(name))
        {"desk": _run_desk, "program": _run_program, "engine": _run_engine}[kind](folder, plan, pulse, turning)
    log.info("%s: ended", name)
    return 0


def _until_told(folder: Folder) -> Callable[[], bool]:
    """A question that stays true until SIGTERM comes or the stop file is there (which works on Windows too)."""
    told = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        told.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop_file, due = folder.root / "stop", 0.0

    def turning() -> bool:
        nonlocal due
        now = time.monotonic()
        if now >= due:
            due = now + 0.2
            if stop_file.exists():
                told.set()
        return not told.is_set()

    return turning


def _run_desk(folder: Folder, plan: Plan, pulse: Pulse, turning: Callable[[], bool]) -> None:
    from vj.loops import Looks, desk_loop

    saved = folder.root / "desk.json"
    notes: list[str] = []
    state = opening_state(plan, notes)
    if saved.exists():
        try:
            # A desk that comes back within one show finds its own file; a resumed show finds the last show's.
            state = from_json(saved.read_text(encoding="utf-8"), state, is_same_boot=not _is_first(folder))
            notes.append("the desk came back where it was")
        except (OSError, ValueError) as err:
            notes.append(f"the saved desk could not be read and was put aside: {err}")
            saved.replace(saved.with_suffix(".bad"))
    if before := Looks(folder.look()).newest():  # looks are numbered on, so that each has a number of its own
        state = replace(state, look=replace(state.look, serial=before.serial))
    (folder.root / "desk.begun").touch()
    bank = BankFile(show_file(plan.show), state.bank, given_bank(plan))
    desk = ShowDesk(state, saved, plan.wait, bank)
    for note in notes:
        desk.say(note)
    inputs = _inputs(folder, plan, desk)
    try:
        desk_loop(desk, folder.look(), folder.frames(), pulse, turning)
    finally:
        desk.close()
        for part in inputs:
            part.stop()


def _is_first(folder: Folder) -> bool:
    return not (folder.root / "desk.begun").exists()


def _inputs(folder: Folder, plan: Plan, desk: ShowDesk) -> list[Input]:
    """Start every input; one that cannot be had is said and left out, for the show goes on."""
    from vj.controls.door import Door
    from vj.controls.midi import MidiInput
    from vj.controls.osc import OscInput

    host, _, port = plan.osc.rpartition(":")
    notes: list[str] = []
    found = [read_or_note(partial(_mapping, name), notes) for name in plan.mappings]
    for note in notes:
        desk.say(note)
    mappings = tuple(mapping for mapping in found if mapping)
    door = Door(folder.root / "door.json", desk.put, desk.note)
    osc = OscInput(host, int(port), desk.put, desk.look, desk.note)
    midi = MidiInput(mappings, plan.midi_in, desk.put, desk.look, desk.note)
    started: list[Input] = []
    inputs: dict[str, Input] = {"keys": door, "osc": osc, "midi": midi}
    for name, part in inputs.items():
        try:
            part.start()
            started.append(part)
            desk.inputs[name] = part.report
        except Exception as err:  # a device's own library may raise anything
            log.exception("%s: could not be started", name)
            desk.say(f"{name}: {err}")
            desk.inputs[name] = partial(dict, reason=str(err))
    desk.listeners.append(osc.changed)
    return started


def _mapping(name: str) -> "Mapping":
    from vj.controls.mapping import read_mapping

    return read_mapping(library.find("mappings", name))


def _run_program(folder: Folder, plan: Plan, pulse: Pulse, turning: Callable[[], bool]) -> None:
    from vj.loops import ProgramBoxes, program_loop
    from vj.pace import Pace
    from vj.program.mix import Mix

    step_forward()
    mix = Mix(plan.width, plan.height, time.monotonic())
    pace = Pace(plan.fps)
    boxes = ProgramBoxes(folder.look(), folder.frames(), folder.program())
    program_loop(mix, boxes, pulse, pace, turning)


def _run_sink(folder: Folder, plan: Plan, spec: str, pulse: Pulse, turning: Callable[[], bool]) -> None:
    from vj.loops import sink_loop
    from vj.sinks import make_sink

    step_forward()
    sink_loop(partial(make_sink, spec), (plan.width, plan.height), plan.fps, folder.program(), pulse, turning)


def _run_engine(folder: Folder, plan: Plan, pulse: Pulse, turning: Callable[[], bool]) -> None:
    from vj.engine_process import make_painter
    from vj.loops import Ticks, engine_loop

    step_back()
    pulse.beat(dict, state="loading", fps=0.0, guide=plan.guide)
    painter, ticks = make_painter(plan, beat=pulse.again), Ticks(plan.fps, folder.program().painted_at)
    engine_loop(painter, folder.look(), folder.frames(), pulse, turning, ticks)

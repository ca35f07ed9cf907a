"""The scene: everything the dashboard shows at one moment, worked out from the pulses. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.parameters import PARAMETERS, SLOTS, Parameter, Value
from vj.dashboard.pulses import Pulse, clean, finite
from vj.runtime import Plan

PARTS = ("desk", "engine", "program", "keeper")


@dataclass(frozen=True, slots=True)
class Part:
    """How a part answers. `age_s` is None when it never spoke; `fate` is what the keeper says of it."""

    name: str
    pulse: Pulse
    age_s: float | None = None
    is_live: bool = False
    fate: str = ""
    restarts: int = 0

    def number(self, name: str) -> float | None:
        """A number the part reports; None while it does not answer."""
        return self.pulse.number(name) if self.is_live else None

    def text(self, name: str) -> str:
        """A text the part reports; "" while it does not answer."""
        return self.pulse.text(name) if self.is_live else ""

    def is_on(self, name: str) -> bool:
        """A switch the part reports; false while it does not answer."""
        return self.is_live and self.pulse.is_on(name)

    @property
    def silence(self) -> str:
        """Why there is nothing to show of it; "" while it answers."""
        if self.is_live:
            return ""
        why = f" ({self.fate})" if self.fate else ""
        if self.age_s is None:
            return f"{self.name} not there yet{why}"
        return f"{self.name} not answering for {int(self.age_s)} s{why}"


@dataclass(frozen=True, slots=True)
class Cue:
    """Where the cue list is; index 0 before the first cue."""

    index: int = 0
    count: int = 0
    text: str = ""
    next: str = ""
    progress: float = 0.0
    position_s: float = 0.0
    state: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """One prompt slot, counted from 1."""

    number: int
    text: str
    weight: float

    @property
    def is_used(self) -> bool:
        """Whether there is anything in it."""
        return bool(self.text)


@dataclass(frozen=True, slots=True)
class Row:
    """One parameter as it stands; `moved_by` is the control that moved it last, `moved_s` seconds ago."""

    parameter: Parameter
    value: Value | None = None
    moved_by: str = ""
    moved_s: float | None = None


@dataclass(frozen=True, slots=True)
class SinkLine:
    """One sink and how it does. `state` is opening, ok, waiting, failed, or silent."""

    name: str
    state: str
    fps: float | None = None
    url: str = ""
    error: str = ""
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything on the dashboard at one moment."""

    desk: Part
    engine: Part
    program: Part
    keeper: Part
    cue: Cue
    rows: tuple[Row, ...]
    slots: tuple[Slot, ...]
    sinks: tuple[SinkLine, ...]
    line: str = ""
    next_line: str = ""
    blend: float = 0.0
    song: str = ""
    song_index: int = 0  # from 1; 0 in a show without songs
    song_count: int = 0
    preset: str = ""
    presets: tuple[str, ...] = ()
    inputs: Pulse = field(default_factory=Pulse)
    monitor: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    undo: int = 0
    waits: bool = False
    warning: str = ""
    warned_at: float = 0.0

    def value(self, name: str) -> Value | None:
        """A parameter's value, or None while none is known."""
        return next((row.value for row in self.rows if row.parameter.name == name), None)

    def number(self, name: str) -> float:
        """A number parameter's value; its default while none is known."""
        value = self.value(name)
        return float(PARAMETERS[name].default if value is None else value)

    def is_on(self, name: str) -> bool:
        """Whether a switch parameter is known to be on."""
        return self.value(name) is True


def scene_of(pulses: Mapping[str, Pulse], plan: Plan | None, now: float) -> Scene:
    """The scene at `now`, on the monotonic clock the pulses were stamped with, s."""
    keeper = pulses.get("keeper", Pulse())
    parts = {name: _part(name, pulses, keeper, now) for name in PARTS}
    desk, look = parts["desk"], pulses.get("look", Pulse())
    said = desk.pulse
    values = {**said.group("look").values, **look.group("values").values}
    rows = tuple(_row(parameter, values, said.group("moved"), now) for parameter in PARAMETERS.values())
    return Scene(
        **parts,
        cue=_cue(said.group("cue")),
        rows=rows,
        slots=_slots({row.parameter.name: row.value for row in rows}),
        sinks=_sinks(pulses, plan, keeper.group("parts"), now),
        line=look.text("line") or said.text("line"),
        next_line=look.text("next_line") or said.text("next_line"),
        blend=look.number("blend") or 0.0,
        song=said.text("song"),
        song_index=said.group("songs").whole("index"),
        song_count=said.group("songs").whole("count"),
        preset=said.text("preset"),
        presets=said.texts("presets"),
        inputs=said.group("inputs"),
        monitor=said.texts("monitor"),
        log=said.texts("log"),
        faults=_faults(said, keeper.group("parts")),
        notes=parts["engine"].pulse.texts("notes") if parts["engine"].is_live else (),
        undo=said.whole("undo"),
        waits=plan is not None and plan.wait,
        warning=next(iter(said.texts("warning")), ""),
        warned_at=next(filter(None, map(finite, said.items("warning"))), 0.0),
    )


def _part(name: str, pulses: Mapping[str, Pulse], keeper: Pulse, now: float) -> Part:
    pulse = pulses.get(name, Pulse())
    kept = keeper.group("parts").group(name)
    fate = _fate(kept) if keeper.is_live(now) else ""
    # The keeper knows of a death at once; the pulse would look fresh for three seconds more.
    return Part(name, pulse, pulse.age_s(now), pulse.is_live(now) and not fate, fate, kept.whole("restarts"))


def _fate(part: Pulse) -> str:
    state, reason = part.text("state"), part.text("reason")
    if state in ("", "running"):
        return ""
    return f"{state}: {reason}" if reason else state


def _faults(desk: Pulse, parts: Pulse) -> tuple[str, ...]:
    lost = desk.whole("lost")
    restarts = ((clean(name), parts.group(name)) for name in parts.values)
    again = (
        f"{name} restarted {p.whole('restarts')}×: {p.text('reason')}" for name, p in restarts if p.whole("restarts")
    )
    swamped = (f"{lost} changes lost: more came than the desk can make",) if lost else ()
    return (*again, *desk.texts("faults"), *swamped)


def _cue(cue: Pulse) -> Cue:
    return Cue(
        cue.whole("index"),
        cue.whole("count"),
        cue.text("text"),
        cue.text("next"),
        min(1.0, max(0.0, cue.number("progress") or 0.0)),
        cue.number("position_s") or 0.0,
        cue.text("state"),
    )


def _row(parameter: Parameter, values: Mapping[str, object], moved: Pulse, now: float) -> Row:
    try:
        value: Value | None = parameter.checked(values.get(parameter.name))
    except (ValueError, OverflowError):
        value = None
    source, at = (*moved.items(parameter.name), None, None)[:2]
    if not isinstance(source, str):
        return Row(parameter, _clean(value))
    moved_at = finite(at)
    age = None if moved_at is None else max(0.0, now - moved_at)
    return Row(parameter, _clean(value), clean(source), age)


def _clean(value: Value | None) -> Value | None:
    return clean(value) if isinstance(value, str) else value


def _slots(values: Mapping[str, Value | None]) -> tuple[Slot, ...]:
    return tuple(
        Slot(n, str(values.get(f"prompt_{n}") or ""), float(values.get(f"weight_{n}") or 0.0))
        for n in range(1, SLOTS + 1)
    )


def _sinks(pulses: Mapping[str, Pulse], plan: Plan | None, parts: Pulse, now: float) -> tuple[SinkLine, ...]:
    specs = plan.sinks if plan is not None else ()
    return tuple(
        _sink(clean(spec), pulses.get(f"sink-{n}", Pulse()), parts.group(f"sink-{n}"), now)
        for n, spec in enumerate(specs)
    )


def _sink(spec: str, pulse: Pulse, kept: Pulse, now: float) -> SinkLine:
    restarts = kept.whole("restarts")
    age = pulse.age_s(now)
    if not pulse.is_live(now):
        error = _fate(kept) or ("not there yet" if age is None else f"not answering for {int(age)} s")
        return SinkLine(spec, "silent", error=error, restarts=restarts)
    where = pulse.text("url") or pulse.text("path") or pulse.text("device")
    return SinkLine(spec, pulse.text("state"), pulse.number("fps"), where, pulse.text("error"), restarts)

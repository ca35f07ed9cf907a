"""What must be right before the first process of a show starts: its files, its sinks, its ports, its devices."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from vj import bank, library
from vj.controls import midi, osc
from vj.controls.mapping import read_mapping
from vj.cues import read_cues
from vj.errors import DeviceError, UsageError
from vj.runtime import Plan
from vj.sinks import Sink, make_sink


def check(
    plan: Plan, problems: Iterable[str] = (), engine: Callable[[Plan], Sequence[DeviceError]] = lambda _: ()
) -> list[str]:
    """Check everything a show needs before its first process starts; the notes of what it will go without.

    `engine` says what the engine would go without, where that is asked. Raises UsageError with every problem of the
    files, the values and the sinks asked for, after those given, and DeviceError with every port that is taken and,
    when the plan is strict, with every missing device.
    """
    found = list(problems)
    missing = _check_sinks(plan, found)
    check_files(plan, found)
    missing |= _check_controls(plan)
    missing |= {f"engine {n}": why for n, why in enumerate(engine(plan))}
    # A taken port would leave the performer looking at another show's page, or playing it; a missing camera would not.
    fatal = [why for name, why in missing.items() if plan.strict or name.startswith(("browser", "osc"))]
    if fatal:
        raise DeviceError("\n".join(map(str, fatal)))
    return [f"{why}; the show goes on without it and keeps trying" for why in missing.values()]


def _check_sinks(plan: Plan, problems: list[str]) -> dict[str, DeviceError]:
    """The sinks that cannot be had now; what is wrong with the others joins the problems."""
    missing: dict[str, DeviceError] = {}
    first: dict[str, str] = {}
    for spec in plan.sinks:
        try:
            sink = make_sink(spec)
            sink.check()
        except UsageError as err:
            problems.append(f"--sink {spec}: {err}")
            continue
        except DeviceError as err:
            missing[spec] = err
        # Two of one device would fight over it all evening. A bare camera takes the next one that is free.
        device = _device_of(spec, sink)
        if device and device in first:
            as_what = f", as {first[device]} too" if first[device] != spec else ""
            problems.append(f"--sink {spec}: given twice{as_what}")
        first.setdefault(device, spec)
    return missing


def _check_controls(plan: Plan) -> dict[str, DeviceError]:
    """The inputs that cannot be had now."""
    missing: dict[str, DeviceError] = {}
    host, _, port = plan.osc.rpartition(":")
    checks = {"osc": partial(osc.check, host, int(port)), "midi": partial(midi.check, plan.midi_in)}
    for name, is_there in checks.items():
        try:
            is_there()
        except DeviceError as err:
            missing[name] = err
    return missing


def _device_of(spec: str, sink: Sink) -> str:
    """What a sink would have for itself, however its spec is written; "" for whichever is free."""
    kind, _, argument = spec.partition(":")
    if isinstance(port := getattr(sink, "port", None), int):
        return f"{kind}:{port}"
    if kind in ("record", "frames"):
        return f"{kind}:{Path(argument).expanduser().resolve()}"
    return spec if argument else ""


def check_files(plan: Plan, problems: Iterable[str] = ()) -> None:
    """Read every file the plan names. Raises UsageError with every problem of each, after those given."""
    found = list(problems)
    for read, kind, name in _files(plan):
        try:
            read(library.find(kind, name))
        except UsageError as err:
            found += str(err).splitlines()
    if found:
        raise UsageError("\n".join(dict.fromkeys(found)))


def _files(plan: Plan) -> list[tuple[Callable[[Path], Any], str, str]]:
    files: list[tuple[Callable[[Path], Any], str, str]] = [(library.read_preset, "presets", plan.preset)]
    files += [(read_mapping, "mappings", name) for name in plan.mappings if name]
    files += [(read_cues, "cues", plan.cues)] if plan.cues else []
    banks = (bank.own_file(), bank.show_file(plan.show))
    files += [(bank.read_bank, "banks", str(path)) for path in dict.fromkeys(banks) if path.exists()]
    return files

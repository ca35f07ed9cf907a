"""What must be right before the first process of a show starts: its files, its sinks, its ports, its devices."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from vj import bank, library
from vj.controls import midi, osc
from vj.controls.mapping import read_mapping
from vj.cues import read_cues
from vj.errors import DeviceError, UsageError
from vj.runtime import Plan
from vj.sinks import make_sink


def check(plan: Plan, problems: Iterable[str] = ()) -> list[str]:
    """Check everything a show needs before its first process starts; the notes of what it will go without.

    Raises UsageError with every problem of the files, the values and the sinks asked for, after those given, and
    DeviceError for a taken port or, when the plan is strict, for any missing device.
    """
    missing: dict[str, DeviceError] = {}
    found = list(problems)
    for spec in plan.sinks:
        try:
            make_sink(spec).check()
        except UsageError as err:
            found.append(f"--sink {spec}: {err}")
        except DeviceError as err:
            missing[spec] = err
    # Two of one device would fight over it all evening. A bare camera takes the next one that is free.
    found += [f"--sink {spec}: given twice" for spec in set(plan.sinks) - {"camera"} if plan.sinks.count(spec) > 1]
    check_files(plan, found)
    host, _, port = plan.osc.rpartition(":")
    osc.check(host, int(port))
    try:
        midi.check(plan.midi_in)
    except DeviceError as err:
        missing["midi"] = err
    for spec, why in missing.items():
        # A taken port would leave the performer looking at another show's page; a missing camera would not.
        if plan.strict or spec.startswith("browser"):
            raise why
    return [f"{why}; the show goes on without it and keeps trying" for why in missing.values()]


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

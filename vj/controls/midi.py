"""MIDI in: every wanted port is opened, watched, and opened again when it comes back. Mappings say what moves mean."""

import logging
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from engine.parameters import Look
from vj.changes import Change
from vj.controls.mapping import Mapping
from vj.controls.midi_systems import JACK_PORT, MidiSystem, find_system
from vj.controls.moves import (
    NOTHING_SEEN,
    Memory,
    Midi,
    awaits_pickup,
    is_mapped,
    mappings_for,
    port_matches,
    short_name,
    translate,
)
from vj.errors import DeviceError

log = logging.getLogger("vj.midi")

_NO_SYSTEM_AGAIN_S = 5.0


def list_ports() -> tuple[tuple[str, ...], str]:
    """The MIDI inputs of this machine, and a remark: why there are none, or that JACK is used. Never raises."""
    system, reason = find_system()
    if system is None:
        return (), reason
    try:
        names = system.names()
    except Exception as err:  # noqa: BLE001 - the boundary: a native library may raise anything
        return (), f"no MIDI system: {err}"
    return names, f"JACK: the show opens {JACK_PORT}; connect devices to it" if JACK_PORT in names else ""


def check(names: tuple[str, ...]) -> None:
    """Raise DeviceError naming every wanted port that is not there now."""
    there, reason = list_ports() if names else ((), "")
    missing = _missing(names, there)
    if missing:
        why = _no_match(missing, there) if there else reason or "no MIDI input is plugged in"
        raise DeviceError(f"midi: {why}")


class MidiInput:
    """Owns the open ports, what each mapping remembers, and the thread that looks for ports."""

    def __init__(
        self,
        mappings: tuple[Mapping, ...],
        names: tuple[str, ...],
        put: Callable[[Change], None],
        look: Callable[[], Look],
        note: Callable[[str], None],
    ) -> None:
        """`names` are patterns of the ports to open, none for every port. `note` takes a line for the monitor."""
        self._mappings, self._names = mappings, names
        self._put, self._look, self._note = put, look, note
        self._system: MidiSystem | None = None
        self._ports: dict[str, Any] = {}
        self._memories: dict[int, Memory] = {}
        self._lock = threading.Lock()  # each port's messages come in a thread of its own
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._received = self._refused = 0
        self._last_refused = ""
        self._reason = "looking for MIDI ports"
        self._logged: set[str] = set()

    def start(self) -> None:
        """Look for ports from now on. Returns at once: a MIDI system may take its time to answer."""
        self._ended.clear()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="midi")
        self._thread.start()

    def stop(self) -> None:
        """Close every port."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(5.0)
        self._thread = None

    def report(self) -> dict[str, Any]:
        """Facts for the pulse. `received` counts notes and controllers, `refused` those that nothing is mapped to."""
        return {
            "ports": list(self._ports),
            "reason": self._reason,
            "received": self._received,
            "refused": self._refused,
            "last_refused": self._last_refused,
            "wanted_missing": _missing(self._names, self._ports),
        }

    def _watch(self) -> None:
        while not self._ended.is_set():
            self._guarded(self._look_again)
            self._ended.wait(self._system.look_again_s if self._system else _NO_SYSTEM_AGAIN_S)
        self._guarded(self._close_all)

    def _guarded(self, work: Callable[[], None]) -> None:
        """Do something with devices; whatever goes wrong is logged once, and their system looked for afresh."""
        try:
            work()
        except Exception as err:  # noqa: BLE001 - the boundary: a native library may raise anything
            self._reason = f"no MIDI system: {err}"
            self._log_once(f"ports cannot be looked for: {err}")
            for name in list(self._ports):
                self._drop(name)
            self._system = None

    def _look_again(self) -> None:
        if self._system is None:
            self._system, self._reason = find_system()
            if self._system is None:
                self._log_once(self._reason)
                return
        there = self._system.names()
        for name in [name for name in self._ports if name not in there]:
            self._drop(name)
        wanted = [name for name in there if self._is_wanted(self._system, name)]
        troubles = [self._open(self._system, name) for name in wanted if name not in self._ports]
        self._reason = next(filter(None, troubles), "") or self._why_not_all(there)

    def _is_wanted(self, system: MidiSystem, name: str) -> bool:
        # JACK's own input is opened whatever was asked for: it is also how an ended server is noticed.
        return name == JACK_PORT or (port_matches(name, self._names) if self._names else system.is_wanted(name))

    def _why_not_all(self, there: tuple[str, ...]) -> str:
        missing = _missing(self._names, self._ports)
        if there and missing:
            return _no_match(missing, there)
        return "" if self._ports else "no MIDI input is plugged in"

    def _open(self, system: MidiSystem, name: str) -> str:
        """Open a port; "" or what went wrong. A port another program holds may be free a second later."""
        mappings = mappings_for(self._mappings, name)
        if name == JACK_PORT:  # whatever is connected there by hand: its own name is not told
            mappings = mappings or self._mappings
            if mappings != self._mappings:
                self._note(f"midi {name}: a device's own mapping applies when it is opened by --midi-in NAME")
        try:
            self._ports[name] = system.open(name, partial(self._receive, name, mappings))
        except Exception as err:  # noqa: BLE001 - the boundary: a native library may raise anything
            self._log_once(f"{name} cannot be opened: {err}")
            return f"{short_name(name)} cannot be opened: {err}"
        log.info("midi: %s opened, mapped by %s", name, ", ".join(m.title for m in mappings) or "nothing")
        self._note(f"midi {short_name(name)} connected")
        return ""

    def _drop(self, name: str) -> None:
        port = self._ports.pop(name)
        log.info("midi: %s is gone", name)
        self._note(f"midi {short_name(name)} is gone")
        try:
            if self._system is not None:
                self._system.close(port)
        except Exception as err:  # noqa: BLE001 - the boundary: closing what is unplugged may fail
            self._log_once(f"{name} cannot be closed: {err}")

    def _close_all(self) -> None:
        if self._system is not None and self._ports:
            self._system.names()  # asked once more: a JACK server may have ended since
        for name in list(self._ports):
            self._drop(name)

    def _receive(self, port: str, mappings: tuple[Mapping, ...], message: Any) -> None:
        """Called by the MIDI library with each message. A fault here must not end its thread."""
        try:
            midi = _as_midi(port, message)
            if midi is not None:
                with self._lock:
                    self._make(midi, mappings)
        except Exception as err:
            self._refused += 1
            self._last_refused = f"fault {type(err).__name__}, see the log"
            if self._is_new(f"fault {type(err).__name__}"):
                log.exception("midi: a message of %s could not be taken", port)

    def _make(self, midi: Midi, mappings: tuple[Mapping, ...]) -> None:
        self._received += 1
        shown = f"midi {midi} = {midi.value}"
        if not any(is_mapped(mapping, midi) for mapping in mappings):
            if midi.value or midi.kind == "cc":
                self._refused += 1
                self._last_refused = f"{shown}: nothing is mapped to it"
                self._note(f"{shown} (not mapped)")
            return
        look, is_waiting = self._look(), False
        for mapping in mappings:
            before = self._memories.get(id(mapping), NOTHING_SEEN)
            changes, self._memories[id(mapping)] = translate(mapping, midi, look, before)
            is_waiting = is_waiting or (not changes and awaits_pickup(mapping, midi))
            for change in changes:
                self._put(change)
        self._note(f"{shown} (waits until it passes the value that is there)" if is_waiting else shown)

    def _log_once(self, what: str) -> None:
        if self._is_new(what):
            log.warning("midi: %s", what)

    def _is_new(self, what: str) -> bool:
        if what in self._logged or len(self._logged) >= 64:
            return False
        self._logged.add(what)
        return True


def _missing(names: tuple[str, ...], ports: Iterable[str]) -> list[str]:
    """The wanted names that no port matches."""
    there = list(ports)
    return [name for name in names if not any(port_matches(port, (name,)) for port in there)]


def _no_match(missing: list[str], there: tuple[str, ...]) -> str:
    return f"no port matches {' or '.join(map(repr, missing))}; there are: {', '.join(there)}"


def _as_midi(port: str, message: Any) -> Midi | None:
    """A mido message as the mappings know it; None for kinds that are not mapped: clocks, bends, system messages."""
    if message.type == "control_change":
        return Midi(port, "cc", message.channel + 1, message.control, message.value)
    if message.type == "note_on":
        return Midi(port, "note", message.channel + 1, message.note, message.velocity)
    if message.type == "note_off":
        return Midi(port, "note", message.channel + 1, message.note, 0)
    return None

"""Where MIDI inputs come from: the system's own (ALSA, CoreMIDI, WinMM) or, where there is none, a JACK server.

`MIDO_BACKEND` is honoured and then nothing else is tried. Under JACK the program opens the input `vj:vj-in`, to which
devices and programs are connected as JACK users do it; other ports are connected to only when asked for by name.
"""

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

JACK_CLIENT, JACK_INPUT = "vj", "vj-in"
JACK_PORT = f"{JACK_CLIENT}:{JACK_INPUT}"
_JACK_BACKEND = "mido.backends.rtmidi/UNIX_JACK"
_JACK_TIMEOUT_S = 3.0
_ASK_JACK = """
import json, rtmidi
jack = rtmidi.API_UNIX_JACK
print(json.dumps([rtmidi.MidiIn(rtapi=jack).get_ports(), rtmidi.MidiOut(rtapi=jack).get_ports()]))
"""

Receive = Callable[[Any], None]


class MidiSystem(Protocol):
    """A source of MIDI inputs. Any call may raise what its native library raises.

    `look_again_s` is how long to wait before its names are asked for again.
    """

    look_again_s: float

    def names(self) -> tuple[str, ...]:
        """The inputs that are there now."""
        ...

    def is_wanted(self, name: str) -> bool:
        """Whether an input is opened when none was asked for by name."""
        ...

    def open(self, name: str, receive: Receive) -> Any:
        """Open an input; `receive` is called with each mido message, from a thread of the library."""
        ...

    def close(self, port: Any) -> None:
        """Close what `open` gave."""
        ...


def find_system() -> tuple[MidiSystem | None, str]:
    """The MIDI system of this machine, or None and the reason. Never raises."""
    chosen = os.environ.get("MIDO_BACKEND", "")
    if chosen.endswith("/UNIX_JACK"):
        return _jack(f"no MIDI system: MIDO_BACKEND is {chosen}, and no JACK server answers")
    native, why = _native(chosen)
    if native is not None or chosen or not sys.platform.startswith("linux"):
        return native, why
    return _jack(f"{why}, and no JACK server answers")


class Native:
    """The system's own MIDI, or the backend named by `MIDO_BACKEND`, through mido."""

    look_again_s = 1.0

    def __init__(self) -> None:
        import mido  # here: the desk starts faster without it, and it may fail to load

        self._backend = mido.Backend(load=True)

    def names(self) -> tuple[str, ...]:
        """The inputs that are there now."""
        return tuple(self._backend.get_input_names())

    def is_wanted(self, name: str) -> bool:
        """Every input is."""
        return True

    def open(self, name: str, receive: Receive) -> Any:
        """Open an input."""
        return self._backend.open_input(name, callback=receive)

    def close(self, port: Any) -> None:
        """Close an input."""
        port.close()


class Jack:
    """A JACK server. Owns the knowledge whether it is still the one that our ports were opened on.

    libjack crashes the process when a client of a server that has ended is closed, and may block when asked anything.
    So the server is asked by a process of its own, and the ports of an ended one are left as they are.
    """

    look_again_s = 2.0  # asking takes a process

    def __init__(self) -> None:
        import mido

        self._backend = mido.Backend(_JACK_BACKEND, load=True)
        self._open: list[Any] = []
        self._names: tuple[str, ...] = ()
        self._is_lost = False

    def names(self) -> tuple[str, ...]:
        """Our own input, then what others offer; nothing while the server is gone, or once after it came back."""
        try:
            found = ask_jack()
        except TimeoutError:
            return self._names  # a busy machine; an ended server refuses at once
        self._is_lost = bool(self._open) and (found is None or JACK_PORT not in found[1])
        if found is None:
            raise OSError("the JACK server has ended")
        self._names = () if self._is_lost else (JACK_PORT, *found[0])
        return self._names

    def is_wanted(self, name: str) -> bool:
        """Only our own input is: what is connected to it by hand would else be heard twice."""
        return name == JACK_PORT

    def open(self, name: str, receive: Receive) -> Any:
        """Open our own input, or connect to another's output."""
        if name == JACK_PORT:
            port = self._backend.open_input(JACK_INPUT, virtual=True, client_name=JACK_CLIENT, callback=receive)
        else:
            port = self._backend.open_input(name, callback=receive)
        self._open.append(port)
        return port

    def close(self, port: Any) -> None:
        """Close an input, or leave it alone for good when its server has ended."""
        self._open.remove(port)
        if self._is_lost:
            # Not even the end of the process may free it.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(port))
        else:
            port.close()


def ask_jack() -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The MIDI ports a JACK server offers to read from and to write to; None without one. Raises TimeoutError."""
    command = [sys.executable, "-P", "-c", _ASK_JACK]
    environment = {**os.environ, "JACK_NO_START_SERVER": "1"}
    try:
        asked = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=_JACK_TIMEOUT_S
        )
        readable, writable = json.loads(asked.stdout)
    except subprocess.TimeoutExpired as err:
        raise TimeoutError("the JACK server does not answer") from err
    except (OSError, ValueError):
        return None
    return tuple(readable), tuple(writable)


def _jack(why_not: str) -> tuple[MidiSystem | None, str]:
    try:
        return (Jack(), "") if ask_jack() is not None else (None, why_not)
    except Exception as err:  # noqa: BLE001 - the boundary: a native library may raise anything while it loads
        return None, f"no MIDI system: {err}"


def _native(chosen: str) -> tuple[MidiSystem | None, str]:
    # Asked without its device, ALSA writes a line to stderr every time.
    if not chosen and sys.platform.startswith("linux") and not Path("/dev/snd/seq").exists():
        return None, "no MIDI system: no ALSA sequencer (/dev/snd/seq is not there; try modprobe snd-seq)"
    try:
        system = Native()
        system.names()
    except Exception as err:  # noqa: BLE001 - the boundary: a native library may raise anything while it loads
        return None, f"no MIDI system: {err}" if not chosen else f"no MIDI system: MIDO_BACKEND is {chosen}: {err}"
    return system, ""

"""MIDI from real senders over JACK, without a device: what arrives, what comes back, and what happens without any."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine.parameters import Look
from vj.changes import Change
from vj.controls.mapping import Control, Mapping, read_mapping
from vj.controls.midi import MidiInput

ROOT = Path(__file__).parents[1]
RIG = ROOT / "tests" / "rigs" / "jack-midi"
GENERIC = read_mapping(ROOT / "mappings" / "generic.toml")

try:
    import jack  # noqa: F401 - the senders are processes of their own

    HAS_JACK = shutil.which("jackd") is not None and shutil.which("jack_lsp") is not None
except (ImportError, OSError):
    HAS_JACK = False

needs_jack = pytest.mark.skipif(not HAS_JACK, reason="jackd, jack-tools or JACK-Client is not installed")
no_alsa = pytest.mark.skipif(Path("/dev/snd/seq").exists(), reason="this machine has ALSA, which goes before JACK")

# A device as JACK sees one: a client with an output, told on stdin which bytes to send.
SENDER = """
import queue, sys, jack
client, todo = jack.Client(sys.argv[1]), queue.Queue()
out = client.midi_outports.register("out")

@client.set_process_callback
def process(frames):
    out.clear_buffer()
    if not todo.empty():
        out.write_midi_event(0, todo.get())

with client:
    if len(sys.argv) > 2:
        out.connect(sys.argv[2])
    print("ready", flush=True)
    for line in sys.stdin:
        todo.put(bytes.fromhex(line))
"""


class Sender:
    """A running SENDER."""

    def __init__(self, name: str, connect_to: str = "") -> None:
        command = [sys.executable, "-c", SENDER, name, *([connect_to] if connect_to else [])]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def send(self, *messages: tuple[int, int, int]) -> None:
        assert self.process.stdin is not None
        for message in messages:
            self.process.stdin.write(bytes(message).hex() + "\n")
        self.process.stdin.flush()

    def close(self) -> None:
        self.process.kill()
        self.process.wait(5)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


@dataclass
class Played:
    """A MIDI input and what it handed over."""

    mappings: tuple[Mapping, ...] = (GENERIC,)
    names: tuple[str, ...] = ()
    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    look: Look = field(default_factory=Look)

    def __enter__(self) -> "Played":
        self.midi = MidiInput(self.mappings, self.names, self.put, lambda: self.look, self.notes.append)
        self.midi.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.midi.stop()

    def put(self, change: Change) -> None:
        self.changes.append(change)

    def until(self, is_so: Callable[[], bool], timeout_s: float = 20.0) -> bool:
        end = time.monotonic() + timeout_s
        while not (was_so := is_so()) and time.monotonic() < end:
            time.sleep(0.02)
        return was_so

    def until_port(self, name: str, is_there: bool = True) -> None:
        assert self.until(lambda: (name in self.midi.report()["ports"]) is is_there), self.midi.report()

    def values(self) -> list[Any]:
        return [change.value for change in self.changes]


@pytest.fixture
def jack_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A JACK server of its own name, so that runs beside each other do not meet."""
    name = f"vj-test-{os.getpid()}"
    monkeypatch.setenv("JACK_DEFAULT_SERVER", name)
    monkeypatch.delenv("MIDO_BACKEND", raising=False)
    with _server():
        yield name


@contextlib.contextmanager
def _server(is_killed: bool = False) -> Iterator[None]:
    rig = subprocess.Popen([str(RIG), "cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            if subprocess.run(["jack_lsp"], capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.1)
        yield
        for child in psutil.Process(rig.pid).children():
            if is_killed and child.name() == "jackd":
                child.kill()
    finally:
        assert rig.stdin is not None
        rig.stdin.close()
        rig.wait(10)
        for left in Path("/dev/shm").glob(f"jack*{os.environ['JACK_DEFAULT_SERVER']}*"):
            left.unlink()


@needs_jack
@no_alsa
def test_a_controller_turns_the_temperature_through_the_generic_mapping(jack_server: str) -> None:
    with Played() as played:
        played.until_port("vj:vj-in")
        sender = Sender("knob", "vj:vj-in")
        sender.send((0xB0, 1, 0), (0xB5, 1, 127), (0xB0, 90, 5), (0xF8, 0, 0))
        assert played.until(lambda: played.midi.report()["received"] >= 3)
        sender.close()
        report = played.midi.report()
    assert played.changes == [
        Change("set", 0.0, "temperature", "midi vj:vj-in cc 1"),
        Change("set", 100.0, "temperature", "midi vj:vj-in cc 1"),
    ]
    assert (report["received"], report["refused"]) == (3, 1)
    assert report["last_refused"] == "midi vj:vj-in cc 90 = 5: nothing is mapped to it"
    assert "midi vj:vj-in cc 1 = 127" in played.notes
    assert "midi vj:vj-in cc 90 = 5 (not mapped)" in played.notes


@needs_jack
@no_alsa
@pytest.mark.skipif(shutil.which("jack_midiseq") is None, reason="jack_midiseq is not installed")
def test_notes_of_a_sequencer_toggle_and_hold(jack_server: str) -> None:
    keys = Mapping(
        "keys", (), (Control("note", 60, "toggle", "freeze"), Control("note", 64, "set", "blackout", hold=True))
    )
    with Played(mappings=(keys,)) as played:
        played.until_port("vj:vj-in")
        command = ["jack_midiseq", "seq", "24000", "0", "60", "8000", "12000", "64", "8000"]
        sequencer = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            connect = ["jack_connect", "seq:out", "vj:vj-in"]
            assert played.until(lambda: subprocess.run(connect, capture_output=True, check=False).returncode == 0)
            assert played.until(lambda: len(played.changes) >= 6)
        finally:
            sequencer.terminate()
            sequencer.wait(5)
    assert {(c.action, c.parameter, c.value) for c in played.changes} == {
        ("toggle", "freeze", None),
        ("set", "blackout", True),
        ("set", "blackout", False),
    }


@needs_jack
@no_alsa
@pytest.mark.parametrize("alone", [True, False])
def test_where_a_devices_name_is_not_told_its_mapping_applies_alone_or_it_is_said(
    alone: bool, jack_server: str
) -> None:
    nano = replace(
        GENERIC, ports=("nanoKONTROL2*",), controls=(Control("cc", 2, "set", "contrast", low=0.0, high=2.0),)
    )
    with Played((nano,) if alone else (GENERIC, nano)) as played:
        played.until_port("vj:vj-in")
        sender = Sender("nanoKONTROL2", "vj:vj-in")
        sender.send((0xB0, 2, 127))
        assert played.until(lambda: played.midi.report()["received"] >= 1)
        sender.close()
    assert [change.parameter for change in played.changes] == (["contrast"] if alone else [])
    assert any("--midi-in NAME" in note for note in played.notes) is not alone


@needs_jack
@no_alsa
def test_a_port_asked_for_by_name_comes_back_after_it_was_unplugged(jack_server: str) -> None:
    with Played(names=("nano*", "absent")) as played:
        played.until_port("vj:vj-in")
        assert played.midi.report()["wanted_missing"] == ["nano*", "absent"]
        for turn in range(2):
            sender = Sender("nanoKONTROL2")
            played.until_port("nanoKONTROL2:out")
            assert played.midi.report()["wanted_missing"] == ["absent"]
            sender.send((0xB0, 1, 127 * turn))
            assert played.until(lambda turn=turn: len(played.changes) == turn + 1)  # type: ignore[misc]
            sender.close()
            played.until_port("nanoKONTROL2:out", is_there=False)
    assert played.values() == [0.0, 100.0]
    assert played.notes.count("midi nanoKONTROL2:out connected") == 2
    assert played.notes.count("midi nanoKONTROL2:out is gone") == 2


@needs_jack
@no_alsa
def test_a_fault_further_in_does_not_end_the_port(jack_server: str, caplog: pytest.LogCaptureFixture) -> None:
    class Faulty(Played):
        def put(self, change: Change) -> None:
            if change.value == 0.0:
                raise RuntimeError("a fault")
            super().put(change)

    with Faulty() as played:
        played.until_port("vj:vj-in")
        sender = Sender("knob", "vj:vj-in")
        sender.send((0xB0, 1, 0), (0xB0, 1, 0), (0xB0, 1, 127))
        assert played.until(lambda: bool(played.changes))
        sender.close()
        assert played.midi.report()["refused"] == 2
    assert played.values() == [100.0]
    assert sum("could not be taken" in record.message for record in caplog.records) == 1


# In a process of its own: what libjack does to one whose server was killed is part of the test.
OUTLIVING = """
import os, sys, time
sys.path.insert(0, {root!r})
from vj.controls.midi import MidiInput
from engine.parameters import Look
midi = MidiInput((), (), print, Look, lambda line: print(line, flush=True))
midi.start()
for line in sys.stdin:
    print(midi.report()["reason"] or midi.report()["ports"], flush=True)
midi.stop()
print("ended", flush=True)
"""


@needs_jack
@no_alsa
def test_a_jack_server_that_is_killed_and_started_again_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", f"vj-again-{os.getpid()}")
    command = [sys.executable, "-c", OUTLIVING.format(root=str(ROOT))]
    program = None
    try:
        with _server(is_killed=True):
            program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            assert program.stdout is not None
            assert program.stdin is not None
            assert program.stdout.readline() == "midi vj:vj-in connected\n"
        assert program.stdout.readline() == "midi vj:vj-in is gone\n"
        with _server():
            assert program.stdout.readline() == "midi vj:vj-in connected\n"
            program.stdin.write("\n")
            program.stdin.flush()
            assert program.stdout.readline() == "['vj:vj-in']\n"
        program.stdin.close()
        assert program.stdout.read().splitlines()[-1] == "ended"
        assert program.wait(20) == 0
    finally:
        if program is not None:
            program.kill()
            program.wait(5)

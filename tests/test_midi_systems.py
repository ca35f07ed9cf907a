"""Machines without MIDI: an empty list with its reason, and nothing on stderr."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.parameters import Look
from vj.controls.midi import MidiInput, list_ports

no_alsa = pytest.mark.skipif(Path("/dev/snd/seq").exists(), reason="this machine has ALSA")

LOOKING = """
import sys, time
from engine.parameters import Look
from vj.controls.midi import MidiInput
midi = MidiInput((), (), print, Look, print)
midi.start()
time.sleep(2)
print(midi.report()["reason"])
midi.stop()
"""


def _midi(*names: str) -> MidiInput:
    return MidiInput((), names, lambda change: None, Look, lambda line: None)


def _reason(midi: MidiInput) -> str:
    """Why an input has no ports, once it has looked for them."""
    end = time.monotonic() + 20.0
    while midi.report()["reason"].startswith("looking") and time.monotonic() < end:
        time.sleep(0.02)
    return str(midi.report()["reason"])


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No JACK server is found either, whatever else runs on this machine."""
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "vj-nowhere")
    monkeypatch.delenv("MIDO_BACKEND", raising=False)
    yield


@no_alsa
def test_without_a_midi_system_the_list_is_empty_with_a_reason() -> None:
    names, reason = list_ports()
    assert names == ()
    assert reason.startswith("no MIDI system: no ALSA sequencer")
    assert reason.endswith("no JACK server answers")
    midi = _midi("nano*")
    midi.start()
    assert _reason(midi) == reason
    report = midi.report()
    assert (report["ports"], report["wanted_missing"], report["received"]) == ([], ["nano*"], 0)
    midi.stop()


@no_alsa
def test_looking_for_ports_without_a_midi_system_writes_nothing_to_stderr() -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", LOOKING]
    asked = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert asked.stdout.startswith("no MIDI system")
    # The one line is the log's, which Python writes to stderr while no logging is set up.
    assert [line for line in asked.stderr.splitlines() if not line.startswith("midi: no MIDI system")] == []


@pytest.mark.parametrize(
    "backend", ["no.such.module", "mido.backends.rtmidi/NO_SUCH_API", "mido.backends.rtmidi/UNIX_JACK"]
)
def test_the_backend_that_was_asked_for_is_named_when_it_cannot_be_had(
    monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    monkeypatch.setenv("MIDO_BACKEND", backend)
    names, reason = list_ports()
    assert names == ()
    assert backend in reason


def test_stopping_twice_and_without_a_start_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDO_BACKEND", "no.such.module")
    midi = _midi()
    midi.stop()
    midi.start()
    assert "no.such.module" in _reason(midi)
    midi.stop()
    midi.stop()
    assert midi.report()["ports"] == []

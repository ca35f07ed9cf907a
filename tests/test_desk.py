"""The desk: whatever a control sends, the show goes on."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.parameters import PARAMETERS, SLOTS, TEXT_LIMIT, Look
from vj.changes import ACTIONS, Change
from vj.cues.cue import Cue, CueList
from vj.desk import LINES_KEPT, WAITING_CHANGES, ShowDesk
from vj.mailboxes import MemoryText
from vj.pulse import Pulse, read_pulse
from vj.runtime import PULSE_BYTES
from vj.state import ShowState

SONG = CueList("Song", (Cue(0.0, "one"), Cue(1000.0, "two")))
GARBAGE = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.lists(st.integers(), max_size=3),
    st.sampled_from([10**400, {}, object(), "\ud800", ("a", 1), ()]),
)  # fmt: skip
GARBAGE_CHANGES = st.builds(
    Change, st.sampled_from([*ACTIONS, "explode", ""]), GARBAGE, st.sampled_from([*PARAMETERS, "", "nonsense"]),
    st.sampled_from(["osc", ""]), st.sampled_from([None, 0.0, 2.0, "soon", float("nan")]),
)  # fmt: skip


def state(cues: CueList | None = SONG) -> ShowState:
    return ShowState(Look(), Look(), cues)


def told(desk: ShowDesk, *changes: Change) -> Look:
    for change in changes:
        desk.put(change)
    return desk.turn(0.0)


def test_changes_are_made_in_order_and_the_look_is_given_at_once() -> None:
    desk = ShowDesk(state())
    look = told(desk, *(Change("set", n, "temperature", "osc") for n in (10, 20, 30)))
    assert look.number("temperature") == 30 and desk.look() is look


def test_a_serial_grows_with_each_other_look_and_only_then() -> None:
    desk = ShowDesk(state(None))
    first = desk.turn(0.0)
    assert desk.turn(0.0) == first
    second = told(desk, Change("set", 10, "temperature"))
    assert (second.serial, told(desk, Change("set", 11, "temperature")).serial) == (first.serial + 1, first.serial + 2)


def test_a_turn_without_changes_waits_no_longer_than_it_was_told() -> None:
    began = time.monotonic()
    ShowDesk(state()).turn(0.05)
    assert time.monotonic() - began < 1.0


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(GARBAGE_CHANGES, max_size=10))
def test_no_garbage_ends_the_desk_or_its_report(home: Path, changes: list[Change]) -> None:
    desk = ShowDesk(state())
    look = told(desk, *changes)
    assert look.with_values(look.values).values == look.values
    look.to_json()
    json.dumps(desk.report())
    assert told(desk, Change("set", 12.5, "temperature")).number("temperature") == 12.5


def test_a_prompt_whose_fade_is_no_number_is_left_out(home: Path) -> None:
    desk = ShowDesk(state())
    before = told(desk, Change("prompt", "moss", seconds=0.0))
    assert told(desk, Change("prompt", "rust", seconds="soon")).line == before.line == "moss"  # type: ignore[arg-type]


def test_what_was_wrong_with_a_change_is_said(home: Path) -> None:
    desk = ShowDesk(state())
    told(desk, Change("set", "hot", "temperature", "osc 10.0.0.2"), Change("preset", "glas", source="key"))
    said = desk.report()["log"]
    assert said[0].endswith("osc 10.0.0.2: temperature takes a number, not 'hot'")
    assert "key: no preset called 'glas'" in said[1]


def test_a_listener_that_fails_does_not_stop_the_desk() -> None:
    desk, heard = ShowDesk(state()), []

    def listen(*what: Any) -> None:
        heard.append(what)
        raise RuntimeError("the line is dead")

    desk.listeners.append(listen)
    assert told(desk, Change("set", 12, "temperature", "midi")).number("temperature") == 12
    assert heard == [("temperature", 12.0, "midi")]


def test_listeners_hear_every_parameter_that_a_preset_moves(home: Path) -> None:
    path = home / "config" / "vj" / "presets" / "two.toml"
    path.parent.mkdir(parents=True)
    path.write_text('title = "Two"\n[parameters]\ntemperature = 1\nsteps = 5\ncontrast = 1.0\n')
    desk, heard = ShowDesk(state()), []
    desk.listeners.append(lambda *what: heard.append(what))
    told(desk, Change("preset", "two", source="midi"))
    assert sorted(heard) == [("steps", 5, "midi"), ("temperature", 1.0, "midi")]
    assert desk.report()["preset"] == "two" and "two" in desk.report()["presets"]


def test_a_preset_that_is_saved_during_the_show_is_listed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vj.desk.LIST_EVERY_S", 0.0)
    desk, path = ShowDesk(state()), home / "config" / "vj" / "presets" / "new.toml"
    assert "new" not in desk.report()["presets"]
    path.parent.mkdir(parents=True)
    path.write_text("[parameters]\nsteps = 5\n")
    desk.turn(0.0)
    assert "new" in desk.report()["presets"]
    path.unlink()
    path.parent.rmdir()
    desk.turn(0.0)
    assert "live" in desk.report()["presets"]


def test_a_preset_that_was_spoiled_during_the_show_is_refused_with_a_note(home: Path) -> None:
    path = home / "config" / "vj" / "presets" / "bad.toml"
    path.parent.mkdir(parents=True)
    path.write_text("[parameters]\nsteps = 0\n")
    desk = ShowDesk(state())
    assert told(desk, Change("preset", "bad")).values == Look().values
    assert "bad.toml:2: steps must be" in desk.report()["log"][-1]


def test_a_swamped_desk_counts_what_it_lost_and_never_makes_a_control_wait() -> None:
    desk = ShowDesk(state())
    for n in range(WAITING_CHANGES + 100):
        desk.put(Change("set", n % 100, "temperature", "osc"))
    assert desk.report()["lost"] == 100
    for _ in range(1000):
        desk.turn(0.0)
    assert desk.report()["moved"]["temperature"][0] == "osc"
    assert told(desk, Change("set", 77, "temperature")).number("temperature") == 77


@pytest.fixture
def flood() -> Iterator[tuple[ShowDesk, threading.Event]]:
    desk, ended = ShowDesk(state()), threading.Event()

    def pour() -> None:
        while not ended.is_set():
            desk.put(Change("set", 50, "temperature", "osc"))

    threads = [threading.Thread(target=pour, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    yield desk, ended
    ended.set()
    for thread in threads:
        thread.join()


def test_a_flood_of_changes_does_not_keep_the_look_from_being_given(flood: tuple[ShowDesk, threading.Event]) -> None:
    desk, ended = flood
    threading.Timer(8.0, ended.set).start()
    for _ in range(3):
        desk.turn(0.1)
    assert not ended.is_set(), "turns went on until the flood ended"


def test_the_song_starts_with_the_first_picture_unless_it_waits_for_go() -> None:
    desk, waiting = ShowDesk(state()), ShowDesk(state(), waits=True)
    for each in (desk, waiting):
        assert each.report()["cue"]["state"] == "waiting"
        each.has_painted()
    assert desk.report()["cue"]["state"] == "running" and waiting.report()["cue"]["state"] == "waiting"
    told(waiting, Change("cue_go"))
    assert waiting.report()["cue"]["state"] == "running"


def test_the_report_tells_where_the_song_is() -> None:
    desk = ShowDesk(state())
    told(desk, Change("cue_seek", 250.0))
    cue = desk.report()["cue"]
    assert (cue["index"], cue["text"], cue["next"], cue["progress"], cue["count"]) == (1, "one", "two", 0.25, 2)
    assert ShowDesk(state(None)).report()["cue"] == {
        "index": 0, "text": "", "next": "", "progress": 0.0, "count": 0, "state": "none",
    }  # fmt: skip


def test_monitor_and_log_keep_the_newest_lines_and_cut_long_ones() -> None:
    desk = ShowDesk(state())
    for n in range(3 * LINES_KEPT):
        desk.note(f"note {n} " + "x" * 100_000)
        desk.say(f"word {n} " + "x" * 100_000)
    report = desk.report()
    for lines, word in ((report["monitor"], "note"), (report["log"], "word")):
        assert len(lines) == LINES_KEPT and f"{word} {3 * LINES_KEPT - 1} x" in lines[-1]
        assert max(map(len, lines)) < 1000


def test_the_largest_report_fits_into_the_pulse() -> None:
    longest = "\U0001f525" * TEXT_LIMIT
    desk = ShowDesk(ShowState(Look(), Look(), CueList(longest, (Cue(0.0, longest), Cue(1.0, longest)))))
    told(desk, *(Change("set", longest, f"prompt_{n}", longest) for n in range(1, SLOTS + 1)))
    told(desk, *(Change.from_json({"action": "fire", "parameter": name, "source": longest}) for name in PARAMETERS))
    for _ in range(LINES_KEPT):
        desk.note(longest)
        desk.say(longest)
    assert len(json.dumps(desk.report())) < PULSE_BYTES


def test_a_pulse_that_would_not_fit_is_still_a_pulse() -> None:
    class Small(MemoryText):
        def put(self, text: str) -> None:
            if len(text) > 300:
                raise ValueError("does not fit")
            super().put(text)

    box = Small()
    Pulse(box).beat(lambda: {"log": ["x" * 500]}, state="painting")
    assert read_pulse(box)["state"] == "painting"
    Pulse(box).beat(lambda: {"log": object()}, state="waiting")
    assert read_pulse(box)["state"] == "waiting"


def test_what_the_performer_must_know_is_warned_of_and_a_noisy_controller_does_not_cover_it() -> None:
    desk = ShowDesk(state())

    def warning() -> str:
        return str(desk.report()["warning"][1])

    told(desk, Change("song_next", source="osc"))
    assert "this show has no songs" in warning() and "osc: this show has no songs" in desk.report()["log"][-1]
    told(desk, Change("set", 1.0, "temprature", "key"))
    assert "temprature" in warning()
    told(desk, *(Change("song_next", source="osc") for _ in range(3)))
    assert "temprature" in warning()
    told(desk, *(Change("cue_go", f"nowhere {n}", source="osc") for n in range(50)))
    assert "temprature" in warning() and len(desk.report()["log"]) == LINES_KEPT
    told(desk, Change("song_next", source="key"))
    assert "this show has no songs" in warning()

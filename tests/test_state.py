"""The show's state: what each change does to it, with time as a plain number."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.parameters import PARAMETERS, TEXT_LIMIT, Look, ParameterError
from vj.changes import ACTIONS, Change
from vj.cues.clock import CueClock
from vj.cues.cue import Cue, CueList
from vj.history import GESTURE_S, UNDO_LIMIT
from vj.state import ShowState

SONG = CueList("Song", (Cue(2.0, "one"), Cue(6.0, "two"), Cue(10.0, ""), Cue(12.0, "four")))
TRIGGERS = [row.name for row in PARAMETERS.values() if row.kind == "trigger"]


def show(cues: CueList | None = SONG, **values: Any) -> ShowState:
    look = Look().with_values(values)
    return ShowState(look, look, cues)


def running(at: float = 0.0, now: float = 0.0) -> ShowState:
    return replace(show(), clock=CueClock("running", at, now))


def moved(state: ShowState, *changes: tuple[str, Any] | str, now: float = 0.0) -> ShowState:
    for change in changes:
        action, value = (change, None) if isinstance(change, str) else change
        state = state.after(Change(action, value, source="key"), now)
    return state


def turned(state: ShowState, name: str, value: Any, now: float, source: str = "osc") -> ShowState:
    return state.after(Change("set", value, name, source), now)


def line(state: ShowState, now: float) -> tuple[str, str, float]:
    look = state.look_at(now)
    return look.line, look.next_line, pytest.approx(look.blend)  # type: ignore[return-value]


# Parameters


def test_a_set_value_is_clamped_and_remembers_who_moved_it() -> None:
    state = turned(show(), "temperature", 250, 7.0, "osc 10.0.0.2")
    assert state.look.number("temperature") == 100
    assert state.moved == {"temperature": ("osc 10.0.0.2", 7.0)}


def test_norm_nudge_and_toggle() -> None:
    state = show().after(Change("norm", 0.25, "temperature"), 0.0)
    assert state.look.number("temperature") == 25
    state = state.after(Change("nudge", -30, "temperature"), 0.0)
    assert state.look.number("temperature") == 0
    state = state.after(Change("toggle", None, "freeze"), 0.0)
    assert state.look.is_on("freeze")
    assert not state.after(Change("toggle", None, "freeze"), 0.0).look.is_on("freeze")


def test_a_nudged_choice_goes_round() -> None:
    state = show()
    names = []
    for _ in range(4):
        state = state.after(Change("nudge", 1, "canvas"), 0.0)
        names.append(state.look.text("canvas"))
    assert names == ["pixels", "fourier", "pyramid", "pixels"]
    assert state.after(Change("nudge", -1, "canvas"), 0.0).look.text("canvas") == "pyramid"


@pytest.mark.parametrize(
    "change",
    [Change("toggle", None, "temperature"), Change("fire", None, "canvas"), Change("nudge", 1, "prompt_1"),
     Change("norm", 0.5, "prompt_1"), Change("set", "hot", "temperature"), Change("set", 1, "nonsense"),
     Change("set", 1), Change("preset", "live")],
    ids=lambda change: f"{change.action} {change.parameter}",
)  # fmt: skip
def test_a_change_that_makes_no_sense_is_refused_and_changes_nothing(change: Change) -> None:
    with pytest.raises(ParameterError):
        show().after(change, 0.0)


JSON_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=30),
    st.lists(st.text(max_size=5), max_size=3),
)
CHANGES = st.builds(
    lambda action, value, parameter, seconds: {
        "action": action, "value": value, "parameter": parameter, "seconds": seconds, "source": "door",
    },
    st.sampled_from([*ACTIONS, "explode", ""]), JSON_VALUES, st.sampled_from([*PARAMETERS, "", "nonsense"]),
    st.one_of(st.none(), st.floats()),
)  # fmt: skip


@given(st.lists(CHANGES, max_size=12), st.sampled_from([SONG, None]))
def test_any_change_that_can_be_read_gives_a_whole_look_or_is_refused(told: list[Any], cues: CueList | None) -> None:
    state, now = show(cues), 0.0
    for data in told:
        now += 0.7
        fired = [state.look.whole(name) for name in TRIGGERS]
        try:
            state = state.after(Change.from_json(data), now)
        except ParameterError:
            pass
        except ValueError as err:
            assert "not" in str(err)  # the change itself could not be read
        look = state.look_at(now)
        assert look.with_values(look.values).values == look.values
        assert 0 <= look.blend <= 1 and len(look.line) <= TEXT_LIMIT
        assert [state.look.whole(name) for name in TRIGGERS] >= fired


# Triggers


@pytest.mark.parametrize(
    ("action", "value"), [("fire", None), ("set", 1), ("set", 127), ("norm", 1.0), ("nudge", -1), ("toggle", None)]
)
def test_whatever_moves_a_trigger_fires_it_once(action: str, value: Any) -> None:
    state = show(kick=7).after(Change(action, value, "kick"), 0.0)
    assert state.look.whole("kick") == 8


@pytest.mark.parametrize("value", [0, 0.0, False])
def test_a_pad_that_is_let_go_fires_nothing(value: Any) -> None:
    assert show(kick=7).after(Change("set", value, "kick"), 0.0).look.whole("kick") == 7


def test_triggers_never_go_back_by_undo_panic_or_preset() -> None:
    state = turned(show(), "temperature", 50, 0.0)
    for n in range(3):
        state = state.after(Change("fire", None, "kick"), 10.0 * n)
    state = moved(state, "undo", "undo", "undo", "undo", now=100.0)
    assert state.look.whole("kick") == 3 and state.look.number("temperature") == 35
    state = moved(state, "panic", now=101.0)
    assert state.look.whole("kick") == 3 and state.look.whole("reroll") == 1
    state = moved(state, "undo", now=102.0)
    assert state.look.whole("reroll") == 1


# Undo


def test_undo_takes_back_one_gesture_at_a_time() -> None:
    state = show()
    for n in range(20):  # a knob turned for two seconds is one gesture
        state = turned(state, "temperature", n, 0.1 * n)
    state = turned(state, "temperature", 90, 1.9 + GESTURE_S + 0.01)
    state = moved(state, "undo", now=9.0)
    assert state.look.number("temperature") == 19
    state = moved(state, "undo", now=9.1)
    assert state.look.number("temperature") == 35
    assert moved(state, "undo", now=9.2) == state


def test_the_same_knob_moved_from_two_places_is_two_gestures() -> None:
    state = turned(show(), "temperature", 50, 0.0, "osc")
    state = turned(state, "temperature", 60, 0.1, "midi")
    assert moved(state, "undo").look.number("temperature") == 50


def test_a_pad_that_moves_two_parameters_in_turns_fills_two_steps_not_hundreds() -> None:
    state = show()
    for n in range(100):
        state = turned(state, ("contrast", "saturation")[n % 2], 1.0 + n / 200, 0.01 * n)
    assert len(state.history) == 2
    state = moved(state, "undo", "undo", now=5.0)
    assert state.look == show().look


def test_undo_gives_back_the_typed_line_and_the_presets_name() -> None:
    state = show(None).after(Change("prompt", "a sea", seconds=0.0), 0.0)
    state = state.recalled("glass", {"temperature": 10.0}, "key", 5.0)
    state = state.after(Change("prompt", "a fire", seconds=0.0), 10.0)
    state = moved(state, "undo", now=20.0)
    assert line(state, 20.0)[0] == "a sea" and state.preset == "glass"
    state = moved(state, "undo", now=20.0)
    assert state.preset == "" and state.look.number("temperature") == 35
    assert line(moved(state, "undo", now=20.0), 20.0)[0] == ""


def test_what_can_be_undone_is_bounded() -> None:
    state = show()
    for n in range(3 * UNDO_LIMIT):
        state = turned(state, "temperature", n % 100, 10.0 * n)
    assert len(state.history) == UNDO_LIMIT


# Panic and presets


def test_panic_gives_the_look_the_show_began_with_and_a_fresh_canvas() -> None:
    state = turned(show(temperature=20, prompt_1="moss", weight_1=1), "temperature", 99, 0.0)
    for name in ("blackout", "freeze"):
        state = turned(state, name, True, 1.0)
    state = turned(state, "prompt_1", "rust", 2.0).after(Change("prompt", "typed"), 3.0)
    state = moved(state, "panic", now=9.0)
    opening = {**show(temperature=20, prompt_1="moss", weight_1=1).look.values, "reroll": 1}
    assert state.look.values == opening and state.live is None


def test_panic_says_the_preset_the_show_began_with_and_undo_the_one_before() -> None:
    state = replace(show(), preset="live", opening_preset="live").recalled("paper", {"steps": 10}, "key", 0.0)
    state = moved(state, "panic", now=5.0)
    assert state.preset == "live" and state.look.whole("steps") == 2
    assert moved(state, "undo", now=9.0).preset == "paper"


def test_panic_lifts_a_blackout_even_if_the_show_opened_in_one() -> None:
    look = moved(show(blackout=True, freeze=True), "panic").look
    assert not look.is_on("blackout") and not look.is_on("freeze")


def test_panic_leaves_the_song_where_it_is() -> None:
    state = moved(running(7.0), "panic", now=1.0)
    assert state.clock.state == "running" and line(state, 1.0)[0] == "two"


def test_a_preset_touches_only_its_own_parameters() -> None:
    state = turned(turned(show(), "temperature", 80, 0.0), "contrast", 1.5, 0.0)
    state = state.recalled("glass", {"temperature": 30.0, "steps": 4}, "midi", 5.0)
    changed = {name for name in PARAMETERS if state.look.values[name] != Look().values[name]}
    assert changed == {"temperature", "steps", "contrast"} and state.preset == "glass"
    assert state.moved["temperature"] == ("midi", 5.0) and state.moved["contrast"] == ("osc", 0.0)

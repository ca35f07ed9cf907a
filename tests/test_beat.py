"""The beat: tapping sets tempo and phase, resync the phase alone, and a beat that is on kicks."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.parameters import Look
from vj.changes import Change
from vj.saved import from_json, to_json
from vj.state import ShowState


def show(**values: Any) -> ShowState:
    look = Look().with_values(values)
    return ShowState(look, look)


def tapped(state: ShowState, *times: float) -> ShowState:
    for now in times:
        state = state.after(Change("tap", source="key"), now).advanced(now)
    return state


def kicks(state: ShowState, start: float, end: float, turn_s: float = 1 / 60) -> list[float]:
    """When the beat kicked, as a desk that turns sixty times a second sees it."""
    found, now = [], start
    while now < end:
        before = state.look.whole("kick")
        state = state.advanced(now)
        found += [now] * (state.look.whole("kick") - before)
        now += turn_s
    return found


def test_the_tempo_is_the_median_of_the_taps() -> None:
    state = tapped(show(), 10.0, 10.5, 11.0, 11.52, 12.0)
    assert state.look.number("tempo") == pytest.approx(120.0, abs=2.0) and state.moved["tempo"][0] == "key"
    state = tapped(show(), 10.0, 10.5, 11.0, 12.0, 12.5, 13.0)  # one beat was missed
    assert state.look.number("tempo") == pytest.approx(120.0)


def test_one_tap_sets_nothing_and_a_pause_begins_a_new_series() -> None:
    assert tapped(show(), 10.0).look.number("tempo") == 120.0
    state = tapped(show(), 10.0, 10.4, 20.0)
    assert state.look.number("tempo") == pytest.approx(150.0)
    assert tapped(state, 21.0).look.number("tempo") == pytest.approx(60.0)


def test_two_taps_two_seconds_apart_are_the_slowest_tempo_and_a_bounce_is_no_tap() -> None:
    assert tapped(show(), 10.0, 12.0).look.number("tempo") == 30.0
    assert tapped(show(), 10.0, 10.03, 10.5, 10.52).look.number("tempo") == pytest.approx(120.0)
    assert tapped(show(), 10.0, 10.12, 10.24).look.number("tempo") == 300.0


def test_a_beat_that_is_on_kicks_in_phase_with_the_taps() -> None:
    found = kicks(tapped(show(beat=True), 10.0, 10.5, 11.0, 11.5), 11.5, 15.4)
    assert found == pytest.approx([12.0, 12.5, 13.0, 13.5, 14.0, 14.5, 15.0], abs=0.02)


def test_a_beat_that_is_off_kicks_nothing_but_keeps_its_phase() -> None:
    state = tapped(show(), 10.0, 10.5)
    assert kicks(state, 10.5, 20.0) == []
    state = state.advanced(15.1).after(Change("set", True, "beat"), 15.2)
    assert kicks(state, 15.2, 16.4) == pytest.approx([15.5, 16.0], abs=0.02)


def test_resync_begins_the_beat_now() -> None:
    state = tapped(show(beat=True), 10.0, 10.5).after(Change("resync"), 12.3)
    assert kicks(state, 12.3, 13.5) == pytest.approx([12.3, 12.8, 13.3], abs=0.02)


def test_a_beat_is_kicked_once_whether_the_tap_comes_early_or_late() -> None:
    for late in (-0.1, 0.1):
        state = tapped(show(beat=True), 10.0, 10.5, 11.0).advanced(11.3)
        found = kicks(state, 11.3, 11.5 + min(0.0, late) - 0.01)
        before = state.look.whole("kick")
        if late > 0:
            state = state.advanced(11.5)
        state = tapped(state, 11.5 + late)
        assert not found and state.look.whole("kick") == before + 1
        assert state.advanced(11.8).look.whole("kick") == before + 1


def test_another_tempo_goes_on_from_where_the_beat_is() -> None:
    state = tapped(show(beat=True), 10.0, 11.0).advanced(11.0)  # 60 a minute, the next at 12
    state = state.advanced(11.5).after(Change("set", 120.0, "tempo"), 11.5)
    assert kicks(state, 11.5, 12.6) == pytest.approx([11.75, 12.25], abs=0.02)


def test_a_desk_that_was_away_kicks_once_and_not_for_every_beat_it_missed() -> None:
    state = tapped(show(beat=True), 10.0, 10.5)
    assert state.advanced(60.2).look.whole("kick") == state.look.whole("kick") + 1


def test_a_restarted_desk_keeps_the_phase() -> None:
    state = tapped(show(beat=True), 10.1, 10.6, 11.1)
    back = from_json(to_json(state, 11.2), show()).advanced(11.2)
    assert kicks(back, 11.25, 12.2) == pytest.approx([11.6, 12.1], abs=0.02)


def test_undo_gives_the_tempo_back() -> None:
    assert tapped(show(), 10.0, 10.5, 10.9).after(Change("undo"), 20.0).look.number("tempo") == 120.0


@given(st.lists(st.floats(0.0, 3.0), max_size=20), st.floats(30.0, 300.0))
def test_any_tapping_gives_a_tempo_and_a_beat_to_come(gaps: list[float], tempo: float) -> None:
    state, now = show(tempo=tempo, beat=True), 1000.0
    for gap in gaps:
        now += gap
        state = tapped(state, now)
        assert 30.0 <= state.look.number("tempo") <= 300.0
        assert now < state.beat.next_at <= now + 60.0 / state.look.number("tempo") + 1e-6

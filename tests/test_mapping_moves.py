"""What a move of a control means under a mapping: knobs, pickup, buttons, keys, and which mapping a port gets."""

import random
from typing import Any

import pytest

from engine.parameters import PARAMETERS, Look
from vj.changes import Change
from vj.controls.mapping import Control, Mapping
from vj.controls.moves import NOTHING_SEEN, Midi, mappings_for, port_matches, short_name, translate


class Hands:
    """A person at one device: sends messages through a mapping to a look that follows at once, or later."""

    def __init__(self, *controls: Control, **values: Any) -> None:
        self.mapping = Mapping("test", (), controls)
        self.look = Look().with_values(values)
        self.memory = NOTHING_SEEN

    def send(self, number: int, value: int, kind: str = "cc", channel: int = 1) -> tuple[Change, ...]:
        midi = Midi("pad", kind, channel, number, value)
        changes, self.memory = translate(self.mapping, midi, self.look, self.memory)
        return changes

    def turn(self, number: int, *places: int) -> list[Any]:
        """The values given for each place, with a look that follows at once; None where nothing was asked for."""
        values = []
        for place in places:
            changes = self.send(number, place)
            values.append(round(changes[0].value, 3) if changes else None)
            for change in changes:
                self.look = self.look.with_values({change.parameter: change.value})
        return values


def _knob(parameter: str = "temperature", takeover: str = "jump", **more: Any) -> Control:
    row = PARAMETERS[parameter]
    span = {"low": row.low, "high": row.high, **more}
    return Control("cc", 1, "set", parameter, takeover=takeover, **span)


def test_a_knob_gives_the_whole_range_and_may_be_reversed() -> None:
    assert Hands(_knob()).turn(1, 0, 127, 64) == [0.0, 100.0, 50.394]
    assert Hands(_knob(low=80.0, high=20.0)).turn(1, 0, 127) == [80.0, 20.0]
    assert Hands(_knob("steps")).turn(1, 0, 127, 1) == [1, 50, 1]


def test_a_knob_at_rest_in_the_middle_is_nothing_between_two_signs() -> None:
    assert Hands(_knob("zoom", low=-0.5, high=0.5)).turn(1, 0, 64, 127) == [-0.5, 0.0, 0.5]
    assert Hands(_knob("turn", low=90.0, high=-90.0)).turn(1, 0, 32, 64, 127) == [90.0, 45.0, 0.0, -90.0]


def test_a_knob_on_a_choice_walks_through_the_choices() -> None:
    hands = Hands(Control("cc", 1, "set", "canvas"))
    assert [hands.send(1, place)[0].value for place in (0, 127)] == ["pyramid", "fourier"]


def test_a_channel_is_only_asked_for_when_it_is_named() -> None:
    assert Hands(_knob()).send(1, 5, channel=9)
    only = Hands(Control("cc", 1, "undo", channel=2))
    assert not only.send(1, 127, channel=1)
    assert only.send(1, 127, channel=2)


def test_pickup_waits_for_the_value_that_is_there() -> None:
    hands = Hands(_knob(takeover="pickup"), temperature=50.0)
    assert hands.turn(1, 10, 20, 40, 62, 63, 64, 90) == [None, None, None, None, 49.606, 50.394, 70.866]


def test_pickup_takes_over_by_crossing_so_that_a_quick_turn_counts() -> None:
    assert Hands(_knob(takeover="pickup"), temperature=50.0).turn(1, 0, 127) == [None, 100.0]
    assert Hands(_knob(takeover="pickup", low=100.0, high=0.0), temperature=20.0).turn(1, 0, 127) == [None, 0.0]


def test_pickup_is_lost_when_something_else_moves_the_parameter() -> None:
    hands = Hands(_knob(takeover="pickup"), temperature=50.0)
    assert hands.turn(1, 60, 66, 70) == [None, 51.969, 55.118]
    hands.look = hands.look.with_values({"temperature": 10.0})
    assert hands.turn(1, 72, 60, 5) == [None, None, 3.937]


def test_pickup_is_lost_by_an_undo_to_the_value_it_began_at() -> None:
    hands = Hands(_knob(takeover="pickup"), temperature=50.0)
    assert hands.turn(1, 64, 80, 100)[-1] == 78.74
    hands.look = hands.look.with_values({"temperature": 50.0})
    assert hands.turn(1, 101, 102) == [None, None]


def test_pickup_holds_on_while_the_look_lags_behind_the_fader() -> None:
    hands = Hands(_knob(takeover="pickup"), temperature=50.0)
    given = [hands.send(1, place) for place in (64, 70, 80, 90, 100)]
    assert all(given)
    hands.look = hands.look.with_values({"temperature": given[1][0].value})
    assert hands.send(1, 110)


def test_pickup_of_a_value_beyond_the_fader_is_met_at_its_end() -> None:
    hands = Hands(_knob("weight_1", "pickup", low=0.0, high=1.0), weight_1=-1.5)
    assert hands.turn(1, 50, 20, 0, 64) == [None, None, 0.0, 0.504]


def test_a_button_counts_when_it_is_pressed_and_not_when_it_is_let_go() -> None:
    hands = Hands(Control("cc", 1, "toggle", "freeze"))
    assert [len(hands.send(1, value)) for value in (127, 0, 127, 0)] == [1, 0, 1, 0]
    assert [len(hands.send(1, value)) for value in (127, 127)] == [1, 1]  # a button that never sends 0


def test_a_knob_swept_over_a_button_fires_once() -> None:
    hands = Hands(Control("cc", 1, "fire", "kick"))
    assert sum(len(hands.send(1, value)) for value in range(128)) == 1


def test_a_latching_button_is_the_switch() -> None:
    hands = Hands(Control("cc", 1, "set", "freeze"))
    assert [hands.send(1, value)[0].value for value in (127, 0, 64, 63)] == [True, False, True, False]


def test_a_key_toggles_fires_and_holds() -> None:
    toggle = Hands(Control("note", 1, "toggle", "freeze"))
    assert [len(toggle.send(1, value, "note")) for value in (90, 0, 1, 0)] == [1, 0, 1, 0]
    held = Hands(Control("note", 1, "set", "blackout", hold=True))
    assert [held.send(1, value, "note")[0].value for value in (90, 0)] == [True, False]
    cue = Hands(Control("note", 1, "cue_go", value=3))
    assert cue.send(1, 64, "note") == (Change("cue_go", 3, "", "midi pad note 1"),)


def test_a_key_fires_a_stored_prompt_a_pad_taps_and_a_button_puts_into_a_slot() -> None:
    assert Hands(Control("note", 60, "bank", value=64)).send(60, 90, "note")[0].value == 64
    assert Hands(Control("note", 60, "tap")).send(60, 0, "note") == ()
    assert Hands(Control("cc", 7, "bank_slot", value=(64, 2))).send(7, 127)[0].value == (64, 2)


def test_one_knob_may_move_two_parameters() -> None:
    hands = Hands(_knob(), _knob("master"))
    assert [change.parameter for change in hands.send(1, 127)] == ["temperature", "master"]


def test_what_is_not_mapped_asks_for_nothing() -> None:
    hands = Hands(_knob())
    assert hands.send(2, 5) == ()
    assert hands.send(1, 5, "note") == ()
    assert hands.memory is NOTHING_SEEN


def test_the_memory_stays_small() -> None:
    hands, dice = Hands(_knob(takeover="pickup"), temperature=50.0), random.Random(1)
    for _ in range(2000):
        hands.send(1, dice.randrange(128))
    assert len(hands.memory) == 1
    assert all(len(seen.sent) <= 40 for seen in hands.memory.values())


@pytest.mark.parametrize(
    ("port", "pattern", "fits"),
    [
        ("nanoKONTROL2:nanoKONTROL2 nanoKONTROL2 _ CTR 20:0", "nanoKONTROL2*", True),
        ("nanoKONTROL2 0", "NANOkontrol2*", True),
        ("a2j:nanoKONTROL2 [20] (capture): CTR", "nanoKONTROL2*", True),
        ("a2j:nanoKONTROL2 [20] (capture): CTR", "a2j:nanoKONTROL2 [20] (capture): CTR", True),
        ("nanoKONTROL2 SLIDER/KNOB", "kontrol", True),
        ("nanoKONTROL Studio", "nanoKONTROL2*", False),
        ("LPD8", "LPD?", True),
    ],
)
def test_ports_are_found_by_pattern(port: str, pattern: str, fits: bool) -> None:
    assert port_matches(port, [pattern]) is fits


def test_a_mapping_that_names_the_port_goes_before_one_for_any_port() -> None:
    korg, other, usual = Mapping("k", ("nano*",), ()), Mapping("o", ("LPD8",), ()), Mapping("g", (), ())
    assert mappings_for([usual, korg, other], "nanoKONTROL2 0") == (korg,)
    assert mappings_for([usual, korg, other], "keystation") == (usual,)


def test_alsa_names_are_shortened() -> None:
    assert short_name("nanoKONTROL2:nanoKONTROL2 _ CTR 20:0") == "nanoKONTROL2"
    assert short_name("vj:vj-in") == "vj:vj-in"

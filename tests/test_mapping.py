"""Mapping files and what a move of a control means under them."""

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.parameters import PARAMETERS, Look
from vj.changes import ACTIONS, Change
from vj.controls.mapping import Control, Mapping, read_mapping
from vj.controls.moves import NOTHING_SEEN, Midi, mappings_for, port_matches, short_name, translate
from vj.errors import FileProblems

MAPPINGS = sorted((Path(__file__).parents[1] / "mappings").glob("*.toml"))


def _read(folder: Path, text: str) -> Mapping:
    path = folder / "device.toml"
    path.write_text(text, encoding="utf-8")
    return read_mapping(path)


def _problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(FileProblems) as caught:
        _read(folder, text)
    return [f"{problem.line}: {problem.what}" for problem in caught.value.problems]


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


@pytest.mark.parametrize("path", MAPPINGS, ids=lambda path: path.stem)
def test_every_shipped_mapping_reads(path: Path) -> None:
    mapping = read_mapping(path)
    assert mapping.title
    assert mapping.controls
    assert all(str(control) for control in mapping.controls)


def test_the_shipped_ones_are_generic_and_nanokontrol2() -> None:
    assert {path.stem for path in MAPPINGS} >= {"generic", "nanokontrol2"}
    generic = read_mapping(next(path for path in MAPPINGS if path.stem == "generic"))
    midi = Midi("anything", "cc", 7, 1, 127)
    changes, _ = translate(generic, midi, Look(), NOTHING_SEEN)
    assert changes == (Change("set", 100.0, "temperature", "midi anything cc 1"),)
    korg = read_mapping(next(path for path in MAPPINGS if path.stem == "nanokontrol2"))
    assert {c.number for c in korg.controls} >= {*range(8), *range(16, 24), *range(32, 40), *range(41, 47)}
    assert [c.action for c in korg.controls if c.number in (41, 42, 43, 44)] == [
        "cue_go",
        "cue_stop",
        "cue_back",
        "cue_next",
    ]


def test_a_mapping_with_everything_in_it_reads(tmp_path: Path) -> None:
    mapping = _read(
        tmp_path,
        """
title = "Pads"
ports = ["Pad*", "LPD8"]
[[control]]
cc = 16
channel = 2
parameter = "temperature"
low = 100.0
high = 20
takeover = "pickup"
[[control]]
note = 36
parameter = "freeze"
hold = true
[[control]]
note = 37
action = "preset"
value = "live"
[[control]]
note = 38
action = "lyric"
value = ["now", "next"]
""",
    )
    assert mapping.title == "Pads"
    assert mapping.ports == ("Pad*", "LPD8")
    assert mapping.controls == (
        Control("cc", 16, "set", "temperature", None, 2, 100.0, 20.0, "pickup", line=4),
        Control("note", 36, "set", "freeze", hold=True, line=11),
        Control("note", 37, "preset", value="live", line=15),
        Control("note", 38, "lyric", value=("now", "next"), line=19),
    )
    assert [str(control) for control in mapping.controls][:2] == [
        "cc 16 channel 2: temperature 100 to 20 by pickup",
        "note 36: freeze while held",
    ]


def test_every_problem_is_named_at_once_with_its_line_and_what_would_be_right(tmp_path: Path) -> None:
    text = """titel = "x"
ports = "nano"
[[control]]
cc = 128
parameter = "temprature"
[[control]]
cc = 1
note = 2
channel = 0
parameter = "zoom"
takover = "pickup"
[[control]]
parameter = "temperature"
[[control]]
note = 60
action = "cue_goo"
[[control]]
note = 61
[[control]]
cc = 5
parameter = "temperature"
takeover = "soft"
low = 5
"""
    assert _problems(tmp_path, text) == [
        "1: unknown key 'titel'; did you mean 'title'?",
        '2: ports must be a list of names, such as ["nanoKONTROL2*"]',
        "4: cc must be a whole number from 0 to 127, not 128",
        "5: no parameter called 'temprature'; did you mean 'temperature'?",
        "6: a control needs cc or note, one of them",
        "9: channel must be a whole number from 1 to 16, not 0",
        _starts_with("10: no parameter called 'zoom'"),
        "11: unknown key 'takover'; did you mean 'takeover'?",
        "12: a control needs cc or note, one of them",
        "16: no action called 'cue_goo'; did you mean 'cue_go'?",
        "17: a control needs a parameter or an action",
        '22: takeover must be "jump" or "pickup", not \'soft\'',
    ]


class _starts_with(str):  # noqa: N801 - reads as a word in an expected list
    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and other.startswith(str(self))

    __hash__ = str.__hash__


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ('note = 1\nparameter = "temperature"', "3: a note cannot turn temperature"),
        ('cc = 1\nparameter = "prompt_1"', "4: prompt_1 is a text and cannot be turned"),
        ('cc = 1\naction = "toggle"', "4: toggle needs a parameter to move"),
        ('cc = 1\nparameter = "master"\naction = "toggle"', "5: toggle cannot move master, a number"),
        ('cc = 1\nparameter = "master"\naction = "undo"', "4: undo moves no parameter; leave parameter out"),
        ('cc = 1\naction = "preset"', "4: preset needs a text as its value, not None"),
        ('cc = 1\naction = "cue_seek"\nvalue = "x"', "5: cue_seek needs a number as its value, not 'x'"),
        ('cc = 1\naction = "undo"\nvalue = 1', "5: undo takes no value"),
        ('cc = 1\naction = "cue_go"\nvalue = true', "5: cue_go takes the number or the label of a cue, not True"),
        ('cc = 1\naction = "lyric"\nvalue = 3', "5: lyric needs one or two texts as its value, not 3"),
        ('cc = 1\nparameter = "master"\naction = "norm"\nvalue = 2', "6: norm needs a value from 0 to 1, not 2"),
        ('cc = 1\nparameter = "master"\naction = "set"\nvalue = 3.0', "6: master must be a number from 0 to 1"),
        ('cc = 1\nparameter = "master"\nlow = -1', "5: low: master must be a number from 0 to 1, not -1"),
        ('cc = 1\nparameter = "master"\nlow = 1', "5: low and high must not be the same"),
        ('cc = 1\nparameter = "freeze"\nhigh = 1', "5: high is for a cc that turns a number"),
        ('cc = 1\naction = "undo"\ntakeover = "jump"', "5: takeover is for a cc that turns a number"),
        ('cc = 1\nparameter = "freeze"\nhold = true', "5: hold is for a note on a switch, without an action"),
        ('cc = 1\nparameter = "freeze"\nhold = "yes"', "5: hold must be true or false, not 'yes'"),
        ('cc = true\nparameter = "freeze"', "3: cc must be a whole number from 0 to 127, not True"),
        ('cc = 1\nparameter = ["freeze"]', "4: no parameter called ['freeze']"),
        ("cc = 1\naction = {x = 1}", "4: no action called {'x': 1}"),
        ("cc = nan\nparameter = 1979-05-27", "3: cc must be a whole number"),
    ],
)
def test_what_a_control_cannot_do_is_refused(tmp_path: Path, block: str, problem: str) -> None:
    assert _problems(tmp_path, f'title = "x"\n[[control]]\n{block}\n')[0].startswith(problem)


def test_files_that_are_no_mappings_are_refused(tmp_path: Path) -> None:
    assert _problems(tmp_path, 'title = "x"\n')[0].endswith(
        "no control is mapped; write [[control]] and below it cc or note"
    )
    assert _problems(tmp_path, "control = 3\n")[0].startswith("1: no control is mapped")
    assert _problems(tmp_path, 'title = "x"\n[[control]\n')[0].startswith("2: not TOML")
    with pytest.raises(FileProblems, match="cannot be read"):
        read_mapping(tmp_path / "gone.toml")


_scalars = st.none() | st.booleans() | st.integers(-5, 200) | st.floats() | st.sampled_from(
    [*ACTIONS, "temperature", "freeze", "kick", "prompt_1", "canvas", "", "pickup"]
)  # fmt: skip
_rows = st.dictionaries(
    st.sampled_from(["cc", "note", "channel", "parameter", "action", "value", "low", "high", "takeover", "hold", "x"]),
    _scalars | st.lists(_scalars, max_size=2),
    max_size=8,
)


def _toml(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) or value is None else repr(value)


@given(st.lists(_rows, max_size=3))
def test_any_control_reads_or_is_refused_and_then_never_raises(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    blocks = ["[[control]]\n" + "\n".join(f"{key} = {_toml(value)}" for key, value in row.items()) for row in rows]
    path.write_text("\n".join(blocks), encoding="utf-8")
    try:
        mapping = read_mapping(path)
    except FileProblems:
        return
    memory = NOTHING_SEEN
    for value in (0, 127, 64, 127):
        for control in mapping.controls:
            midi = Midi("p", control.kind, control.channel or 1, control.number, value)
            changes, memory = translate(mapping, midi, Look(), memory)
            for change in changes:
                Change.from_json(change.to_json())


def test_a_knob_gives_the_whole_range_and_may_be_reversed() -> None:
    assert Hands(_knob()).turn(1, 0, 127, 64) == [0.0, 100.0, 50.394]
    assert Hands(_knob(low=80.0, high=20.0)).turn(1, 0, 127) == [80.0, 20.0]
    assert Hands(_knob("steps")).turn(1, 0, 127, 1) == [1, 50, 1]


def test_a_knob_on_a_choice_walks_through_the_choices() -> None:
    hands = Hands(Control("cc", 1, "set", "canvas"))
    assert [hands.send(1, place)[0].value for place in (0, 127)] == ["pyramid", "pixels"]


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

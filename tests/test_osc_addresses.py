"""OSC addresses: what each asks for, what is clamped, what is refused and why."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.parameters import PARAMETERS, Look
from vj.changes import Change
from vj.controls.addresses import Refused, address_of, translate


def _set(name: str, value: Any) -> Change:
    return Change("set", value, name)


@pytest.mark.parametrize(
    ("address", "args", "change"),
    [
        ("/vj/prompt", ("a red rose",), Change("prompt", "a red rose")),
        ("/vj/prompt", (" a\nrose\x1b ", 3), Change("prompt", "a rose", seconds=3.0)),
        ("/prompt", ("a rose", 0.5), Change("prompt", "a rose", seconds=0.5)),
        ("/vj/prompt/3/text", ("a whale",), _set("prompt_3", "a whale")),
        ("/vj/prompt/3/weight", (-0.5,), _set("weight_3", -0.5)),
        ("/weight/8", (True,), _set("weight_8", 1.0)),
        ("/vj/temperature", (35.5,), _set("temperature", 35.5)),
        ("/temperature", (20,), _set("temperature", 20.0)),
        ("/vj/steps", (3.4,), _set("steps", 3)),
        ("/vj/canvas", ("pixels",), _set("canvas", "pixels")),
        ("/vj/blackout", (1,), _set("blackout", True)),
        ("/vj/freeze", (False,), _set("freeze", False)),
        ("/vj/temperature/norm", (0.25,), Change("norm", 0.25, "temperature")),
        ("/vj/canvas/norm", (1,), Change("norm", 1.0, "canvas")),
        ("/vj/cue/go", (), Change("cue_go")),
        ("/vj/cue/go", (True,), Change("cue_go")),
        ("/vj/cue/go", (4,), Change("cue_go", 4)),
        ("/vj/cue/go", (4.0,), Change("cue_go", 4)),
        ("/vj/cue/go", ("chorus",), Change("cue_go", "chorus")),
        ("/cue/A 1/start", (), Change("cue_go", "A 1")),
        ("/cue/A/b/start", (), Change("cue_go", "A/b")),
        ("/go", (1.0,), Change("cue_go")),
        ("/back", (), Change("cue_back")),
        ("/vj/cue/next", (), Change("cue_next")),
        ("/vj/cue/back", (1,), Change("cue_back")),
        ("/vj/cue/stop", (), Change("cue_stop")),
        ("/vj/cue/pause", (), Change("cue_pause")),
        ("/vj/cue/seek", (12.5,), Change("cue_seek", 12.5)),
        ("/vj/cue/nudge", (-1,), Change("cue_nudge", -1.0)),
        ("/vj/song/go", (), Change("song_go")),
        ("/vj/song/go", (3,), Change("song_go", 3)),
        ("/vj/song/go", ("Night Ferry",), Change("song_go", "Night Ferry")),
        ("/vj/song/next", (1,), Change("song_next")),
        ("/vj/song/back", (), Change("song_back")),
        ("/vj/bank/128", (), Change("bank", 128)),
        ("/vj/bank/7", (0.4,), Change("bank", 7)),
        ("/vj/bank/7/slot", (3.0,), Change("bank_slot", (7, 3))),
        ("/vj/bank/7/text", (" a\nrose ",), Change("bank_text", (7, "a rose"))),
        ("/vj/tap", (), Change("tap")),
        ("/vj/resync", (127,), Change("resync")),
        ("/vj/lyric", ("now",), Change("lyric", ("now",))),
        ("/lyric", ("now", "next"), Change("lyric", ("now", "next"))),
        ("/vj/preset", ("live",), Change("preset", "live")),
        ("/vj/panic", (), Change("panic")),
        ("/panic", (1,), Change("panic")),
        ("/vj/undo", (), Change("undo")),
        ("/vj/reroll", (), Change("fire", parameter="reroll")),
        ("/vj/kick", (0.3,), Change("fire", parameter="kick")),
        ("/vj/kick/norm", (1.0,), Change("fire", parameter="kick")),
    ],
)
def test_each_address_asks_for_its_change(address: str, args: Any, change: Change) -> None:
    asked = translate(address, args)
    assert asked.changes == (change,)
    assert not asked.is_clamped
    assert Change.from_json(change.to_json()).action == change.action


@pytest.mark.parametrize(
    ("address", "args"),
    [
        ("/vj/bank/3", (0,)),
        ("/vj/tap", (0,)),
        ("/vj/resync", (0.0,)),
        ("/vj/song/next", (0,)),
        ("/vj/song/go", (0,)),
        ("/vj/cue/next", (0,)),
        ("/go", (0.0,)),
        ("/vj/cue/go", (0,)),
        ("/vj/kick", (False,)),
        ("/vj/lyric", ("",)),
    ],
)
def test_a_pad_let_go_and_a_cleared_slide_ask_for_nothing(address: str, args: Any) -> None:
    assert translate(address, args).changes == ()


@pytest.mark.parametrize(
    ("address", "args", "value"),
    [
        ("/vj/temperature", (150,), 100.0),
        ("/vj/weight_1", (-7.0,), -2.0),
        ("/vj/temperature/norm", (1.5,), 1.0),
        ("/vj/cue/seek", (-3,), 0.0),
        ("/vj/cue/nudge", (1e9,), 3600.0),
        ("/vj/prompt_2", ("la " * 300,), ("la " * 300)[:512]),
    ],
)
def test_what_is_out_of_range_is_clamped_and_said(address: str, args: Any, value: Any) -> None:
    asked = translate(address, args)
    assert asked.changes[0].value == value
    assert asked.is_clamped


@pytest.mark.parametrize(
    ("address", "args", "why"),
    [
        ("/vj/temperatur", (1,), "no such address; did you mean '/vj/temperature'?"),
        ("/vj/bank/0", (), "the bank has places 1 to 128"),
        ("/vj/bank/129/text", ("x",), "the bank has places 1 to 128"),
        ("/vj/bank/x", (), "no such address; did you mean '/vj/bank/1'?"),
        ("/vj/bank/3", ("x",), "takes a number, not 'x'"),
        ("/vj/bank/3/slot", (9,), "takes a slot from 1 to 8, not 9"),
        ("/vj/bank/3/slot", (), "takes one argument, not 0"),
        ("/vj/bank/3/text", ("  ",), "an empty text is no prompt"),
        ("/vj/bank/3/text", (4,), "takes a text, not 4"),
        ("/vj/song/go", (1.5,), "takes the number of a song from 1, or its title, not 1.5"),
        ("/vj/song/nxt", (), "no such address; did you mean '/vj/song/next'?"),
        ("/vj/tap", ("now",), "takes a number, not 'now'"),
        ("/vj/prompt/9/text", ("x",), "no such address"),
        ("/" + "x" * 5000, (), "no such address"),
        ("/vj/temperature", (), "takes one argument, not 0"),
        ("/vj/temperature", (1, 2), "takes one argument, not 2"),
        ("/vj/temperature", ("hot",), "takes a number, not 'hot'"),
        ("/vj/temperature", (float("nan"),), "takes a finite number, not nan"),
        ("/vj/temperature/norm", (float("inf"),), "takes a finite number, not inf"),
        ("/vj/prompt_1/norm", (0.5,), "prompt_1 is a text and has no place from 0 to 1"),
        ("/vj/canvas", (1,), "takes one of pyramid, pixels, fourier, not 1; /norm takes 0 to 1"),
        ("/vj/freeze", ("on",), "takes a number, not 'on'"),
        ("/vj/prompt", (3,), "takes a text, not 3"),
        ("/vj/prompt", ("",), "an empty text is no prompt"),
        ("/vj/prompt", ("x", float("nan")), "takes a finite number, not nan"),
        ("/vj/prompt", (), "takes a text and perhaps seconds, not 0 arguments"),
        ("/vj/lyric", ("a", "b", "c"), "takes a line and perhaps the next, not 3 arguments"),
        ("/vj/cue/go", (2.5,), "takes the number of a cue from 1, its label or its words, not 2.5"),
        ("/vj/cue/go", (-1,), "takes the number of a cue from 1, its label or its words, not -1"),
        ("/vj/cue/next", (1, 1), "takes at most one argument, not 2"),
        ("/vj/kick", (float("nan"),), "takes a finite number, not nan"),
        ("/vj/preset", ("  ",), "takes the name of a preset"),
    ],
)
def test_what_asks_for_nothing_sensible_is_refused_with_the_reason(address: str, args: Any, why: str) -> None:
    with pytest.raises(Refused) as caught:
        translate(address, args)
    assert str(caught.value).startswith(why)


def test_every_parameter_is_set_on_the_address_it_is_echoed_on() -> None:
    for name, row in PARAMETERS.items():
        args = () if row.kind == "trigger" else (row.default,)
        assert [change.parameter for change in translate(address_of(name), args).changes] == [name]  # type: ignore[arg-type]


_arguments = st.lists(
    st.integers(-(2**40), 2**40) | st.floats() | st.booleans() | st.text(max_size=600) | st.sampled_from([0, 1]),
    max_size=3,
).map(tuple)
_addresses = st.sampled_from(
    [*map(address_of, PARAMETERS), *(f"/vj/{name}/norm" for name in PARAMETERS), "/vj/prompt", "/vj/lyric", "/go",
     "/vj/cue/go", "/vj/cue/seek", "/vj/cue/nudge", "/vj/preset", "/vj/panic", "/cue/x/start",
     "/vj/song/go", "/vj/bank/3", "/vj/bank/4/slot", "/vj/bank/5/text", "/vj/tap"]
)  # fmt: skip


@given(_addresses | st.text(max_size=80), _arguments)
def test_any_arguments_are_a_change_the_desk_can_make_or_are_refused(address: str, args: Any) -> None:
    try:
        asked = translate(address, args)
    except Refused as why:
        assert str(why)
        return
    for change in asked.changes:
        Change.from_json(change.to_json())
        if change.action == "set":
            Look().with_values({change.parameter: change.value})

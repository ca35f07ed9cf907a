"""Mapping files and what a move of a control means under them."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.parameters import Look
from vj.changes import ACTIONS, Change
from vj.controls.mapping import Control, Mapping, read_mapping
from vj.controls.moves import NOTHING_SEEN, Midi, translate
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
parameter = "wobble"
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
        _starts_with("10: no parameter called 'wobble'"),
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
        ('cc = 1\naction = "cue_go"\nvalue = true', "5: cue_go takes a number or a name, not True"),
        ('note = 1\naction = "bank"', "4: bank needs a place of the bank from 1 to 128 as its value, not None"),
        ('note = 1\naction = "bank"\nvalue = 129', "5: bank needs a place of the bank from 1 to 128"),
        ('note = 1\naction = "bank_slot"\nvalue = [3, 9]', "5: bank_slot needs [place, slot], from 1 to 128 and to 8,"),
        ('note = 1\naction = "tap"\nvalue = 3', "5: tap takes no value"),
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

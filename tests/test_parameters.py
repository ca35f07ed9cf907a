"""The table of parameters and the look: whatever comes in, only values that fit get through."""

import json
import math
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.parameters import GROUPS, PARAMETERS, SLOTS, TEXT_LIMIT, Look, Parameter, ParameterError, parameter
from vj.runtime import LOOK_BYTES

ROWS = st.sampled_from(sorted(PARAMETERS.values(), key=lambda row: row.name))
NUMBERS = st.sampled_from([row for row in PARAMETERS.values() if row.kind in ("number", "whole")])
ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.lists(st.integers()),
    st.sampled_from([10**400, -(10**400), 10**5000, "live", "edges", [], {}, object(), "\ud800", "\x00"]),
)  # fmt: skip


def fits(row: Parameter, value: object) -> bool:
    """Whether a value is one that a parameter may hold, said in another way than the table says it."""
    if row.kind == "number":
        return isinstance(value, float) and row.low <= value <= row.high
    if row.kind == "whole":
        return type(value) is int and row.low <= value <= row.high
    if row.kind == "trigger":
        return type(value) is int
    if row.kind == "switch":
        return isinstance(value, bool)
    if row.kind == "choice":
        return value in row.choices
    return isinstance(value, str) and len(value) <= TEXT_LIMIT and value.split() == value.split(" ") * bool(value)


@pytest.mark.parametrize("row", PARAMETERS.values(), ids=lambda row: row.name)
def test_every_row_is_whole(row: Parameter) -> None:
    assert row.name.isidentifier() and row.group in GROUPS and row.does
    assert row.low < row.high
    assert row.checked(row.default) == row.default
    assert (row.kind == "choice") == bool(row.choices)


@given(ROWS, ANYTHING)
def test_a_value_fits_its_parameter_or_is_refused(row: Parameter, value: object) -> None:
    try:
        checked = row.checked(value)
    except ParameterError as err:
        assert row.name in str(err) and len(str(err)) < 2000
    else:
        assert fits(row, checked)
        assert row.checked(checked) == checked


@given(NUMBERS, st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_out_of_range_is_clamped_to_the_nearest_end(row: Parameter, value: float) -> None:
    if not abs(value) < 1e300:
        return
    checked = row.checked(value)
    if value <= row.low:
        assert checked == row.low
    elif value >= row.high:
        assert checked == row.high
    else:
        assert abs(float(checked) - value) <= (0.5 if row.kind == "whole" else 0.0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400])
@pytest.mark.parametrize("name", ["temperature", "steps", "reroll"])
def test_nan_infinity_and_numbers_beyond_all_size_are_refused(name: str, value: float) -> None:
    with pytest.raises(ParameterError, match=f"{name} takes a finite number"):
        parameter(name).checked(value)
    with pytest.raises(ParameterError):
        Look().with_values({name: value})


def test_a_switch_takes_numbers_as_pads_send_them() -> None:
    assert [parameter("freeze").checked(value) for value in (0, 0.4, 0.5, 1, 127, True, False)] == [
        False, False, True, True, True, True, False,
    ]  # fmt: skip
    with pytest.raises(ParameterError, match="freeze is a switch and takes true or false, not 'yes'"):
        parameter("freeze").checked("yes")


def test_a_choice_names_what_may_be_chosen() -> None:
    with pytest.raises(ParameterError, match="canvas must be one of pyramid, pixels, fourier, not 'pixel'"):
        parameter("canvas").checked("pixel")


def test_a_text_becomes_one_line_of_at_most_512_characters_that_can_be_written() -> None:
    row = parameter("prompt_1")
    assert row.checked("  a red\n\theart  ") == "a red heart"
    assert row.checked("ä" * 600) == "ä" * 512
    assert row.checked("a" * 511 + " tail") == "a" * 511
    row.checked("half a pair: \ud83d").encode()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("wrong", "right"), [("temprature", "temperature"), ("Steps", "steps"), ("prompt1", "prompt_1")]
)
def test_an_unknown_parameter_is_refused_with_the_nearest_one(wrong: str, right: str) -> None:
    with pytest.raises(ParameterError, match=f"no parameter called '{wrong}'; did you mean '{right}'"):
        parameter(wrong)
    with pytest.raises(ParameterError, match=wrong):
        Look().with_values({"temperature": 3.0, wrong: 1})


@given(NUMBERS, st.floats(0, 1))
def test_a_fraction_of_the_range_and_back(row: Parameter, fraction: float) -> None:
    value = row.from_unit(fraction)
    assert fits(row, value)
    tolerance = 1e-9 if row.kind == "number" else 0.51 / (row.high - row.low)
    assert row.to_unit(value) == pytest.approx(fraction, abs=tolerance)


@given(ROWS, st.floats())
def test_any_fraction_gives_a_fitting_value_or_is_refused(row: Parameter, fraction: float) -> None:
    if row.kind == "text" or not math.isfinite(fraction):
        with pytest.raises(ParameterError):
            row.from_unit(fraction)
    else:
        assert fits(row, row.from_unit(fraction))


@pytest.mark.parametrize("name", [row.name for row in PARAMETERS.values() if row.kind in ("choice", "switch")])
def test_each_choice_and_each_switch_has_its_share_of_the_range(name: str) -> None:
    row = parameter(name)
    for value in row.choices or (False, True):
        assert row.from_unit(row.to_unit(value)) == value


values = st.dictionaries(
    st.sampled_from(["temperature", "steps", "prompt_1", "prompt_8", "weight_1", "freeze", "reroll"]),
    st.just(0),
).map(lambda chosen: {name: EXAMPLES[name] for name in chosen})
EXAMPLES: dict[str, Any] = {
    "temperature": 12.5, "steps": 3, "prompt_1": "ein Haus aus Glas ❤", "prompt_8": "a sea", "weight_1": -1.5,
    "freeze": True, "reroll": 41,
}  # fmt: skip


@given(values, st.text(st.characters(exclude_categories=["Cs"]), max_size=600), st.floats(0, 1), st.integers(0, 2**53))
def test_a_look_comes_back_from_json_as_it_was(given: dict[str, Any], line: str, blend: float, serial: int) -> None:
    line = " ".join(line.split())[:TEXT_LIMIT].rstrip()
    look = Look(line=line, next_line="next", blend=blend, serial=serial).with_values(given)
    assert Look.from_json(look.to_json()) == look


def test_the_largest_look_fits_into_its_mailbox() -> None:
    longest = "\U0001f525" * TEXT_LIMIT  # JSON writes it as twelve characters
    look = Look(line=longest, next_line=longest, blend=1 / 3, serial=2**53)
    look = look.with_values({f"prompt_{n}": longest for n in range(1, SLOTS + 1)})
    look = look.with_values({row.name: 1 / 3 for row in PARAMETERS.values() if row.kind == "number"})
    assert len(look.to_json().encode()) <= LOOK_BYTES


@pytest.mark.parametrize(
    "text", ["", "{", "5", "null", "[]", "{}", '"look"', "[" * 100_000,
             json.dumps({"values": 3, "line": "", "next_line": "", "blend": 0, "serial": 0}),
             json.dumps({"values": {}, "line": None, "next_line": "", "blend": 0, "serial": 0}),
             json.dumps({"values": {}, "line": "", "next_line": "", "blend": "much", "serial": 0}),
             '{"values": {}, "line": "", "next_line": "", "blend": 0, "serial": Infinity}',
             json.dumps({"values": {"nonsense": 1}, "line": "", "next_line": "", "blend": 0, "serial": 0})],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_what_is_no_look_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Look.from_json(text)


def test_a_refused_value_changes_nothing_and_a_look_cannot_be_written_to() -> None:
    look = Look().with_values({"temperature": 20})
    with pytest.raises(ParameterError):
        look.with_values({"temperature": 30, "canvas": "marble"})
    assert look.number("temperature") == 20
    with pytest.raises(TypeError):
        look.values["temperature"] = 1  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        look.line = "no"  # type: ignore[misc]


def test_the_defaults_are_not_shared_between_looks_that_change() -> None:
    Look().with_values({"temperature": 99, "prompt_1": "changed"})
    assert Look().number("temperature") == 35 and Look().text("prompt_1") == ""


def test_every_text_with_a_weight_pulls_and_nothing_else() -> None:
    look = Look(line="now", next_line="next", blend=0.25).with_values(
        {"lyrics": 2, "prompt_2": "slot two", "weight_2": -1, "prompt_3": "weightless", "weight_4": 1}
    )
    assert look.prompts() == (("now", 1.5), ("next", 0.5), ("slot two", -1.0))
    assert Look().prompts() == ()
    assert Look(line="now", next_line="next").prompts() == (("now", 1.0),)

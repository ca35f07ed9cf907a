"""The bank: stored prompts, fired, put into slots, stored live and never lost."""

from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.parameters import TEXT_LIMIT, Look, ParameterError
from vj.bank import BankFile, own_file, read_bank, show_file
from vj.changes import BANK_PLACES, Change
from vj.desk import ShowDesk
from vj.errors import FileProblems
from vj.opening import given_bank, opening_state
from vj.runtime import Plan
from vj.state import ShowState


def show(**values: Any) -> ShowState:
    look = Look().with_values(values)
    return ShowState(look, look, bank=MappingProxyType({3: "a red rose", 128: "a blue sea"}))


def asked(state: ShowState, action: str, value: Any, now: float) -> ShowState:
    return state.after(Change(action, value, source="osc"), now)


def test_a_stored_prompt_crosses_over_like_a_typed_one() -> None:
    state = asked(asked(show(fade=4.0), "bank", 3, 0.0), "bank", 128, 10.0)
    look = state.look_at(11.0)
    assert (look.line, look.next_line) == ("a red rose", "a blue sea") and 0.0 < look.blend < 1.0
    assert state.look_at(14.0).line == "a blue sea"
    assert state.after(Change("undo"), 20.0).look_at(20.0).line == "a red rose"


def test_a_stored_prompt_put_into_a_slot_is_heard_there() -> None:
    look = asked(show(), "bank_slot", (3, 2), 0.0).look
    assert look.text("prompt_2") == "a red rose" and look.number("weight_2") == 1.0
    look = asked(show(weight_2=-0.5), "bank_slot", [3, 2], 0.0).look
    assert look.number("weight_2") == -0.5


def test_undo_takes_the_text_and_the_weight_of_a_slot_back_together() -> None:
    state = asked(show(prompt_2="moss"), "bank_slot", (3, 2), 0.0).after(Change("undo"), 5.0)
    assert state.look.text("prompt_2") == "moss" and state.look.number("weight_2") == 0.0


@pytest.mark.parametrize(("action", "value"), [("bank", 4), ("bank_slot", (4, 1))])
def test_an_empty_place_is_a_line_in_the_log_and_changes_nothing(home: Path, action: str, value: Any) -> None:
    with pytest.raises(ParameterError, match="place 4 of the bank is empty"):
        asked(show(), action, value, 0.0)
    desk = ShowDesk(show())
    desk.put(Change(action, value, source="osc 127.0.0.1"))
    desk.turn(0.0)
    assert desk.report()["log"][-1].endswith("osc 127.0.0.1: place 4 of the bank is empty")


def test_a_text_stored_over_another_comes_back_by_undo() -> None:
    state = asked(show(), "bank_text", (3, "a  white\nwhale"), 0.0)
    assert state.bank[3] == "a white whale" and state.bank[128] == "a blue sea"
    assert state.after(Change("undo"), 5.0).bank[3] == "a red rose"


@pytest.mark.parametrize("value", [0, 129, 1.0, True, "3", None, [3], [3, 1]])
def test_only_a_place_is_a_place(value: Any) -> None:
    with pytest.raises(ValueError, match="bank does not take"):
        Change.from_json({"action": "bank", "value": value})


# On disk


def stored(desk: ShowDesk, place: int, text: str) -> None:
    desk.put(Change("bank_text", (place, text)))
    desk.turn(0.0)


def desk_of(plan: Plan) -> ShowDesk:
    state = opening_state(plan)
    return ShowDesk(state, bank=BankFile(show_file(plan.show), state.bank, given_bank(plan)))


def test_what_is_stored_live_is_there_in_the_next_show(home: Path) -> None:
    stored(desk_of(Plan()), 7, 'a "white" whale\\')
    assert read_bank(own_file()) == {7: 'a "white" whale\\'}
    assert opening_state(Plan()).bank == {7: 'a "white" whale\\'}


def test_a_show_has_a_bank_of_its_own_over_the_one_of_every_show(home: Path) -> None:
    stored(desk_of(Plan()), 1, "mine")
    stored(desk_of(Plan()), 9, "mine too")
    plan = Plan(show="friday", bank=("the file's", "", "also the file's"))
    stored(desk_of(plan), 3, "stored on friday")
    assert opening_state(plan).bank == {1: "the file's", 3: "stored on friday", 9: "mine too"}
    assert read_bank(show_file("friday")) == {3: "stored on friday"} and read_bank(own_file())[1] == "mine"


def test_a_flood_of_stores_is_written_seldom_and_whole_at_the_end(home: Path) -> None:
    desk = desk_of(Plan())
    for n in range(500):
        stored(desk, n % BANK_PLACES + 1, f"text {n}")
    assert len(read_bank(own_file())) < BANK_PLACES
    desk.close()
    assert read_bank(own_file()) == desk.state.bank and len(desk.state.bank) == BANK_PLACES
    assert [path.name for path in own_file().parent.iterdir()] == ["bank.toml"]


def test_a_bank_edited_by_somebody_else_meanwhile_is_put_aside(home: Path) -> None:
    desk = desk_of(Plan())
    stored(desk, 1, "first")
    own_file().write_text("[bank]\n5 = 'edited'\n")
    stored(desk, 2, "second")
    desk.close()
    assert read_bank(own_file()) == {1: "first", 2: "second"}
    assert read_bank(own_file().with_suffix(".before")) == {5: "edited"}


def test_a_bank_that_cannot_be_written_is_said_once_and_tried_again(home: Path) -> None:
    own_file().parent.parent.mkdir(parents=True, exist_ok=True)
    own_file().parent.write_text("a file where the folder should be")
    desk = desk_of(Plan())
    for n in range(3):
        stored(desk, 1 + n, "text")
        desk.close()
    assert sum("could not be written" in line for line in desk.report()["log"]) == 1
    own_file().parent.unlink()
    desk.close()
    assert len(read_bank(own_file())) == 3


def test_every_problem_of_a_bank_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bank.toml"
    path.write_text('titel = "x"\n[bank]\n0 = "a"\n129 = "b"\nx = "c"\n5 = 6\n7 = ""\n')
    with pytest.raises(FileProblems) as caught:
        read_bank(path)
    assert [(problem.line, problem.what[:20]) for problem in caught.value.problems] == [
        (1, "unknown key 'titel';"), (3, "'0' is no place of t"), (4, "'129' is no place of"),
        (5, "'x' is no place of t"), (6, "place 5 takes a text"),
    ]  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.integers(1, BANK_PLACES), st.text(min_size=1, max_size=TEXT_LIMIT), max_size=5))
def test_any_text_comes_back_as_it_was_stored(home: Path, texts: dict[int, str]) -> None:
    own_file().unlink(missing_ok=True)
    state = show()
    for place, text in texts.items():
        if text.split():
            state = asked(state, "bank_text", (place, text), 0.0)
    assert BankFile(own_file(), {}).keep(state.bank, 1.0) == ""
    assert read_bank(own_file()) == state.bank

"""What the dashboard's keys ask of the desk, seen at a real door."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual import events

from engine.parameters import PARAMETERS
from vj.changes import Change
from vj.dashboard.app import Dashboard
from vj.dashboard.entry import Entry
from vj.dashboard.overlays import EndScreen

sys.path.insert(0, str(Path(__file__).parent / "rigs"))

from moving_show import MovingShow
from watching import SIZES, asked, dashboard, shows, until


@pytest.fixture
def show(tmp_path: Path) -> Iterator[MovingShow]:
    moving = MovingShow(tmp_path)
    moving.move()
    yield moving
    if moving.folder.boxes.is_dir():
        moving.close()


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("space", Change("cue_go")),
        ("b", Change("cue_back")),
        ("backspace", Change("cue_back")),
        ("c", Change("cue_pause")),
        ("comma", Change("cue_nudge", -0.1)),
        ("f", Change("toggle", None, "freeze")),
        ("F", Change("toggle", None, "freeze")),
        ("k", Change("toggle", None, "blackout")),
        ("u", Change("undo")),
        ("greater_than_sign", Change("song_next")),
        ("less_than_sign", Change("song_back")),
        ("m", Change("tap")),
        ("s", Change("resync")),
        ("exclamation_mark", Change("panic")),
        ("r", Change("fire", None, "reroll")),
        ("plus", Change("nudge", 0.1, "weight_1")),
        ("left_square_bracket", Change("nudge", -1.0, "temperature")),
        ("T", Change("nudge", 1.0, "temperature")),
        ("right", Change("nudge", 1.0, "temperature")),
        ("shift+left", Change("nudge", -10.0, "temperature")),
    ],
)
async def test_a_key_asks_the_desk_for_one_change(show: MovingShow, key: str, change: Change) -> None:
    async with dashboard(show) as (_, pilot):
        (got,) = await asked(pilot, show, key)
        assert (got.action, got.value, got.parameter) == (change.action, change.value, change.parameter)
        assert got.source == "key"


async def test_a_held_key_flashes_nothing(show: MovingShow) -> None:
    async with dashboard(show) as (app, pilot):
        for _ in range(6):  # as a terminal repeats it, whatever this machine's own pace
            app.action_switch("blackout")
            app.action_send("song_next", True)
            app.action_fire("reroll")
        while Change("undo", source="key") not in show.changes:  # sent last, in its order
            await asked(pilot, show, "u")
        asked_for = [change.parameter or change.action for change in show.changes[:4]]
        assert asked_for == ["blackout", "song_next", "reroll", "undo"]


async def test_the_arrows_choose_a_parameter_and_move_it(show: MovingShow) -> None:
    names = list(PARAMETERS)
    below = names[names.index("temperature") + 2]
    async with dashboard(show) as (_, pilot):
        (got,) = await asked(pilot, show, "down", "down", "right")
        assert got.parameter == below
        (got,) = await asked(pilot, show, *["pagedown"] * 9, "right")
        assert got == Change("set", True, names[-1], "key")


async def test_a_typed_prompt_is_sent_and_hotkeys_are_dead_meanwhile(show: MovingShow) -> None:
    async with dashboard(show) as (app, pilot):
        await pilot.press("p")
        await pilot.press(*"fkuq", "space", *"?!d1", "tab", "up", "down", "left_square_bracket")
        await pilot.press("ctrl+u", *"glass sea")
        assert show.changes == []
        assert app.is_running
        assert await asked(pilot, show, "enter") == [Change("prompt", "glass sea", "", "key")]
        assert (await asked(pilot, show, "f"))[0].parameter == "freeze"


async def test_keys_that_come_in_one_burst_are_done_in_their_order(show: MovingShow) -> None:
    keys = [*"pcat", "enter", *"pdog", "left", "backspace", "enter", "k", "3", *"fog", "enter", "plus"]
    async with dashboard(show) as (app, pilot):
        for key in keys:  # read at once, as after a moment in which the dashboard had no turn
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: len(show.changes) >= 5, "five changes")
        assert show.changes == [
            Change("prompt", "cat", "", "key"),
            Change("prompt", "dg", "", "key"),
            Change("toggle", None, "blackout", "key"),
            Change("set", "fog", "prompt_3", "key"),
            Change("nudge", 0.1, "weight_3", "key"),
        ]


async def test_what_is_pasted_is_typed_before_what_comes_after_it(show: MovingShow) -> None:
    async with dashboard(show) as (app, pilot):
        await pilot.press("p")
        app.post_message(events.Paste("a glass sea\nand more"))
        assert await asked(pilot, show, *" now", "enter") == [Change("prompt", "a glass sea now", "", "key")]


async def test_a_file_is_typed_under_its_own_name(show: MovingShow) -> None:
    async with dashboard(show, (120, 40)) as (app, pilot):
        app._type("source", "")
        await shows(pilot, "source ›")
        await pilot.press(*"a/b.mp4")
        assert "draws" not in await shows(pilot, "a/b.mp4")


async def test_escape_sends_nothing_and_the_text_can_be_had_again(show: MovingShow) -> None:
    async with dashboard(show) as (app, pilot):
        await pilot.press("slash", *"half a thou", "escape")
        await pilot.pause(0.3)
        assert show.changes == []
        await pilot.press("enter", "up")
        assert app.query_one(Entry).value == "half a thou"
        assert await asked(pilot, show, *"ght", "enter") == [Change("prompt", "half a thought", "", "key")]
        await pilot.press("p", "up", "up")
        assert app.query_one(Entry).value == "half a thou"


async def test_a_digit_types_into_its_slot_and_says_when_that_has_no_weight(show: MovingShow) -> None:
    async with dashboard(show) as (app, pilot):
        await pilot.press("1")
        assert app.query_one(Entry).value == "wet asphalt, neon"
        await pilot.press("escape")
        assert await asked(pilot, show, "3", *"fog", "enter") == [Change("set", "fog", "prompt_3", "key")]
        await shows(pilot, "slot 3 has weight 0: + brings it in")
        assert (await asked(pilot, show, "plus"))[0].parameter == "weight_3"


async def test_what_the_desk_warns_of_stands_at_the_foot(show: MovingShow) -> None:
    async with dashboard(show) as (_, pilot):
        show.facts["desk"] |= {"warning": [time.monotonic(), "'Pap' is the last song"]}
        await shows(pilot, "'Pap' is the last song")


async def test_an_old_warning_is_over_and_a_first_note_is_shown(show: MovingShow) -> None:
    show.facts["desk"] |= {"warning": [time.monotonic() - 60.0, "long over"]}
    app = Dashboard(show.folder, "the last show was cut off")
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "Night Ferry")
        assert "long over" not in await shows(pilot, "the last show was cut off")


async def test_a_preset_is_recalled_from_the_list(show: MovingShow) -> None:
    async with dashboard(show) as (_, pilot):
        await pilot.press("o")
        assert "glass" in await shows(pilot, "PRESETS")
        assert await asked(pilot, show, "f", "r", "up", "enter") == [Change("preset", "glass", "", "key")]


@pytest.mark.parametrize("size", SIZES)
async def test_help_names_every_key_and_any_key_closes_it(show: MovingShow, size: tuple[int, int]) -> None:
    async with dashboard(show, size) as (_, pilot):
        await pilot.press("question_mark")
        seen = await shows(pilot, "any key closes this")
        assert "panic: the look the show began with" in seen
        assert "end the show (asks once more)" in seen
        await pilot.press("f")
        assert len(pilot.app.screen_stack) == 1
        assert show.changes == []


@pytest.mark.parametrize("over", ["question_mark", "o", "q"])
async def test_blackout_is_at_hand_whatever_lies_over_the_board(show: MovingShow, over: str) -> None:
    async with dashboard(show) as (app, pilot):
        await pilot.press(over, "q") if over == "q" else await pilot.press(over)
        assert len(app.screen_stack) == 2
        assert await asked(pilot, show, "k") == [Change("toggle", None, "blackout", "key")]


@pytest.mark.parametrize(("first", "burst"), [("question_mark", "xxx"), ("o", ["enter", "enter"]), ("o", "oo")])
async def test_a_burst_of_keys_over_an_overlay_closes_it_once(
    show: MovingShow, first: str, burst: str | list[str]
) -> None:
    async with dashboard(show) as (app, pilot):
        await pilot.press(first)
        await pilot.pause()
        assert len(app.screen_stack) == 2
        for key in burst:
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: len(app.screen_stack) == 1, "the board alone")
        await asked(pilot, show, "u")  # goes the way of the keys before it, so they are all done with
        assert app.is_running and len(app.screen_stack) == 1


async def test_the_show_ends_only_after_q_twice_and_yes(show: MovingShow) -> None:
    async with dashboard(show) as (app, pilot):
        await pilot.press("q")
        await shows(pilot, "q again within 2 s ends the show · d only closes this window")
        await pilot.press("q", "q", "q", "space", "n")
        await pilot.pause()
        assert len(app.screen_stack) == 1
        await pilot.press("q", "q")
        assert isinstance(app.screen, EndScreen)
        await pilot.press("y")
    assert app.return_value == "end"
    assert show.changes == []


async def test_q_twice_with_a_pause_between_does_not_ask(show: MovingShow) -> None:
    async with dashboard(show) as (app, pilot):
        await pilot.press("q")
        await pilot.pause(2.2)
        await pilot.press("q")
        assert len(app.screen_stack) == 1


@pytest.mark.parametrize("key", ["ctrl+c", "ctrl+q"])
async def test_habits_of_other_programs_close_nothing(show: MovingShow, key: str) -> None:
    async with dashboard(show) as (app, pilot):
        await pilot.press(key)
        await shows(pilot, "d only closes this window")
        await pilot.press("p", key)
        assert app.is_running


async def test_d_closes_the_window_and_nothing_else(show: MovingShow) -> None:
    async with dashboard(show) as (app, pilot):
        await pilot.press("d")
    assert app.return_value is None
    assert show.changes == []

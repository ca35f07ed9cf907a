"""The scene and the panels: what the pulses say, however little of it there is."""

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.parameters import PARAMETERS
from vj.changes import Change
from vj.dashboard.arrangement import PANES, arrangement, feed_lines, side_lines
from vj.dashboard.ink import ago, cut, padded, strip, text_of, wrapped
from vj.dashboard.inputs import log_lines
from vj.dashboard.keys import KEYS, hints
from vj.dashboard.lettering import ROWS, lettered
from vj.dashboard.panels import lyric_lines, top_lines
from vj.dashboard.parameters import NAMES, nudge, parameter_lines, shown, step_of
from vj.dashboard.pulses import Pulse, pulse_from
from vj.dashboard.scene import Scene, scene_of
from vj.dashboard.states import badges, picture_word
from vj.runtime import Plan

NOW = 1000.0
PARTS = ("desk", "engine", "program", "keeper", "sink-0", "sink-1")


def scene(plan: Plan | None = None, ages: dict[str, float] | None = None, **pulses: dict) -> Scene:
    """A scene in which every part answers, but those with an age in `ages`."""
    said = {part: {"at": NOW - (ages or {}).get(part, 0.1)} for part in PARTS}
    said["program"] |= {"painted": True, "holding": False, "fps": 30.0}
    said["engine"] |= {"state": "painting", "fps": 14.0}
    for part, facts in pulses.items():
        said[part] |= facts
    return scene_of({part: Pulse(facts) for part, facts in said.items()}, plan or Plan(), NOW)


def words(found: Scene) -> list[str]:
    return [badge.word for badge in badges(found)]


def everything(found: Scene, width: int, height: int) -> list[str]:
    """Every line that any panel draws of a scene."""
    room = (width, height)
    lines = [
        *top_lines(found, "21:15", width),
        *lyric_lines(found, width, height),
        *side_lines(found, 1, False, room),
        *side_lines(found, 8, True, room),
        *(line for pane in (*PANES, "") for line in feed_lines(found, 2, pane, room)),
        *parameter_lines(found, 20, width, height),
    ]
    assert all(strip(line, width).cell_length == width for line in lines)
    return [text_of(line) for line in lines]


def test_what_the_guides_weigh_in_memory_is_told() -> None:
    guides = [{"name": "a", "memory_mb": 300}, {"name": "b", "memory_mb": 312}, "nonsense", {"memory_mb": "much"}]
    found = everything(scene(engine={"guide": "a + b", "device": "cpu", "guides": guides}), 120, 40)
    assert any("a + b · cpu · 612 MB" in text for text in found)


def test_a_show_that_runs_is_live() -> None:
    assert words(scene(desk={"cue": {"state": "running", "count": 3}})) == ["LIVE"]


@pytest.mark.parametrize(
    ("pulses", "word"),
    [
        ({"desk": {"look": {"blackout": True}}}, "BLACKOUT"),
        ({"desk": {"look": {"freeze": True}}}, "FROZEN"),
        ({"program": {"painted": False}}, "STANDBY"),
        ({"program": {"holding": True}}, "HOLDING (engine slow)"),
        ({"program": {"holding": True}, "engine": {"state": "loading"}}, "HOLDING (engine loading)"),
        ({"engine": {"state": "loading"}}, "ENGINE LOADING"),
        ({"engine": {"gpu_unused": "a GPU is here: do this"}}, "GPU UNUSED"),
        ({"desk": {"cue": {"state": "waiting", "count": 3}}}, "WAITING FOR GO"),
        ({"desk": {"cue": {"state": "paused", "count": 3}}}, "CUES PAUSED"),
        ({"sink-0": {"state": "failed", "error": "gone"}}, "SINK BROWSER"),
    ],
)
def test_each_state_that_matters_has_a_word(pulses: dict, word: str) -> None:
    assert words(scene(**pulses)) == [word]


def test_a_show_that_will_start_by_itself_does_not_ask_for_go() -> None:
    loading = {"program": {"painted": False}, "desk": {"cue": {"state": "waiting", "count": 3}}}
    assert "WAITING FOR GO" not in words(scene(**loading))
    assert "WAITING FOR GO" in words(scene(Plan(wait=True), **loading))


def test_a_stale_part_is_called_silent_and_its_numbers_are_not_shown() -> None:
    found = scene(ages={"engine": 7.5, "desk": 4.0}, engine={"fps": 14.4, "governor": "2 of 4 steps"})
    assert words(found) == ["DESK NOT ANSWERING", "HOLDING (engine silent)"]
    assert found.engine.silence == "engine not answering for 7 s"
    drawn = "\n".join(everything(found, 120, 20))
    assert "14.4" not in drawn
    assert "2 of 4 steps" not in drawn
    assert "desk not answering for 4 s" in drawn


def test_an_engine_whose_frames_take_long_is_slow_and_not_silent() -> None:
    found = scene(ages={"engine": 7.5}, engine={"frame_ms": 4000.0, "fps": 0.2}, program={"holding": True})
    assert words(found) == ["HOLDING (engine slow)"]


def test_a_governor_that_is_switched_off_is_not_said_to_rest() -> None:
    engine = {"steps": 10, "crops": 4, "governor": ""}
    for is_on, said in ((True, "at rest: 10 steps, 4 crops"), (False, "off: 10 steps, 4 crops")):
        assert said in "\n".join(everything(scene(engine=engine, desk={"look": {"governor": is_on}}), 120, 20))


def test_the_log_says_what_was_started_again_and_why() -> None:
    found = scene(keeper={"parts": {"engine": {"state": "running", "restarts": 2, "reason": "ended with signal 9"}}})
    assert found.faults == ("engine restarted 2×: ended with signal 9",)
    assert "▲ engine restarted 2×: ended with signal 9" in everything(found, 120, 20)


def test_old_faults_leave_room_for_what_was_just_said() -> None:
    parts = {f"sink-{n}": {"state": "running", "restarts": 1, "reason": "ended with signal 9"} for n in range(9)}
    found = scene(keeper={"parts": parts}, desk={"log": [f"line {n}" for n in range(9)]})
    shown = ["".join(text for text, _ in row) for row in log_lines(found, 60, 10)]
    assert shown[-5:] == [f"line {n}" for n in range(4, 9)] and shown[1].startswith("▲")


def test_a_part_that_is_still_starting_is_not_called_dead() -> None:
    assert words(scene(ages={"engine": 20.0}, engine={"state": "loading"}, program={"painted": False})) == [
        "STANDBY",
        "ENGINE LOADING",
    ]
    assert "ENGINE NOT ANSWERING" in words(
        scene(ages={"engine": 90.0}, engine={"state": "loading"}, program={"painted": False})
    )


def test_a_show_without_cues_says_how_a_line_gets_there() -> None:
    assert "no line yet: press p and type a prompt" in "\n".join(everything(scene(desk={"cue": {"count": 0}}), 120, 20))


def test_a_part_that_never_spoke_is_not_there_yet() -> None:
    found = scene_of({}, None, NOW)
    assert {"PROGRAM NOT THERE YET", "DESK NOT THERE YET", "ENGINE NOT THERE YET"} <= set(words(found))
    assert picture_word(found) == "PROGRAM NOT THERE YET"


def test_the_keeper_says_why_a_part_is_gone() -> None:
    found = scene(ages={"engine": 9.0}, keeper={"parts": {"engine": {"state": "restarting", "reason": "killed"}}})
    assert found.engine.silence == "engine not answering for 9 s (restarting: killed)"
    assert words(scene(keeper={"parts": {"desk": {"state": "restarting"}}})) == ["DESK RESTARTING"]


def test_the_look_in_force_wins_over_what_the_desk_last_said() -> None:
    pulses = {
        "desk": Pulse({"at": NOW, "look": {"temperature": 10.0}}),
        "look": Pulse({"values": {"temperature": 80.0}, "line": "glass"}),
    }
    found = scene_of(pulses, Plan(), NOW)
    assert found.number("temperature") == 80.0
    assert found.line == "glass"


def test_rows_say_what_moved_them_and_how_long_ago() -> None:
    found = scene(desk={"look": {"temperature": 55.0}, "moved": {"temperature": ["midi cc 16", NOW - 12.0]}})
    row = next(text for text in everything(found, 120, 60) if "temperature " in text and "midi" in text)
    assert "55.0" in row
    assert "midi cc 16 12 s" in row


def test_the_row_of_the_cursor_is_always_on_the_list() -> None:
    found = scene(desk={"look": {name: row.default for name, row in PARAMETERS.items()}})
    for (cursor, name), size in itertools.product(enumerate(NAMES), ((50, 7), (66, 13), (133, 20))):
        lines = [text_of(line) for line in parameter_lines(found, cursor, *size)]
        assert any(f"› {name}" in line for line in lines), (name, size)
        assert len(lines) <= size[1]


def test_a_sink_shows_its_address_or_what_is_wrong_with_it() -> None:
    plan = Plan(sinks=("browser", "camera:/dev/video3"))
    found = scene(
        plan,
        **{
            "sink-0": {"state": "ok", "fps": 29.9, "url": "http://127.0.0.1:8080/"},
            "sink-1": {"state": "failed", "error": "camera: none found"},
        },
    )
    drawn = "\n".join(text_of(line) for line in side_lines(found, 1, True, (36, 12)))
    assert "browser ok 127.0.0.1:8080" in drawn
    assert "camera  FAILED camera: none fo" in drawn


def test_a_gpu_left_unused_is_said_in_red_with_what_mends_it() -> None:
    found = scene(engine={"gpu_unused": "a GPU is here but unused: run this command"})
    lines = side_lines(found, 1, True, (36, 12))
    assert lines[0][0] == ("a GPU is here but unused: run this", "bad")
    assert any("SINKS" in text_of(line) for line in lines)


def test_texts_from_outside_cannot_steer_the_terminal() -> None:
    found = scene(desk={"line": "a\x1b[2Jb\x07", "song": "x\u202ey", "monitor": ["\x9b31m"]})
    assert not any(
        ord(letter) < 32 or 127 <= ord(letter) < 160 for text in everything(found, 80, 30) for letter in text
    )
    assert found.song == "xy"


def test_broken_pulses_read_as_nothing() -> None:
    assert pulse_from("{no json") == Pulse()
    assert pulse_from("[1]") == Pulse()
    assert pulse_from(None).is_live(NOW) is False


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=6,
)
known = st.sampled_from(
    ["look", "line", "moved", "cue", "song", "songs", "presets", "inputs", "monitor", "log", "faults", "undo", "fps",
     "canvas", "state", "governor", "notes", "gpu_unused", "parts", "url", "error", "painted", "holding", "values",
     "memory_mb"]
)  # fmt: skip
facts = st.dictionaries(known, values | st.dictionaries(st.sampled_from([*NAMES, "osc", "engine"]), values, max_size=4))


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from([*PARTS, "look"]), facts), st.integers(1, 210), st.integers(1, 60))
def test_no_pulse_whatever_it_says_stops_the_dashboard(said: dict, width: int, height: int) -> None:
    texts = {part: json.dumps({"at": NOW, **pulse}) for part, pulse in said.items()}
    found = scene_of({part: pulse_from(text) for part, text in texts.items()}, Plan(), NOW)
    everything(found, width, height)


def test_arrow_keys_ask_for_what_fits_the_kind_of_parameter() -> None:
    assert step_of(PARAMETERS["temperature"]) == 1.0
    assert nudge(PARAMETERS["temperature"], 35.0, -1, True) == Change("nudge", -10.0, "temperature", "key")
    assert nudge(PARAMETERS["steps"], 2, 1, False) == Change("nudge", 1.0, "steps", "key")
    assert nudge(PARAMETERS["freeze"], False, 1, False) == Change("set", True, "freeze", "key")
    assert nudge(PARAMETERS["denoiser"], "edges", 1, False) == Change("set", "none", "denoiser", "key")
    assert nudge(PARAMETERS["reroll"], 3, 1, False) == Change("fire", None, "reroll", "key")
    assert nudge(PARAMETERS["reroll"], 3, -1, False) is None


@pytest.mark.parametrize("row", PARAMETERS.values(), ids=lambda row: row.name)
def test_every_parameter_can_be_shown_and_moved(row) -> None:
    assert shown(row, row.default) or row.kind == "text"
    change = nudge(row, row.default, 1, False)
    assert (change is None) == (row.kind == "text")
    if change is not None:
        assert Change.from_json(change.to_json()) == change


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (200, 60), (80, 60), (250, 30), (40, 12)])
def test_the_arrangement_fits_the_screen_and_keeps_the_picture_in_shape(width: int, height: int) -> None:
    sizes = arrangement(width, height, 16 / 9)
    assert sizes.picture_columns + 1 < width
    assert sizes.parameter_columns < width
    if height >= 24:
        assert 2 + sizes.stage_rows + sizes.lyric_rows + 7 <= height
        assert abs(sizes.picture_columns / (2 * sizes.stage_rows) - 16 / 9) < 0.15


def test_large_letters_fall_back_to_bold_when_they_cannot_be_drawn() -> None:
    assert len(lettered("the sea turns to glass", 190)) == ROWS
    assert lettered("海がガラスになる", 190) == ()
    assert lettered("a very long line " * 8, 190) == ()


def test_texts_are_cut_by_cells_not_letters() -> None:
    assert cut("海がガラスになる", 7) == "海がガ…"
    assert padded("ab", 4) == "ab  "
    assert wrapped("one two three four", 9, 2) == ["one two", "three fo…"]
    assert [ago(s) for s in (None, 0.2, 12.7, 75.0, 7300.0)] == ["", "now", "12 s", "1 min", "2 h"]


def test_no_key_is_bound_twice_and_the_narrowest_foot_still_leads_to_help() -> None:
    names = [name for key in KEYS for name in key.names.split(",")]
    assert len(names) == len(set(names))
    assert ("?", "keys") in hints(78)
    assert ("p", "prompt") in hints(78)


def test_the_song_and_its_place_are_on_top_and_the_beat_when_it_is_on() -> None:
    desk = {"song": "Paper Moon", "songs": {"index": 2, "count": 5}, "preset": "glass"}
    found = scene(desk=desk)
    assert "song 2/5 Paper Moon" in text_of(top_lines(found, "21:15", 120)[0])
    assert "song 2/5 Paper" in text_of(top_lines(found, "21:15", 80)[0])
    assert "bpm" not in text_of(top_lines(found, "21:15", 120)[0])
    beaten = scene(desk={**desk, "look": {"beat": True, "tempo": 127.6}})
    assert "beat 128 bpm" in text_of(top_lines(beaten, "21:15", 120)[0])
    assert "song" not in text_of(top_lines(scene(desk={"song": "Alone"}), "21:15", 120)[0])

"""Cue lists in TOML: what is read, every problem at once with its line, and how a fade moves the line."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vj.cues import CueList, read_cues
from vj.cues.cue import Cue
from vj.cues.position import moment
from vj.errors import FileProblems

SONG = """title = "Ferry"
[[cue]]
at = 0
prompt = "a red lighthouse"
label = "A"
[[cue]]
at = 4.5
prompt = "a blue sea"
fade_s = 2.0
parameters = { temperature = 55.0, freeze = false, prompt_1 = "fog" }
[[cue]]
at = 9
prompt = ""
[cue.parameters]
zoom = 0.1
"""


def read(folder: Path, text: str) -> CueList:
    path = folder / "song.toml"
    path.write_text(text, encoding="utf-8")
    return read_cues(path)


def refused(folder: Path, text: str) -> list[str]:
    with pytest.raises(FileProblems) as caught:
        read(folder, text)
    return [f"{problem.line}: {problem.what}" for problem in caught.value.problems]


def test_everything_a_cue_can_say_is_read(tmp_path: Path) -> None:
    song = read(tmp_path, SONG.replace("zoom = 0.1", "contrast = 1.5"))
    assert song.title == "Ferry" and song.warnings == ()
    assert song.cues == (
        Cue(0.0, "a red lighthouse", 2, "A"),
        Cue(4.5, "a blue sea", 6, "", 2.0, {"temperature": 55.0, "freeze": False, "prompt_1": "fog"}),
        Cue(9.0, "", 11, "", None, {"contrast": 1.5}),
    )


def test_a_list_without_a_title_is_called_as_its_file(tmp_path: Path) -> None:
    assert read(tmp_path, '[[cue]]\nat = 1\nprompt = "a rose"\n').title == "song"


def test_every_problem_is_named_at_once_with_its_line_and_what_would_be_right(tmp_path: Path) -> None:
    text = """titel = "x"
[[cue]]
at = -1.0
promt = "a rose"
[[cue]]
at = 5.0
prompt = "a rose"
label = "A"
fade_s = "long"
[[cue]]
at = 3.0
prompt = 7
label = "a"
parameters = { temprature = 55.0, steps = 0 }
[[cue]]
prompt = "a sea"
fade_s = 99
[cue.parameters]
kick = 1
contrast = true
"""
    assert refused(tmp_path, text) == [
        "1: unknown key 'titel'; did you mean 'title'?",
        '2: a cue needs a prompt; prompt = "" holds the words before',
        "3: at must be a number of seconds from 0 to 86400, not -1.0",
        "4: unknown key 'promt'; did you mean 'prompt'?",
        "9: fade_s must be a number of seconds from 0 to 60, not 'long'",
        "11: at = 3 is not later than 5 on line 6; write the cues in the order of time",
        "12: prompt must be a text, not 7",
        "13: label 'a' is taken by the cue on line 8",
        "14: no parameter called 'temprature'; did you mean 'temperature'?",
        "14: steps must be a whole number from 1 to 50, not 0",
        "15: a cue needs at, the time it begins at in seconds",
        "17: fade_s must be a number of seconds from 0 to 60, not 99",
        "19: kick is fired live and cannot stand in a file",
        "20: contrast takes a number, not True",
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "1: no cue is given"),
        ("cue = 3\n", "1: no cue is given"),
        ("cue = []\n", "1: no cue is given"),
        ('[[cue]]\nat = 1\nprompt = ""\n', "3: no cue has any words"),
        ('[[cue]]\nat = nan\nprompt = "x"\n', "2: at must be a number of seconds"),
        ('[[cue]]\nat = true\nprompt = "x"\n', "2: at must be a number of seconds"),
        ('[[cue]]\nat = 1\nprompt = "x"\nlabel = ""\n', "4: label must be a text"),
        ('[[cue]]\nat = 1\nprompt = "x"\nparameters = 3\n', "4: parameters must be a table"),
        (f'[[cue]]\nat = 1\nprompt = "{"x" * 513}"\n', "3: prompt has 513 letters"),
        ('[[cue]]\nat = 1\nprompt = "x"\n[[cue]]\nat = 1\nprompt = "y"\n', "5: at = 1 is not later than 1 on line 2"),
        ('cue = [{at = 1, prompt = "x", label = "A"}, {at = 2, prompt = "y", label = "A"}]', "1: label 'A' is taken"),
        ("[[cue]\n", "1: not TOML"),
    ],
)
def test_what_is_no_cue_list_is_one_problem(tmp_path: Path, text: str, what: str) -> None:
    (found,) = refused(tmp_path, text)
    assert found.startswith(what)


def test_a_fade_longer_than_its_line_is_cut_with_a_warning(tmp_path: Path) -> None:
    song = read(tmp_path, '[[cue]]\nat=0\nprompt="a"\nfade_s=9\n[[cue]]\nat=4\nprompt="b"\nfade_s=60\n')
    assert [str(warning.what) for warning in song.warnings] == [
        "fade_s = 9 is cut short: the next cue begins 4 s later"
    ]


_VALUES = st.none() | st.booleans() | st.integers(-3, 90) | st.floats() | st.text(max_size=4) | st.just("temperature")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return '"' + "".join(c for c in value if c.isalnum()) + '"' if isinstance(value, str) else repr(value or 0)


@given(st.lists(st.dictionaries(st.sampled_from(["at", "prompt", "label", "fade_s", "parameters", "x"]), _VALUES)))
def test_any_table_gives_cues_or_problems(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]) -> None:
    blocks = ["[[cue]]\n" + "\n".join(f"{key} = {_toml(value)}" for key, value in row.items()) for row in rows]
    try:
        song = read(tmp_path_factory.getbasetemp(), "\n".join(blocks))
    except FileProblems as refused:
        assert refused.problems
    else:
        times = [cue.at_s for cue in song.cues]
        assert times == sorted(set(times)) and times[0] >= 0


FADED = CueList("s", (Cue(0.0, "a"), Cue(10.0, "b", fade_s=4.0), Cue(20.0, "c"), Cue(30.0, "d", fade_s=99.0),
                      Cue(40.0, "e", fade_s=0.0)))  # fmt: skip


@pytest.mark.parametrize(
    ("t_s", "line", "next_line", "blend"),
    [
        (0.0, "a", "b", 0.0),
        (9.9, "a", "b", 0.0),  # holds; the next one is on standby
        (10.0, "a", "b", 0.0),
        (11.0, "a", "b", 0.25),
        (13.0, "a", "b", 0.75),
        (14.0, "b", "c", 0.0),
        (17.0, "b", "c", 0.5),  # c has no fade: b blends into it over what is left of its line
        (25.0, "c", "d", 0.0),
        (35.0, "c", "d", 0.5),  # cut short by the next cue
        (40.0, "e", "", 0.0),  # a fade of 0 cuts
    ],
)
def test_the_line_before_a_fade_holds_and_then_crosses_over(
    t_s: float, line: str, next_line: str, blend: float
) -> None:
    found = moment(FADED, t_s)
    assert (found.line, found.next_line, found.blend) == (line, next_line, pytest.approx(blend))


@given(st.floats(0.0, 60.0))
def test_the_words_move_without_a_jump(t_s: float) -> None:
    def pull(at_s: float, word: str) -> float:
        found = moment(FADED, at_s)
        return (found.line == word) * (1 - found.blend) + (found.next_line == word) * found.blend

    for word in "abcd":
        if not t_s <= 40.0 <= t_s + 0.01:  # where the file asks for a cut
            assert abs(pull(t_s + 0.01, word) - pull(t_s, word)) < 0.011

"""Show files: everything they can say, and every problem of them and of the files they name at once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vj.__main__ import main
from vj.changes import BANK_PLACES
from vj.commands import play
from vj.errors import FileProblems, UsageError
from vj.runtime import PlannedSong
from vj.show_file import is_show, read_show

WHOLE = """title = "Friday"
mappings = ["nanokontrol2", "mine.toml"]
sinks = ["browser:8123", "frames:pictures"]
bank = ["a red rose", "", "a blue sea"]

[[song]]
title = "Night Ferry"
cues = "lyrics/ferry.lrc"
preset = "glass.toml"

[[song]]
title = "Paper Moon"
cues = "paper-moon"
"""


@pytest.fixture
def folder(home: Path) -> Path:
    (home / "lyrics").mkdir()
    (home / "lyrics" / "ferry.lrc").write_text("[00:01.00]a red rose\n")
    (home / "glass.toml").write_text("[parameters]\ntemperature = 30.0\n")
    (home / "mine.toml").write_text('[[control]]\ncc = 1\nparameter = "temperature"\n')
    return home


def write(folder: Path, text: str, name: str = "friday.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refused(path: Path) -> list[str]:
    with pytest.raises(FileProblems) as caught:
        read_show(path)
    return [str(problem).replace(f"{path.parent}/", "") for problem in caught.value.problems]


def test_everything_a_show_can_say_is_read_and_its_paths_begin_at_its_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    show = read_show(write(folder, WHOLE))
    assert show.title == "Friday" and show.sinks == ("browser:8123", "frames:pictures")
    assert show.bank == ("a red rose", "", "a blue sea")
    first, second = show.songs
    assert first == PlannedSong("Night Ferry", str(folder / "lyrics/ferry.lrc"), str(folder / "glass.toml"))
    assert second.cues.endswith("paper-moon.lrc") and second.preset == ""
    assert [Path(name).name for name in show.mappings] == ["nanokontrol2.toml", "mine.toml"]


def test_every_problem_of_the_show_and_of_every_file_it_names_is_listed_at_once(folder: Path) -> None:
    (folder / "lyrics" / "ferry.lrc").write_text("[00:99.00]a rose\n[1:2x]b\n")
    (folder / "glass.toml").write_text("[parameters]\ntemprature = 3\n")
    (folder / "mine.toml").write_text('[[control]]\ncc = 300\nparameter = "temperature"\n')
    text = WHOLE.replace('"browser:8123"', '"browsr"').replace('"paper-moon"', '"paper-mon"')
    text += '[[song]]\ntitel = "x"\ncues = "lyrics/ferry.lrc"\npreset = 4\n'
    assert refused(write(folder, "sogn = 1\n" + text)) == [
        "friday.toml:1: unknown key 'sogn'; did you mean 'song'?",
        "friday.toml:4: sink 'browsr': no sink called 'browsr'; did you mean 'browser'?",
        "friday.toml:14: no cue file called 'paper-mon'; did you mean 'paper-moon'?",
        "friday.toml:15: a song needs title",
        "friday.toml:16: unknown key 'titel'; did you mean 'title'?",
        "friday.toml:18: preset must be a text, not 4",
        "glass.toml:2: no parameter called 'temprature'; did you mean 'temperature'?",
        "lyrics/ferry.lrc:1: '[00:99.00]' has 99 seconds in its minute; write [01:39.00]",
        "lyrics/ferry.lrc:2: '[1:2x]' is no time stamp; write [mm:ss.xx], such as [01:02.50]",
        "mine.toml:2: cc must be a whole number from 0 to 127, not 300",
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('title = "x"\n', "friday.toml:1: no song is given"),
        ("song = 3\n", "friday.toml:1: no song is given"),
        ('mappings = "x"\n' + WHOLE.partition("\n\n")[2], "friday.toml:1: mappings must be a list of names"),
        ("sinks = [3]\n" + WHOLE.partition("\n\n")[2], "friday.toml:1: sinks must be a list of sinks"),
        ('bank = "x"\n' + WHOLE.partition("\n\n")[2], "friday.toml:1: bank must be a list of texts"),
        (f"bank = {['x'] * (BANK_PLACES + 1)}\n" + WHOLE.partition("\n\n")[2], "friday.toml:1: bank has 129 texts"),
        (f"bank = ['{'x' * 513}']\n" + WHOLE.partition("\n\n")[2], "friday.toml:1: text 1 of bank has 513 letters"),
        (WHOLE.replace("lyrics/ferry", "lyrics/fery"), "friday.toml:8: lyrics/fery.lrc: no such file"),
        (WHOLE.replace('"glass.toml"', '"lvie"'), "friday.toml:9: no preset called 'lvie'; did you mean 'live'?"),
        ("[[song]\n", "friday.toml:1: not TOML"),
    ],
)
def test_what_is_no_show_is_refused(folder: Path, text: str, what: str) -> None:
    (found,) = refused(write(folder, text))
    assert found.startswith(what)


def test_a_show_is_told_from_a_cue_list(folder: Path) -> None:
    assert is_show(write(folder, WHOLE)) and is_show(write(folder, "bank = []\n"))
    assert not is_show(write(folder, '[[cue]]\nat = 1\nprompt = "x"\n')) and not is_show(write(folder, "[["))
    assert not is_show(folder / "lyrics" / "ferry.lrc") and not is_show(folder / "gone.toml")


# On the command line


def test_check_says_what_is_in_a_show_and_what_is_wrong_with_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(write(folder, WHOLE))]) == 0
    out = capsys.readouterr().out
    assert "song 1 Night Ferry: 1 cues" in out and "Friday: 2 songs, 2 mappings, 2 stored prompts" in out
    bad = write(folder, WHOLE.replace("paper-moon", "x").replace("browser", "y"), "bad.toml")
    assert main(["check", str(bad), str(folder / "gone.toml"), str(write(folder, WHOLE))]) == 2
    out = capsys.readouterr().out
    assert "bad.toml:3: sink" in out and "bad.toml:13: no cue file" in out and "gone.toml: no such file" in out


def test_play_refuses_a_show_with_problems_before_anything_starts(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = write(folder, WHOLE.replace("paper-moon", "x"))
    assert main(["play", str(bad), "--headless", "--preset", "lvie"]) == 2
    err = capsys.readouterr().err
    assert "friday.toml:13: no cue file called 'x'" in err and "no preset called 'lvie'" in err
    assert list((folder / "run").iterdir()) == []


@pytest.fixture
def plan_of() -> Callable[..., tuple[object, list[str]]]:
    import argparse

    def make(*words: str) -> tuple[object, list[str]]:
        parser = argparse.ArgumentParser()
        play.add(parser)
        problems: list[str] = []
        return play.plan_of(parser.parse_args(words), problems), problems

    return make


def test_the_command_line_wins_over_the_show_file(
    folder: Path, plan_of: Callable[..., tuple[object, list[str]]]
) -> None:
    path = str(write(folder, WHOLE))
    plan, problems = plan_of(path)
    assert problems == [] and (plan.show, len(plan.songs), plan.cues) == ("friday", 2, "")  # type: ignore[attr-defined]
    assert plan.sinks == ("browser:8123", "frames:pictures") and len(plan.bank) == 3  # type: ignore[attr-defined]
    plan, _ = plan_of(path, "--sink", "camera", "--mapping", "generic")
    assert plan.sinks == ("camera",) and plan.mappings == ("generic",)  # type: ignore[attr-defined]
    plan, _ = plan_of("glass-garden")
    assert plan.cues.endswith("glass-garden.toml") and plan.songs == ()  # type: ignore[attr-defined]


def test_a_show_in_the_own_folder_is_found_by_its_name(
    folder: Path, plan_of: Callable[..., tuple[object, list[str]]]
) -> None:
    shows = folder / "config" / "vj" / "shows"
    shows.mkdir(parents=True)
    write(shows, '[[song]]\ntitle = "x"\ncues = "night-ferry"\n', "saturday.toml")
    plan, problems = plan_of("saturday")
    assert problems == [] and plan.show == "saturday"  # type: ignore[attr-defined]


def test_a_bank_with_problems_is_refused_before_the_show(folder: Path) -> None:
    from vj.checks import check_files
    from vj.runtime import Plan

    (folder / "config" / "vj").mkdir(parents=True)
    (folder / "config" / "vj" / "bank-friday.toml").write_text("[bank]\n500 = 'x'\n")
    check_files(Plan())
    with pytest.raises(UsageError, match=r"bank-friday\.toml:2: '500' is no place of the bank"):
        check_files(Plan(show="friday"))

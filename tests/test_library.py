"""The library: files by name or path, presets read and checked, every problem at once with its line."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.parameters import PARAMETERS, Look
from vj import library
from vj.errors import FileProblems, UsageError


def preset_file(folder: Path, text: str, name: str = "mine.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def problems(path: Path) -> list[tuple[int, str]]:
    with pytest.raises(FileProblems) as caught:
        library.read_preset(path)
    assert all(problem.path == path for problem in caught.value.problems)
    return [(problem.line, problem.what) for problem in caught.value.problems]


def test_a_preset_gives_its_values_in_their_own_types(tmp_path: Path) -> None:
    path = preset_file(
        tmp_path,
        '\ufefftitle = "Glass garden"\n[parameters]\ntemperature = 30\nsteps = 4.0\nfreeze = false\ncanvas = "pixels"\n'
        'prompt_1 = "  moss on\\n stone "\n',
    )
    preset = library.read_preset(path)
    assert (preset.name, preset.title) == ("mine", "Glass garden")
    assert preset.values == {
        "temperature": 30.0, "steps": 4, "freeze": False, "canvas": "pixels", "prompt_1": "moss on stone",
    }  # fmt: skip
    assert type(preset.values["temperature"]) is float and type(preset.values["steps"]) is int


def test_a_preset_without_a_title_is_called_like_its_file_and_may_be_empty(tmp_path: Path) -> None:
    preset = library.read_preset(preset_file(tmp_path, ""))
    assert preset.title == "mine" and preset.values == {}


def test_every_problem_of_a_preset_is_named_at_once_with_its_line(tmp_path: Path) -> None:
    path = preset_file(
        tmp_path,
        """\
titel = "Glass"
speed = 3

[parameters]
temprature = 30.0   # a slip
temperature = 300.0
steps = 2.5
canvas = "pixel"
freeze = 1
prompt_1 = 7
reroll = 1
noise = nan
"contrast" = inf
smoothness = true

[extra]
x = 1
""",
    )
    assert problems(path) == [
        (1, "unknown key 'titel'; did you mean 'title'?"),
        (2, "unknown key 'speed'; known are parameters, title"),
        (5, "no parameter called 'temprature'; did you mean 'temperature'?"),
        (6, "temperature must be a number from 0 to 100, not 300.0"),
        (7, "steps must be a whole number from 1 to 50, not 2.5"),
        (8, "canvas must be one of pyramid, pixels, fourier, not 'pixel'"),
        (9, "freeze is a switch and takes true or false, not 1"),
        (10, "prompt_1 takes a text, not 7"),
        (11, "reroll is fired live and cannot stand in a file"),
        (12, "noise takes a finite number, not nan"),
        (13, "contrast takes a finite number, not inf"),
        (14, "smoothness takes a number, not True"),
        (16, "unknown key 'extra'; known are parameters, title"),
    ]


def test_a_problem_says_file_and_line_as_editors_read_them(tmp_path: Path) -> None:
    path = preset_file(tmp_path, "[parameters]\nsteps = 0\n")
    with pytest.raises(FileProblems) as caught:
        library.read_preset(path)
    assert str(caught.value) == f"{path}:2: steps must be a whole number from 1 to 50, not 0"
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("title = \n", 1, "not TOML: Invalid value"),
        ('title = "x"\n[parameters]\nsteps = 1\nsteps = 2\n', 4, "not TOML: Cannot overwrite a value"),
        ("[parameters\n", 1, "not TOML:"),
        ("title = 5\n", 1, "title must be a text, not 5"),
        ("\nparameters = 5\n", 2, "parameters must be a table: [parameters]"),
        ("[parameters]\nsteps = 1" + "0" * 400 + "\n", 2, "steps takes a finite number, not a number so large"),
        ("[parameters]\nsteps = 1" + "0" * 5000 + "\n", 0, "cannot be read: a number in it has thousands of digits"),
        ("x = " + "[" * 100_000, 0, "cannot be read: its brackets stand too deep in each other"),
        ("parameters.steps = 99\n", 1, "steps must be a whole number from 1 to 50, not 99"),
        ("\nparameters = { steps = 99 }\n", 2, "steps must be a whole number from 1 to 50, not 99"),
    ],
    ids=range(10),
)
def test_what_is_no_preset_is_one_problem_in_one_line(tmp_path: Path, text: str, line: int, what: str) -> None:
    [(found_line, found_what)] = problems(preset_file(tmp_path, text))
    assert found_line == line and found_what.startswith(what)


@pytest.mark.parametrize(
    ("raw", "line", "what"),
    [
        (
            b'\xef\xbb\xbf# one\r\ntitle = "Stra\xdfe"\n',
            2,
            "a letter on this line is not UTF-8; save the file as UTF-8",
        ),
        (b'# one\r# two\rtitle = "\x98"', 3, "a letter on this line is not UTF-8; save the file as UTF-8"),
        ("title = 'x'\n".encode("utf-16"), 0, "this file is saved as UTF-16; save it as UTF-8"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 0, "this is no text file; give a TOML file, saved as UTF-8"),
    ],
)
def test_a_file_that_is_not_utf8_is_told_what_it_is(tmp_path: Path, raw: bytes, line: int, what: str) -> None:
    (tmp_path / "mine.toml").write_bytes(raw)
    assert problems(tmp_path / "mine.toml") == [(line, what)]


def test_a_folder_or_nothing_instead_of_a_file_is_a_problem_too(tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    for name in ("folder.toml", "absent.toml"):
        [(line, what)] = problems(tmp_path / name)
        assert line == 0 and what.startswith("cannot be read: ") and "Errno" not in what


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.binary(max_size=80) | st.text(alphabet="[]parmets=\n \"'.1{}#title_", max_size=80).map(str.encode))
def test_any_bytes_are_a_preset_or_problems(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "any.toml"
    path.write_bytes(raw)
    try:
        library.read_preset(path)
    except FileProblems as err:
        assert err.problems and str(path) in str(err)


@pytest.mark.parametrize("row", PARAMETERS.values(), ids=lambda row: row.name)
def test_every_default_may_stand_in_a_file_but_for_triggers(row: object) -> None:
    name, default = row.name, row.default  # type: ignore[attr-defined]
    assert bool(library.value_problem(name, default)) == (row.kind == "trigger")  # type: ignore[attr-defined]


# Look-up


def test_a_name_is_looked_up_in_the_users_own_folder_first(home: Path) -> None:
    shipped = library.find("mappings", "generic")
    own = preset_file(home / "config" / "vj" / "mappings", "", "generic.toml")
    assert library.find("mappings", "generic") == own != shipped
    assert library.paths("mappings")["nanokontrol2"].parent == shipped.parent


def test_an_unknown_name_is_refused_with_the_nearest_one(home: Path) -> None:
    preset_file(home / "config" / "vj" / "presets", "", "glass.toml")
    with pytest.raises(UsageError, match=r"^no preset called 'glas'; did you mean 'glass'\?$"):
        library.find("presets", "glas")
    for name in ("", ".", "glass toml"):
        with pytest.raises(UsageError, match="no preset called"):
            library.find("presets", name)


@pytest.mark.parametrize("name", ["nowhere/glass", "glass.toml", "~nobody-here/x.toml", "a\0/b", "C:\\songs\\x"])
def test_a_path_that_is_not_there_is_refused(home: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no such file"):
        library.find("presets", name)


@pytest.mark.parametrize("name", ["./", "/", "folder.toml"])
def test_a_folder_is_not_said_to_be_missing(home: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "folder.toml").mkdir()
    monkeypatch.chdir(home)
    with pytest.raises(UsageError, match=r"this is a folder; name a file in it$"):
        library.find("shows", name)


def test_a_path_is_taken_as_it_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = preset_file(home, "")
    monkeypatch.chdir(home)
    assert library.find("presets", "mine.toml").samefile(path)
    assert library.find("presets", "./mine.toml").samefile(path)


def test_every_shipped_preset_reads_and_fits_a_look(home: Path) -> None:
    found = library.paths("presets")
    assert {"live", "paper", "paper-slow"} <= set(found)
    for path in found.values():
        Look().with_values(library.read_preset(path).values)

"""Lyric files: what is read, what is skipped with a warning, what is refused, and where a song is at a time."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vj.cues import CueList, read_cues
from vj.cues.cue import Cue
from vj.cues.position import LAST_CUE_S, CueMoment, moment
from vj.errors import FileProblems

CUES = Path(__file__).parents[1] / "cues"


def _write(folder: Path, content: str | bytes, name: str = "song.lrc") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _pairs(cues: CueList) -> list[tuple[float, str]]:
    return [(cue.at_s, cue.text) for cue in cues.cues]


def _refused(path: Path) -> list[str]:
    with pytest.raises(FileProblems) as caught:
        read_cues(path)
    return [str(problem).replace(str(path), path.name) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("stamp", "at_s"),
    [
        ("[00:12]", 12.0),
        ("[00:12.3]", 12.3),
        ("[00:12.34]", 12.34),
        ("[00:12.345]", 12.345),
        ("[00:12:34]", 12.34),
        ("[1:07.899]", 67.899),
        ("[100:00.00]", 6000.0),
        ("  [ 00:12.00 ]", 12.0),
    ],
)
def test_every_form_of_stamp_is_a_time(tmp_path: Path, stamp: str, at_s: float) -> None:
    assert _pairs(read_cues(_write(tmp_path, f"{stamp}a rose"))) == [(at_s, "a rose")]


def test_several_stamps_repeat_the_line_in_order_of_time(tmp_path: Path) -> None:
    cues = read_cues(_write(tmp_path, "[00:21.10][00:45.10] chorus\n[00:30.00]verse\n"))
    assert _pairs(cues) == [(21.1, "chorus"), (30.0, "verse"), (45.1, "chorus")]


@pytest.mark.parametrize(
    ("offset", "at_s"), [("500", 9.5), ("+500", 9.5), (" -3000", 13.0), ("- 3000", 13.0), ("", 10.0)]
)
def test_a_positive_offset_is_earlier(tmp_path: Path, offset: str, at_s: float) -> None:
    assert _pairs(read_cues(_write(tmp_path, f"[00:10.00]a rose\n[offset:{offset}]"))) == [(at_s, "a rose")]


def test_an_offset_never_reaches_before_the_start_and_the_last_cue_there_wins(tmp_path: Path) -> None:
    cues = read_cues(_write(tmp_path, "[offset:5000]\n[00:04.00]late\n[00:01.00]early\n[00:10.00]end"))
    assert _pairs(cues) == [(0.0, "late"), (5.0, "end")]


def test_the_title_comes_from_its_tag_or_from_the_file(tmp_path: Path) -> None:
    assert read_cues(_write(tmp_path, "[ti: Glass  Garden ]\n[00:01]a rose")).title == "Glass Garden"
    assert read_cues(_write(tmp_path, "[00:01]a rose", "my-song.LRC")).title == "my-song"


def test_known_tags_are_no_warning_and_unknown_ones_are(tmp_path: Path) -> None:
    tags = "[ar:a][al:]\n[al:b]\n[au:c]\n[by:d]\n[re:e]\n[ve:1]\n[length: 03:10]\n[#:a note]\n"
    cues = read_cues(_write(tmp_path, f"{tags}[chorus: all]\n[00:01]a rose"))
    assert [(problem.line, problem.what) for problem in cues.warnings] == [
        (9, "skipped, no tag called 'chorus' is known: '[chorus: all]'")
    ]


def test_word_stamps_are_not_sung(tmp_path: Path) -> None:
    cues = read_cues(_write(tmp_path, "[00:12.00] <00:12.04> a <00:12.80>red<00:13.1> [00:13.20]rose <00:14>"))
    assert _pairs(cues) == [(12.0, "a red rose")]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8-sig", b""),
        ("utf-16", b""),
        ("utf-16-le", b""),
        ("utf-16-be", b""),
        ("utf-16-be", b"\xfe\xff"),
        ("cp1252", b""),
    ],
)
def test_old_encodings_and_line_ends_are_read(tmp_path: Path, encoding: str, mark: bytes, ends: str) -> None:
    text = ends.join(["[ti:Señora]", "[00:01.00]una canción – “été”", "", "[00:02.00]mañana", ""])
    cues = read_cues(_write(tmp_path, mark + text.encode(encoding)))
    assert cues.title == "Señora"
    assert _pairs(cues) == [(1.0, "una canción – “été”"), (2.0, "mañana")]
    assert [cue.line for cue in cues.cues] == [2, 4]
    assert bool(cues.warnings) == (encoding == "cp1252")


def test_words_are_cleaned_and_cut(tmp_path: Path) -> None:
    cues = read_cues(_write(tmp_path, "[00:01]  a\tred \x1b[31m\x00 rose\n[00:02]" + "la " * 300))
    assert cues.cues[0].text == "a red [31m rose"
    assert len(cues.cues[1].text) == 512
    assert [str(w.what) for w in cues.warnings] == ["cut to 512 letters, it has 899"]


def test_a_line_without_a_stamp_is_skipped_with_a_warning(tmp_path: Path) -> None:
    cues = read_cues(_write(tmp_path, "hello\n\n   \n[00:01]a rose\n[2x] again\n# note\n"))
    assert _pairs(cues) == [(1.0, "a rose")]
    assert [(w.line, w.what) for w in cues.warnings] == [
        (1, "skipped, it has no time stamp: 'hello'"),
        (5, "skipped, it has no time stamp: '[2x] again'"),
        (6, "skipped, it has no time stamp: '# note'"),
    ]


def test_two_lines_at_one_time_show_the_last_and_warn(tmp_path: Path) -> None:
    cues = read_cues(_write(tmp_path, "[00:05]first\n[00:05.00]second\n[00:07]x\n[00:07]x"))
    assert _pairs(cues) == [(5.0, "second"), (7.0, "x")]
    assert [(w.line, w.what) for w in cues.warnings] == [(1, "not shown, line 2 has the same time: 'first'")]


def test_every_broken_stamp_is_named_at_once_with_what_would_be_right(tmp_path: Path) -> None:
    path = _write(
        tmp_path,
        "[00:01.00]fine\n[00:75.00]long\n[1:2x]odd\n[00:10.00][00:90]twice\n[-00:05.00]before\n"
        "[00:12.00 no end\n[offset:soon]\n",
    )
    assert _refused(path) == [
        "song.lrc:2: '[00:75.00]' has 75 seconds in its minute; write [01:15.00]",
        "song.lrc:3: '[1:2x]' is no time stamp; write [mm:ss.xx], such as [01:02.50]",
        "song.lrc:4: '[00:90]' has 90 seconds in its minute; write [01:30]",
        "song.lrc:5: '[-00:05.00]' is no time stamp; write [mm:ss.xx], such as [01:02.50]",
        "song.lrc:6: '[00:12.00 no end' is no time stamp; write [mm:ss.xx], such as [01:02.50]",
        "song.lrc:7: offset 'soon' is no whole number of milliseconds; write [offset:+500]",
    ]


def test_what_would_be_skipped_is_named_beside_what_is_broken(tmp_path: Path) -> None:
    text = "no stamp\n[00:01.00]a rose\n[00:65.00]a sea\n[tone: blue]\n[00:01.00]a lily\n"
    assert _refused(_write(tmp_path, text)) == [
        "song.lrc:1: skipped, it has no time stamp: 'no stamp'",
        "song.lrc:2: not shown, line 5 has the same time: 'a rose'",
        "song.lrc:3: '[00:65.00]' has 65 seconds in its minute; write [01:05.00]",
        "song.lrc:4: skipped, no tag called 'tone' is known: '[tone: blue]'",
    ]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"just words\n", b"[00:01.00]\n[00:02.00]  \n", bytes(range(256))])
def test_a_file_without_one_valid_cue_is_refused(tmp_path: Path, content: bytes) -> None:
    assert "no line has both a time stamp and words" in _refused(_write(tmp_path, content))[-1]


def test_files_that_are_missing_too_large_or_of_another_kind_are_refused(tmp_path: Path) -> None:
    assert _refused(tmp_path / "gone.lrc") == ["gone.lrc: cannot be read: No such file or directory"]
    assert "are too many for a lyric file" in _refused(_write(tmp_path, b"[00:01]a\n" * 200_000))[0]
    assert _refused(_write(tmp_path, "x", "song.xyz")) == [
        "song.xyz: no cue files are read from '.xyz'; known are .lrc, .toml"
    ]


@given(st.binary(max_size=400) | st.text(alphabet="[]<>:.0123456789 \n\rax-+", max_size=200).map(str.encode))
def test_any_bytes_give_cues_or_problems(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.lrc"
    path.write_bytes(content)
    try:
        cues = read_cues(path).cues
    except FileProblems as refused:
        assert refused.problems
    else:
        times = [cue.at_s for cue in cues]
        assert times == sorted(set(times))
        assert times[0] >= 0.0
        assert all(len(cue.text) <= 512 for cue in cues)


SONG = CueList("s", (Cue(2.0, "a"), Cue(6.0, "b"), Cue(8.0, ""), Cue(10.0, "c"), Cue(20.0, "d")))


@pytest.mark.parametrize(
    ("t_s", "expected"),
    [
        (-5.0, CueMoment(0, "", "a", "", 0.0, 0.0, "a", False)),
        (0.0, CueMoment(0, "", "a", "", 0.0, 0.0, "a", False)),
        (1.0, CueMoment(0, "", "a", "", 0.0, 0.5, "a", False)),
        (2.0, CueMoment(1, "a", "a", "b", 0.0, 0.0, "b", False)),
        (3.0, CueMoment(1, "a", "a", "b", 0.25, 0.25, "b", False)),
        (5.5, CueMoment(1, "a", "a", "b", 0.875, 0.875, "b", False)),
        (7.0, CueMoment(2, "b", "b", "", 0.0, 0.5, "", False)),  # an empty cue follows: no blend
        (9.0, CueMoment(3, "", "b", "", 0.0, 0.5, "c", False)),  # the empty cue holds b
        (10.0, CueMoment(4, "c", "c", "d", 0.0, 0.0, "d", False)),
        (20.0, CueMoment(5, "d", "d", "", 0.0, 0.0, "", False)),
        (20.0 + LAST_CUE_S / 2, CueMoment(5, "d", "d", "", 0.0, 0.5, "", False)),
        (20.0 + LAST_CUE_S, CueMoment(5, "d", "d", "", 0.0, 1.0, "", True)),
        (9999.0, CueMoment(5, "d", "d", "", 0.0, 1.0, "", True)),
    ],
)
def test_prompts_blend_over_the_cue_and_empty_lines_hold(t_s: float, expected: CueMoment) -> None:
    assert moment(SONG, t_s) == expected


@pytest.mark.parametrize(("length_s", "crossing_s"), [(2.0, 0.7), (5.0, 1.75), (10.0, 2.0), (60.0, 2.0)])
def test_a_line_that_holds_crosses_over_at_its_end(length_s: float, crossing_s: float) -> None:
    cues = CueList("s", (Cue(1.0, "a"), Cue(1.0 + length_s, "b")))
    begins = 1.0 + length_s - crossing_s
    assert moment(cues, begins - 0.01, shape="hold").blend == 0.0
    assert moment(cues, begins + crossing_s / 4, shape="hold").blend == pytest.approx(0.25)
    assert moment(cues, 1.0 + length_s, shape="hold").line == "b"


def test_an_empty_first_cue_pulls_toward_the_first_words_to_come() -> None:
    cues = CueList("s", (Cue(0.0, ""), Cue(4.0, "a")))
    assert moment(cues, 1.0) == CueMoment(1, "", "a", "", 0.0, 0.25, "a", False)
    assert moment(CueList("s", ()), 1.0) == CueMoment(0, "", "", "", 0.0, 0.0, "", True)


@pytest.mark.parametrize("path", sorted(path for path in CUES.iterdir() if path.is_file()), ids=lambda path: path.stem)
def test_the_demo_songs_read_without_a_warning(path: Path) -> None:
    cues = read_cues(path)
    assert cues.warnings == ()
    assert cues.title.lower().replace(" ", "-") == path.stem
    assert 50 <= cues.cues[-1].at_s <= 80
    assert "MIT licence" in path.read_text(encoding="utf-8")

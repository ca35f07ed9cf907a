"""Mailboxes, most of all between real processes: nobody reads half a value, and nobody can stop the writer."""

import itertools
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vj.mailboxes import Frame, MemoryFrames, MemoryText, SharedFrames, SharedText

HEIGHT, WIDTH = 360, 640

# Each frame is of one level, which its number gives away: a torn frame has two levels, or another than its number's.
WRITE_FRAMES = f"""
import sys, numpy as np
from pathlib import Path
from vj.mailboxes import Frame, SharedFrames
box, number = SharedFrames(Path(sys.argv[1])), int(sys.argv[2])
while True:
    number += 1
    box.put(Frame(np.full(({HEIGHT}, {WIDTH}, 3), number % 251, np.uint8), number, number / 2, number * 3, True))
    if number == int(sys.argv[2]) + 5:
        print(number, flush=True)
"""

READ_FRAMES = """
import sys, time
from pathlib import Path
from vj.mailboxes import SharedFrames
box, until, reads, last = SharedFrames(Path(sys.argv[1])), time.monotonic() + float(sys.argv[2]), 0, -1
while time.monotonic() < until:
    frame = box.newest(after=last)
    if frame is None:
        continue
    level = frame.number % 251
    assert frame.number > last, (frame.number, last)
    assert frame.rgb.min() == frame.rgb.max() == level, f"torn: {frame.rgb.min()} {frame.rgb.max()} {level}"
    assert (frame.painted_at, frame.look, frame.is_painted) == (frame.number / 2, frame.number * 3, True)
    reads, last = reads + 1, frame.number
print(reads)
"""

WRITE_TEXTS = """
import sys
from pathlib import Path
from vj.mailboxes import SharedText
box, n = SharedText(Path(sys.argv[1])), 0
while True:
    n += 1
    box.put(f"{n} " + "ü" * (n % 400) + f" {n}")
    if n == 5:
        print(n, flush=True)
"""

READ_TEXTS = """
import sys, time
from pathlib import Path
from vj.mailboxes import SharedText
box, until, reads, last = SharedText(Path(sys.argv[1])), time.monotonic() + float(sys.argv[2]), 0, 0
while time.monotonic() < until:
    text = box.newest()
    assert text is not None, "a value that was there was not found"
    first, middle, end = text.split(" ")
    assert first == end and middle == "ü" * (int(first) % 400) and int(first) >= last, text
    reads, last = reads + 1, int(first)
print(reads)
"""


@contextmanager
def process(script: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            yield running
        finally:
            running.kill()


def wait_for_line(writer: subprocess.Popen[str]) -> str:
    assert writer.stdout is not None
    line = writer.stdout.readline()
    assert line, "the writer ended"
    return line


def finished(reader: subprocess.Popen[str]) -> int:
    out, err = reader.communicate(timeout=30)
    assert reader.returncode == 0, err
    return int(out)


def test_two_readers_of_a_writer_at_full_speed_never_see_a_torn_frame(tmp_path: Path) -> None:
    SharedFrames(tmp_path / "frame", HEIGHT * WIDTH * 3)
    with process(WRITE_FRAMES, tmp_path / "frame", 0) as writer:
        wait_for_line(writer)
        with process(READ_FRAMES, tmp_path / "frame", 1.2) as one, process(READ_FRAMES, tmp_path / "frame", 1.2) as two:
            assert finished(one) > 20
            assert finished(two) > 20


def test_two_readers_of_a_writer_at_full_speed_always_find_a_whole_text(tmp_path: Path) -> None:
    SharedText(tmp_path / "look", 4096)
    with process(WRITE_TEXTS, tmp_path / "look") as writer:
        wait_for_line(writer)
        with process(READ_TEXTS, tmp_path / "look", 1.2) as one, process(READ_TEXTS, tmp_path / "look", 1.2) as two:
            assert finished(one) > 1000
            assert finished(two) > 1000


def test_a_reader_that_is_killed_or_stopped_does_not_hold_up_the_writer(tmp_path: Path) -> None:
    box = SharedFrames(tmp_path / "frame", HEIGHT * WIDTH * 3)
    with process(WRITE_FRAMES, tmp_path / "frame", 0) as writer:
        wait_for_line(writer)
        for _ in range(3):
            with process(READ_FRAMES, tmp_path / "frame", 60.0):
                time.sleep(0.3)
        before = box.newest()
        time.sleep(0.2)
        after = box.newest()
    assert before is not None and after is not None and after.number > before.number


def test_a_writer_that_is_killed_again_and_again_leaves_whole_frames_and_its_successor_goes_on(tmp_path: Path) -> None:
    box = SharedFrames(tmp_path / "frame", HEIGHT * WIDTH * 3)
    number = 0
    for wait_s in (0.0, 0.013, 0.029, 0.0, 0.007):
        with process(WRITE_FRAMES, tmp_path / "frame", number) as writer:
            wait_for_line(writer)
            time.sleep(wait_s)
            writer.kill()
            writer.wait()
        frame = box.newest(after=number)
        assert frame is not None, "the last whole frame is lost"
        assert frame.rgb.min() == frame.rgb.max() == frame.number % 251
        number = frame.number


def test_a_writer_killed_in_the_middle_of_a_value_leaves_the_value_before(tmp_path: Path) -> None:
    box = SharedText(tmp_path / "look", 4096)
    box.put("whole")
    whole = (tmp_path / "look").read_bytes()
    box.put("the next one, of which only a part will be there")
    later = (tmp_path / "look").read_bytes()
    # The newest number, bytes 16 to 23, is the last thing a writer changes: until then the whole value is there.
    changed = [n for n, (one, other) in enumerate(zip(whole, later, strict=True)) if one != other and n >= 24]
    for cut in changed[::5]:
        half = tmp_path / f"half-{cut}"
        half.write_bytes(whole[:24] + later[24:cut] + whole[cut:])
        survivor = SharedText(half)
        assert survivor.newest() == "whole"
        survivor.put("and on")
        assert survivor.newest() == "and on"


def test_a_new_mailbox_is_empty(tmp_path: Path) -> None:
    assert SharedText(tmp_path / "look", 100).newest() is None
    assert SharedFrames(tmp_path / "frame", 100).newest() is None
    assert MemoryText().newest() is None
    assert MemoryFrames().newest() is None


WRITABLE = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


@settings(deadline=None, max_examples=50)
@given(st.lists(WRITABLE, min_size=1, max_size=12))
def test_texts_of_every_alphabet_come_back(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = tmp_path_factory.mktemp("box") / "look"
    box = SharedText(path, 2000)
    reader = SharedText(path)
    for text in texts:
        box.put(text)
        assert reader.newest() == text
    box.close()
    reader.close()


def test_a_text_is_measured_in_bytes_and_one_too_large_changes_nothing(tmp_path: Path) -> None:
    box = SharedText(tmp_path / "look", 12)
    box.put("❤❤❤❤")
    with pytest.raises(ValueError, match=r"look: 15 bytes do not fit into 12"):
        box.put("❤❤❤❤❤")
    assert box.newest() == "❤❤❤❤"


def test_a_frame_too_large_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    box = SharedFrames(tmp_path / "frame", 4 * 4 * 3)
    box.put(Frame(np.full((4, 4, 3), 7, np.uint8), 1))
    with pytest.raises(ValueError, match="do not fit"):
        box.put(Frame(np.zeros((4, 5, 3), np.uint8), 2))
    kept = box.newest()
    assert kept is not None and kept.number == 1 and (kept.rgb == 7).all()


def test_frames_of_different_sizes_follow_each_other_in_one_mailbox(tmp_path: Path) -> None:
    box = SharedFrames(tmp_path / "frame", 600 * 600 * 3)
    sizes = [(1, 1), (600, 600), (90, 160), (2, 300), (64, 64)]
    for number, (height, width) in enumerate(itertools.chain(sizes, sizes), start=1):
        rgb = np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)
        box.put(Frame(rgb, number))
        found = box.newest()
        assert found is not None and np.array_equal(found.rgb, rgb)


def test_a_frame_that_is_a_view_of_a_larger_picture_is_put_whole(tmp_path: Path) -> None:
    box = SharedFrames(tmp_path / "frame", 30 * 30 * 3)
    picture = np.random.default_rng(1).integers(0, 256, (60, 60, 3), np.uint8)
    box.put(Frame(picture[::2, 20:50], 1))
    found = box.newest()
    assert found is not None and np.array_equal(found.rgb, picture[::2, 20:50])


@pytest.mark.parametrize("kind", ["shared", "memory"])
def test_only_a_frame_that_is_newer_is_given(kind: str, tmp_path: Path) -> None:
    box = SharedFrames(tmp_path / "frame", 12) if kind == "shared" else MemoryFrames()
    box.put(Frame(np.zeros((2, 2, 3), np.uint8), 5))
    assert box.newest(after=5) is None
    found = box.newest(after=4)
    assert found is not None and found.number == 5


def test_a_frame_that_was_read_stays_as_it_was(tmp_path: Path) -> None:
    box = SharedFrames(tmp_path / "frame", 12)
    box.put(Frame(np.full((2, 2, 3), 1, np.uint8), 1))
    held = box.newest()
    for number in range(2, 20):
        box.put(Frame(np.full((2, 2, 3), number, np.uint8), number))
    assert held is not None and (held.rgb == 1).all()


def test_a_file_that_is_no_mailbox_is_refused(tmp_path: Path) -> None:
    (tmp_path / "look").write_bytes(b"something else entirely, and long enough")
    with pytest.raises(ValueError, match="look is not a mailbox"):
        SharedText(tmp_path / "look")
    with pytest.raises(OSError):
        SharedText(tmp_path / "nowhere")


def test_when_the_newest_frame_was_painted_is_told_without_it(tmp_path: Path):
    box = SharedFrames(tmp_path / "frame", 27)
    assert box.painted_at() == 0.0
    box.put(Frame(np.zeros((3, 3, 3), np.uint8), 1, 5.25))
    assert SharedFrames(tmp_path / "frame").painted_at() == 5.25

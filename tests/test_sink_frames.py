"""Numbered PNG files, and the writer that keeps a slow disk away from the program."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vj.errors import DeviceError, UsageError
from vj.sinks import make_sink
from vj.sinks.writer import Writer


def _frame(level: int) -> np.ndarray:
    frame = np.full((18, 32, 3), level, np.uint8)
    frame[:, :16] = (level, 0, 255 - level)
    return frame


def _wait_for(claim, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not claim() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert claim()


def test_frames_become_numbered_files_with_their_exact_pixels(tmp_path):
    sink = make_sink(f"frames:{tmp_path / 'out'}")
    sink.check()
    assert not (tmp_path / "out").exists()
    sink.open(32, 18, 30.0)
    for level in (10, 20, 30):
        sink.send(_frame(level))
    sink.close()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "frame-000001.png",
        "frame-000002.png",
        "frame-000003.png",
    ]
    with Image.open(tmp_path / "out" / "frame-000002.png") as picture:
        assert np.array_equal(np.asarray(picture), _frame(20))
    assert sink.report() == {"path": str(tmp_path / "out"), "written": 3, "dropped": 0}


def test_numbering_goes_on_after_what_is_there_and_overwrites_nothing(tmp_path):
    (tmp_path / "frame-000041.png").write_bytes(b"mine")
    (tmp_path / "notes.txt").write_text("mine")
    sink = make_sink(f"frames:{tmp_path}")
    sink.open(32, 18, 30.0)
    sink.send(_frame(99))
    sink.close()
    assert (tmp_path / "frame-000041.png").read_bytes() == b"mine"
    assert (tmp_path / "frame-000042.png").exists()


def test_the_frame_is_kept_even_when_the_sender_paints_over_it(tmp_path):
    sink = make_sink(f"frames:{tmp_path}")
    sink.open(32, 18, 30.0)
    frame = _frame(50)
    sink.send(frame)
    frame[:] = 0
    sink.close()
    with Image.open(tmp_path / "frame-000001.png") as picture:
        assert np.array_equal(np.asarray(picture), _frame(50))


def test_a_folder_that_cannot_be_is_refused_before_the_show(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file, not a folder"):
        make_sink(f"frames:{tmp_path / 'file'}").check()
    with pytest.raises(UsageError, match="there is no folder"):
        make_sink(f"frames:{tmp_path / 'no' / 'where'}").check()


def test_a_disk_that_hangs_costs_frames_and_no_time():
    answers = threading.Event()
    writer = Writer("slow", lambda _item: answers.wait(30), depth=3)
    began = time.monotonic()
    for item in range(20):
        writer.offer(item)
    assert time.monotonic() - began < 1.0
    assert 16 <= writer.dropped <= 17
    answers.set()
    assert writer.close()
    assert writer.written + writer.dropped == 20


def test_a_disk_that_fails_is_told_to_the_sender():
    def fail(_item):
        raise OSError(28, "No space left on device")

    writer = Writer("full", fail, depth=3)
    writer.offer(1)
    with pytest.raises(DeviceError, match="No space left"):
        _wait_for(lambda: writer.offer(2))
    assert writer.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is a Linux device")
def test_frames_that_cannot_be_written_end_the_sink_and_not_the_caller(tmp_path):
    sink = make_sink(f"frames:{tmp_path}")
    sink.open(32, 18, 30.0)
    (tmp_path / "frame-000001.png.new").symlink_to("/dev/full")
    sink.send(_frame(1))
    with pytest.raises(DeviceError, match="No space left"):
        _wait_for(lambda: sink.send(_frame(2)))
    sink.close()

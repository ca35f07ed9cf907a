"""Recordings: right colours, real time, nothing overwritten, and playable whatever happens to the process."""

import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import av
import numpy as np
import pytest

from vj.errors import DeviceError, UsageError
from vj.sinks import make_sink
from vj.sinks.record import Record

COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (250, 180, 20))

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")


def _bars(width: int, height: int) -> np.ndarray:
    frame = np.zeros((height, width, 3), np.uint8)
    for number, colour in enumerate(COLOURS):
        frame[:, number * width // 4 : (number + 1) * width // 4] = colour
    return frame


def _stamps(path) -> list[float]:
    """When each picture is shown, up to a torn last one: players skip that."""
    stamps = []
    with av.open(str(path)) as file, contextlib.suppress(av.InvalidDataError):
        stamps.extend(float(frame.pts * frame.time_base) for frame in file.decode(video=0))
    return stamps


def _first_picture(path, width: int, height: int) -> np.ndarray:
    """The first frame as another program, Debian's ffmpeg, shows it from the file's own colour tags."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, capture_output=True, check=True, timeout=30).stdout
    return np.frombuffer(raw, np.uint8).reshape(height, width, 3)


def _assert_bars(picture: np.ndarray) -> None:
    height, width = picture.shape[:2]
    for number, colour in enumerate(COLOURS):
        seen = picture[height // 2, width // 8 + number * width // 4]
        assert np.abs(seen.astype(int) - colour).max() <= 6, f"{tuple(seen)} for {colour}"


def _tags(path) -> dict[str, str]:
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_streams", str(path)]
    return json.loads(subprocess.run(command, capture_output=True, check=True, timeout=30).stdout)["streams"][0]


@needs_ffmpeg
def test_a_recording_shows_the_colours_that_were_sent_and_is_tagged_bt709(tmp_path):
    sink = make_sink(f"record:{tmp_path / 'show.mp4'}")
    sink.check()
    sink.open(320, 180, 30.0)
    for _ in range(10):
        sink.send(_bars(320, 180))
        time.sleep(0.002)
    sink.close()
    _assert_bars(_first_picture(tmp_path / "show.mp4", 320, 180))
    tags = _tags(tmp_path / "show.mp4")
    assert tags["codec_name"] == "h264"
    assert tags["pix_fmt"] == "yuv420p"
    assert [tags[key] for key in ("color_space", "color_primaries", "color_transfer")] == ["bt709"] * 3
    assert tags["color_range"] == "tv"


def test_frames_keep_the_time_they_came_at_through_a_stall(tmp_path):
    times = [100.0, 100.031, 100.07, 100.1, 102.6, 102.634]
    sink = Record(str(tmp_path / "stall.mp4"), clock=iter(times).__next__)
    sink.open(64, 36, 30.0)
    for level in range(len(times)):
        sink.send(np.full((36, 64, 3), 40 * level, np.uint8))
    sink.close()
    assert _stamps(tmp_path / "stall.mp4") == pytest.approx([at - 100.0 for at in times], abs=1e-4)


def test_frames_of_one_instant_are_all_kept(tmp_path):
    sink = Record(str(tmp_path / "burst.mp4"), clock=lambda: 5.0)
    sink.open(64, 36, 30.0)
    for _ in range(4):
        sink.send(np.zeros((36, 64, 3), np.uint8))
    sink.close()
    stamps = _stamps(tmp_path / "burst.mp4")
    assert len(stamps) == 4
    assert stamps == sorted(set(stamps))


def test_an_existing_file_is_kept_and_a_numbered_one_is_made_and_reported(tmp_path):
    (tmp_path / "show.mp4").write_bytes(b"the show of yesterday")
    for _ in range(2):
        sink = make_sink(f"record:{tmp_path / 'show.mp4'}")
        sink.check()
        sink.open(64, 36, 30.0)
        sink.send(np.zeros((36, 64, 3), np.uint8))
        sink.close()
    assert (tmp_path / "show.mp4").read_bytes() == b"the show of yesterday"
    assert len(_stamps(tmp_path / "show-2.mp4")) == len(_stamps(tmp_path / "show-3.mp4")) == 1
    report = sink.report()
    assert report["path"] == str(tmp_path / "show-3.mp4")
    assert report["asked"] == str(tmp_path / "show.mp4")
    assert report["written"] == 1


def test_a_recording_without_a_single_frame_closes_quietly(tmp_path):
    sink = make_sink(f"record:{tmp_path / 'empty.mp4'}")
    sink.open(64, 36, 30.0)
    sink.close()


@needs_ffmpeg
def test_odd_sizes_are_recorded_one_pixel_larger(tmp_path):
    clock = itertools.count(0, 0.04)
    sink = Record(str(tmp_path / "odd.mp4"), clock=lambda: next(clock))
    sink.open(321, 181, 25.0)
    for _ in range(5):
        sink.send(_bars(321, 181))
    sink.close()
    _assert_bars(_first_picture(tmp_path / "odd.mp4", 322, 182))


def test_a_missing_folder_is_named_before_the_show(tmp_path):
    with pytest.raises(UsageError, match=r"there is no folder .*nowhere"):
        make_sink(f"record:{tmp_path / 'nowhere' / 'show.mp4'}").check()
    with pytest.raises(DeviceError, match="cannot be written"):
        make_sink(f"record:{tmp_path / 'nowhere' / 'show.mp4'}").open(64, 36, 30.0)


RECORDING = """
import sys, time
import numpy as np
from vj.sinks import make_sink
frame = np.frombuffer(sys.stdin.buffer.read(320 * 180 * 3), np.uint8).reshape(180, 320, 3)
sink = make_sink("record:" + sys.argv[1])
sink.open(320, 180, 30.0)
began = time.monotonic()
while True:
    sink.send(frame)
    print(time.monotonic() - began, flush=True)
    time.sleep(1 / 30)
"""


@needs_ffmpeg
def test_a_killed_recording_plays_up_to_its_last_second(tmp_path):
    path = tmp_path / "killed.mp4"
    process = subprocess.Popen(
        [sys.executable, "-c", RECORDING, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    process.stdin.write(_bars(320, 180).tobytes())
    process.stdin.close()
    sent_s = 0.0
    while sent_s < 3.0:
        sent_s = float(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.stdout.close()
    process.wait(10)
    stamps = _stamps(path)
    assert stamps[-1] >= sent_s - 1.2
    assert stamps[0] == 0.0
    _assert_bars(_first_picture(path, 320, 180))
    assert float(_tags(path)["duration"]) >= sent_s - 1.2


FILLING = """
import resource, signal, sys, time
import numpy as np
from vj.errors import DeviceError
from vj.sinks import make_sink
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
noise = np.random.default_rng(1).integers(0, 255, (180, 320, 3), dtype=np.uint8)
sink = make_sink("record:" + sys.argv[1])
sink.open(320, 180, 30.0)
try:
    for turn in range(300):
        sink.send(np.roll(noise, turn * 7, axis=1))
        time.sleep(0.01)
except DeviceError as error:
    print(error)
sink.close()
print("closed")
"""


@pytest.mark.skipif(os.name != "posix", reason="file size limits are POSIX")
def test_a_full_disk_ends_the_recording_and_what_was_written_plays(tmp_path):
    path = tmp_path / "full.mp4"
    run = subprocess.run([sys.executable, "-c", FILLING, str(path)], capture_output=True, text=True, timeout=60)
    assert "record: writing stopped" in run.stdout
    assert run.stdout.endswith("closed\n")
    assert len(_stamps(path)) >= 2

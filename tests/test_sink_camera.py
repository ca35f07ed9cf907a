"""The camera through pyvirtualcam's own native backend, down to the system calls of a v4l2loopback device.

tests/rigs/v4lshim.c answers those calls where no kernel module can be loaded. That a real driver or Zoom takes the
stream is not shown here.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vj.errors import DeviceError
from vj.sinks import make_sink

SHIM = Path(__file__).parent / "rigs" / "v4lshim.c"
COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (250, 180, 20))
WIDTH, HEIGHT, FRAMES = 321, 179, 10

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="v4l2 devices are Linux's")

SENDING = """
import sys
import numpy as np
from vj.sinks import make_sink
frame = np.zeros((179, 321, 3), np.uint8)
for number, colour in enumerate(((255, 0, 0), (0, 255, 0), (0, 0, 255), (250, 180, 20))):
    frame[:, number * 80 : 321 if number == 3 else number * 80 + 80] = colour
sink = make_sink(sys.argv[1])
sink.check()
assert "pyvirtualcam" not in sys.modules, "check must not load it"
sink.open(321, 179, 30.0)
for _ in range(10):
    sink.send(frame)
print(sink.report())
sink.close()
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    if sys.platform != "linux" or not shutil.which("cc"):
        pytest.skip("the v4l2 stand-in needs Linux and a C compiler")
    library = tmp_path_factory.mktemp("shim") / "v4lshim.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, SHIM, "-ldl"], check=True, timeout=60)
    return library


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
@pytest.mark.parametrize("spec", ["camera:/dev/video0", "camera"])
def test_frames_reach_the_device_with_their_colours_at_an_even_size(shim, tmp_path, spec):
    raw = tmp_path / "frames.raw"
    run = subprocess.run(
        [sys.executable, "-c", SENDING, spec],
        env={**os.environ, "LD_PRELOAD": str(shim), "V4LSHIM_OUT": str(raw)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    assert "'device': '/dev/video0', 'backend': 'v4l2loopback'" in run.stdout
    assert Path(f"{raw}.fmt").read_text().startswith("322x180 YU12")
    assert raw.stat().st_size == FRAMES * 322 * 180 * 3 // 2
    command = ["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "322x180", "-i", str(raw)]
    decoded = subprocess.run(
        [*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True, timeout=60
    )
    pictures = np.frombuffer(decoded.stdout, np.uint8).reshape(FRAMES, 180, 322, 3).astype(int)
    for number, colour in enumerate(COLOURS):
        assert np.abs(pictures[:, 90, 40 + number * 80] - colour).max() <= 6
    assert np.abs(pictures[:, -1, -1] - COLOURS[3]).max() <= 6


@only_linux
@pytest.mark.skipif(Path("/dev/video0").exists(), reason="there is a video device here")
def test_without_a_device_it_is_said_what_was_tried_and_what_to_install():
    for refused in (make_sink("camera").check, lambda: make_sink("camera").open(640, 360, 30.0)):
        with pytest.raises(DeviceError, match=r"tried /dev/video0 to /dev/video99.*modprobe.*exclusive_caps=1"):
            refused()


@only_linux
def test_a_device_that_is_no_virtual_camera_is_refused_by_name(tmp_path):
    with pytest.raises(DeviceError, match=r"tried /dev/video98: missing"):
        make_sink("camera:/dev/video98").check()
    (tmp_path / "file").write_text("")
    with pytest.raises(DeviceError, match="not a video device"):
        make_sink(f"camera:{tmp_path / 'file'}").check()


def test_a_camera_that_was_never_opened_closes_quietly():
    make_sink("camera").close()

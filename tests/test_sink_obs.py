"""The stream in OBS itself, in a network of its own, by a screenshot of the source."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

RIGS = Path(__file__).parent / "rigs"
MISSING = [name for name in ("obs", "Xvfb", "unshare", "ip") if not shutil.which(name)]
COLOURS = ((230, 40, 20), (10, 60, 220))


@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
@pytest.mark.skipif(not importlib.util.find_spec("obsws_python"), reason="obsws-python is not installed")
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="a network of its own needs root")
def test_obs_shows_the_stream_with_its_colours_and_goes_on_showing_new_frames(tmp_path):
    run = subprocess.run(
        [RIGS / "loopback-net", sys.executable, RIGS / "obs-stream.py", tmp_path / "obs"],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert run.stdout, run.stderr[-2000:]
    found = json.loads(run.stdout.splitlines()[-1])
    assert "failed" not in found, found["failed"]
    for number, colours in (found["first"], found["second"]):
        assert number > 0
        assert np.abs(np.asarray(colours) - COLOURS).max() <= 8
    assert found["second"][0] - found["first"][0] >= 10

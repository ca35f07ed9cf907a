"""A whole show from a show file, played with oscsend: songs, labels, bank, tempo, and what a killed desk keeps."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vj.bank import read_bank

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="kills with POSIX signals"),
    pytest.mark.skipif(not shutil.which("oscsend"), reason="needs oscsend: apt install liblo-tools"),
]

SHOW = """title = "Friday"
mappings = []
sinks = ["frames:pictures"]
bank = ["a white whale", "", "a golden dragon"]
[[song]]
title = "Night Ferry"
cues = "ferry.toml"
[[song]]
title = "Paper Moon"
cues = "moon.lrc"
preset = "glass.toml"
"""
FERRY = """[[cue]]
at = 0.0
prompt = "a red rose"
[[cue]]
at = 600.0
prompt = "a blue sea"
label = "A"
fade_s = 0.3
parameters = { temperature = 77.0, freeze = true }
"""


class Evening:
    """A headless show of two songs. Owns its process; everything it says is in `lines`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.lines: list[dict[str, Any]] = []

    def start(self, *words: str) -> None:
        sizes = ["--size", "96x64", "--set", "canvas_width=64", "--set", "canvas_height=64", "--set", "first_steps=2"]
        command = [sys.executable, "-m", "vj", "play", "friday.toml", "--headless", "--osc", f"127.0.0.1:{self.port}"]
        env = {**os.environ, "VJ_RUNTIME": str(self.root / "run"), "XDG_CONFIG_HOME": str(self.root / "config")}
        self.lines.clear()
        self.process = subprocess.Popen(
            [*command, *sizes, *words], cwd=self.root, env=env, text=True, stdout=subprocess.PIPE
        )
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            self.lines.append(json.loads(line))

    def send(self, address: str, *args: str) -> None:
        """`args` as oscsend takes them: the kinds, then the values."""
        subprocess.run(["oscsend", "127.0.0.1", str(self.port), address, *args], check=True, timeout=10)

    def until(self, claim: Callable[[dict[str, Any]], Any], seconds: float = 60.0) -> dict[str, Any]:
        """The first line from now on of which the claim is true."""
        seen, deadline = len(self.lines), time.monotonic() + seconds
        while time.monotonic() < deadline:
            for line in self.lines[seen:]:
                if claim(line):
                    return line
            assert self.process.poll() is None, "the show has ended"
            time.sleep(0.05)
        raise AssertionError(f"it did not come to that: {self.lines[-1:]}")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    root = tmp_path_factory.mktemp("evening")
    (root / "friday.toml").write_text(SHOW)
    (root / "ferry.toml").write_text(FERRY)
    (root / "moon.lrc").write_text("[00:00.00]a paper moon\n[10:00.00]a red lantern\n")
    (root / "glass.toml").write_text("[parameters]\ntemperature = 12.0\n")
    evening = Evening(root)
    evening.start()
    yield evening
    evening.stop()


def line_of(line: dict[str, Any]) -> str:
    return str(line["cue"]["text"])


def test_the_show_begins_with_its_first_song(evening: Evening) -> None:
    line = evening.until(lambda line: line["cue"]["index"] == 1)
    assert line["song"] == "Night Ferry" and line_of(line) == "a red rose"


def test_a_cue_is_called_by_its_label_and_brings_its_parameters(evening: Evening) -> None:
    evening.send("/cue/A/start")
    line = evening.until(lambda line: line["look"]["temperature"] == 77.0)
    assert line["cue"] == {"index": 2, "text": "a blue sea"} and line["look"]["freeze"] is True
    evening.send("/vj/cue/go", "i", "1")
    evening.until(lambda line: line["cue"]["index"] == 1)
    evening.send("/vj/cue/go", "s", "a")
    evening.until(lambda line: line["cue"]["index"] == 2)


def test_the_next_song_brings_its_cues_and_its_preset(evening: Evening) -> None:
    evening.send("/vj/song/next", "i", "0")  # a pad let go
    evening.send("/vj/song/next", "i", "1")
    line = evening.until(lambda line: line["song"] == "Paper Moon")
    assert line_of(line) == "a paper moon" and line["look"]["temperature"] == 12.0
    evening.send("/vj/song/back")
    evening.until(lambda line: line["song"] == "Night Ferry")
    evening.send("/vj/song/go", "s", "paper moon")
    evening.until(lambda line: line["song"] == "Paper Moon")


def test_the_bank_is_fired_put_into_slots_and_stored_on_disk(evening: Evening) -> None:
    evening.send("/vj/bank/3/slot", "i", "2")
    line = evening.until(lambda line: line["look"]["prompt_2"] == "a golden dragon")
    assert line["look"]["weight_2"] == 1.0
    evening.send("/vj/bank/64/text", "s", "a stormy sea")
    evening.send("/vj/bank/64/slot", "i", "3")
    evening.until(lambda line: line["look"]["prompt_3"] == "a stormy sea")
    assert read_bank(evening.root / "config" / "vj" / "bank-friday.toml") == {64: "a stormy sea"}
    refused = evening.lines[-1]["inputs"]["osc"]["refused"]
    evening.send("/vj/bank/2")  # empty: a line in the log
    evening.send("/vj/bank/1")
    line = evening.until(lambda line: line["inputs"]["osc"]["received"] >= 10)
    assert line["inputs"]["osc"]["refused"] == refused


def test_tapping_sets_the_tempo_and_a_beat_that_is_on_kicks(evening: Evening) -> None:
    for _ in range(4):
        evening.send("/vj/tap")
        time.sleep(0.4)
    line = evening.until(lambda line: line["look"]["tempo"] != 120.0)
    assert 100 < line["look"]["tempo"] < 160
    evening.send("/vj/beat", "i", "1")
    evening.send("/vj/resync")
    kicks = evening.until(lambda line: line["look"]["beat"])["look"]["kick"]
    evening.until(lambda line: line["look"]["kick"] >= kicks + 3)
    evening.send("/vj/beat", "F")


def test_a_killed_desk_comes_back_in_its_song_with_its_bank(evening: Evening) -> None:
    pid = int((evening.root / "run" / "desk.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    # What the dead desk last said is shown for a while; the new one has heard nothing yet.
    line = evening.until(
        lambda line: line["restarts"]["desk"] == 1 and line["inputs"].get("osc", {}).get("received") == 0
    )
    assert line["song"] == "Paper Moon" and line["look"]["prompt_3"] == "a stormy sea"
    evening.send("/vj/bank/64/slot", "i", "4")
    evening.until(lambda line: line["look"]["prompt_4"] == "a stormy sea")


def test_a_resumed_show_goes_on_in_its_song(evening: Evening) -> None:
    evening.stop()
    evening.start("--resume")
    line = evening.until(lambda line: line["song"])
    assert line["song"] == "Paper Moon" and line["look"]["prompt_4"] == "a stormy sea"
    evening.stop()
    evening.start()
    assert evening.until(lambda line: line["song"])["song"] == "Night Ferry"
    evening.stop()
    evening.start("--resume-before")
    assert evening.until(lambda line: line["song"])["song"] == "Paper Moon"

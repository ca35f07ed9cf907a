"""An x264 encode beside the show, as when OBS streams from the same machine: whether either suffers."""

import shutil
import subprocess
import threading
import time
from collections.abc import Iterable

from vj.bench.cadence import STEADY_S, gaps
from vj.bench.show import BenchShow, watched
from vj.errors import VjError

FPS = 30
SIZE = "1280x720"
SETTLE_S = 8.0
LATE_FRAMES = 3
"""So many frames behind its schedule an encode is late."""
QUEUE_FRAMES = 15
"""So many frames a live source keeps for its encoder before it drops one: half a second."""

Progress = tuple[float, int]
"""When, s, and how many frames were encoded by then."""


def need_ffmpeg() -> None:
    """Raise VjError where there is no ffmpeg to encode with."""
    if shutil.which("ffmpeg") is None:
        raise VjError("--encode: ffmpeg was not found; install it, or leave --encode out")


class Encode:
    """A moving test picture encoded in real time by libx264's default preset, and thrown away. Owns the process."""

    def __init__(self) -> None:
        self.progress: list[Progress] = []

    def __enter__(self) -> "Encode":
        source = ["-re", "-f", "lavfi", "-i", f"testsrc2=size={SIZE}:rate={FPS}"]
        told = ["-nostdin", "-hide_banner", "-loglevel", "error", "-progress", "pipe:1", "-stats_period", "0.1"]
        command = ["ffmpeg", *told, *source, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-f", "null", "-"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def has_ended(self) -> bool:
        """Whether nothing is encoded any more."""
        return self._process.poll() is not None

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            name, _, value = line.partition("=")
            if name == "frame" and value.strip().isdigit():
                self.progress.append((time.monotonic(), int(value)))


def encoded_beside(show: BenchShow, seconds: float = STEADY_S) -> dict[str, float]:
    """The program's gaps while the encode runs, and what became of the encode."""
    with Encode() as encode:
        time.sleep(SETTLE_S)
        began = time.monotonic()
        times = [frame.painted_at for frame in watched(show.program, seconds)]
        progress = [one for one in encode.progress if one[0] >= began]
    if len(progress) < 2:
        raise VjError("--encode: ffmpeg encoded nothing; try: ffmpeg -encoders | grep libx264")
    found = gaps(times)
    return {
        "encode_program_fps": found["program_fps"],
        "encode_program_gap_p99_ms": found["program_gap_p99_ms"],
        "encode_program_gap_longest_ms": found["program_gap_longest_ms"],
        **shares(progress),
    }


def shares(progress: Iterable[Progress], fps: float = FPS) -> dict[str, float]:
    """What share of the frames a live source would have dropped, and for what share of the time the encode was late.

    Nothing is dropped here: ffmpeg makes up for what it lacks. A live source keeps `QUEUE_FRAMES` for its encoder and
    drops what is beyond; that is told from how far behind its schedule the encode was at each report, the schedule
    being the one it kept to at its best. What it lacked at the first report was lost before.
    """
    reports = list(progress)
    (start, first), (end, last) = reports[0], reports[-1]
    lacks = [at * fps - frames for at, frames in reports]
    least = min(lacks)
    behind = [lack - least for lack in lacks]
    gone = max(0.0, behind[0] - QUEUE_FRAMES)
    dropped = 0.0
    for lack in behind:
        over = lack - gone - QUEUE_FRAMES
        dropped, gone = dropped + max(0.0, over), max(0.0, min(gone + max(0.0, over), lack))
    return {
        "encode_fps": round((last - first) / max(1e-9, end - start), 2),
        "encode_dropped_share": round(dropped / max(1.0, (end - start) * fps), 4),
        "encode_late_share": round(sum(one > LATE_FRAMES for one in behind) / len(behind), 4),
    }

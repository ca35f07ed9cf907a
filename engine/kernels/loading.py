"""Whether compiled passes are there: loaded once for the process, in its time, and never asked for in vain."""

import hashlib
import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import platformdirs
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.errors import first_line

log = logging.getLogger("engine.kernels")

Pass = Callable[..., Any]

COMPLETE = "complete"
"""Name of the file beside what is kept once all of it is."""
COMPILING_S = 120.0
"""Seconds in which a process compiles them on any machine."""
LONGEST_S = 1.0
"""Seconds that a show waits for passes before its first picture; without them that one takes as long."""


@dataclass(frozen=True, slots=True)
class Kernels:
    """The passes, which take arrays; each is explained where it is written."""

    grow: Pass
    shrink: Pass
    settle: Pass
    mix: Pass
    move: Pass
    pulls: Pass
    agree: Pass
    variation: Pass
    distance: Pass
    boxes: Pass
    look: Pass
    look_back: Pass
    unstem: Pass
    halve: Pass
    halve_back: Pass
    placed: Pass
    united: Pass
    soften: Pass
    shuffle: Pass
    levels: Pass


class _Shelf:
    """Where they lie once they are loaded. One for the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_tried = False
        self.kernels: Kernels | None = None
        self.fault = ""

    def fill(self) -> None:
        """Load them, once; without numba there are none, and torch computes everything."""
        with self._lock:
            if self._is_tried:
                return
            self._is_tried = True
            try:
                self.kernels = _load()
            except Exception as err:
                self.fault = first_line(err)
                log.info("kernels: there are none, torch computes everything", exc_info=True)


_shelf = _Shelf()


def load() -> None:
    """Have them from now on: a third of a second, and some seconds the first time ever, when they are compiled."""
    _shelf.fill()


def load_beside() -> None:
    """The same, waited for no longer than a second: torch goes on while they are compiled by a process of their own."""
    loader = threading.Thread(target=_fill_beside, name="kernels")  # no daemon: nothing is cut off while it loads
    loader.start()
    loader.join(timeout=LONGEST_S)


def _fill_beside() -> None:
    # Compiled by a thread they would take every other turn from the engine for ten seconds.
    if find_spec("numba") and not _is_kept():
        with suppress(OSError, subprocess.TimeoutExpired):
            command = [sys.executable, "-P", "-m", "engine.kernels"]
            subprocess.run(command, stdin=subprocess.DEVNULL, timeout=COMPILING_S)
    _shelf.fill()


def fault() -> str:
    """Why there are no passes, in one line; "" where they are, or have not been asked for."""
    return _shelf.fault


def kernels_for(*tensors: Tensor) -> Kernels | None:
    """The passes if they are loaded and can work on these: pictures in single precision on the CPU, in plain order."""
    found = _shelf.kernels
    if found is None:
        return None
    return found if all(_fits(tensor) for tensor in tensors) else None


def array(tensor: Tensor) -> NDArray[Any]:
    """The memory of a picture (1, c, h, w), or of n of them, as (n c, h, w)."""
    found: NDArray[Any] = tensor.detach().numpy()
    return found.reshape(-1, *found.shape[-2:])


def _fits(tensor: Tensor) -> bool:
    return tensor.device.type == "cpu" and tensor.dtype == torch.float32 and tensor.is_contiguous()


def _load() -> Kernels:
    kept_in = _kept_in()
    from engine.kernels import agreement, boxes, finishing, moments, placing, pyramid, sampling, terms

    with suppress(OSError):
        (kept_in / COMPLETE).touch()
    return Kernels(
        grow=pyramid.grow,
        shrink=pyramid.shrink,
        settle=pyramid.settle,
        mix=pyramid.mix,
        move=moments.move,
        pulls=terms.pulls,
        agree=agreement.agree,
        variation=terms.variation,
        distance=terms.distance,
        boxes=boxes.boxes,
        look=sampling.look,
        look_back=sampling.look_back,
        unstem=sampling.unstem,
        halve=sampling.halve,
        halve_back=sampling.halve_back,
        placed=placing.placed,
        united=placing.united,
        soften=finishing.soften,
        shuffle=finishing.shuffle,
        levels=finishing.levels,
    )


def _is_kept() -> bool:
    return (_kept_in() / COMPLETE).exists()


def _kept_in() -> Path:
    """Where numba keeps what it compiled: a folder of its own for these very sources, which it does not all look at.

    It is told by the environment, which processes started from here have too.
    """
    if "NUMBA_CACHE_DIR" not in os.environ:
        os.environ["NUMBA_CACHE_DIR"] = str(_own_folder())
    return Path(os.environ["NUMBA_CACHE_DIR"])


def _own_folder() -> Path:
    sources = sorted(Path(__file__).parent.glob("*.py"))
    version = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    folder = Path(platformdirs.user_cache_path("vj")) / "passes" / version
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:  # nothing can be kept: compiled anew at every start
        return Path(tempfile.mkdtemp(prefix="vj-passes-"))
    return folder

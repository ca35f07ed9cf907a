"""The last thing done to a painted picture: the denoiser the look asks for, or the next best that can be had."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.denoise import LOADED, NEXT_BEST, SIMPLE, Denoiser
from engine.errors import EngineError, first_line
from engine.parameters import Look
from engine.picture import as_levels

log = logging.getLogger("engine.denoise")

LARGEST = 3840 * 2160
"""Pixels of the largest frame; a picture that would become larger is not enlarged."""


STILL_SLOW = 0.7
"""Part of a frame's time below which a denoiser that took too long no longer does."""


class Finish:
    """From painted pictures to frames. Owns the denoisers read from files; used by the engine's thread.

    Files are read in a thread of their own, the next best denoiser working until then. One that cannot be read, or
    that the device cannot compute, is a note, and the next best goes on.
    """

    def __init__(self, device: torch.device, waits: bool, clock: Callable[[], float] = time.perf_counter) -> None:
        """With `waits` files are waited for: the same looks always give the same frames."""
        self._device, self._waits, self._clock = device, waits, clock
        self._asked: dict[str, tuple[str, Future[Denoiser]]] = {}
        self._faults: dict[str, str] = {}
        self._notes: list[str] = []
        self._usual_s = 0.0
        self._is_slow = False

    def frame(self, look: Look, picture: Tensor) -> NDArray[np.uint8]:
        """The frame (scale h, scale w, 3) of a painted picture (1, 3, h, w), whose values may lie beyond 0..1."""
        began = self._clock()
        frame: NDArray[np.uint8] = self.levels(look, picture).cpu().numpy()
        self.took(self._clock() - began)
        return frame

    def levels(self, look: Look, picture: Tensor) -> Tensor:
        """The same frame on the picture's device, which is not waited for."""
        with torch.no_grad():
            return as_levels(self._denoised(look, picture.clamp(0.0, 1.0)))

    def took(self, spent_s: float) -> None:
        """Be told how long a frame took, from the painted picture to its levels."""
        self._usual_s += 0.2 * (spent_s - self._usual_s)

    def notes(self) -> list[str]:
        """Sentences about a denoiser that is not there, or not fast enough."""
        return self._notes

    def _denoised(self, look: Look, picture: Tensor) -> Tensor:
        name, strength, scale = look.text("denoiser"), look.number("denoise"), look.whole("upscale")
        self._notes = []
        if strength <= 0.0 or name == "none":
            return picture
        if scale == 2 and 4 * picture.shape[-2] * picture.shape[-1] > LARGEST:
            self._notes.append("the canvas is too large to be enlarged")
            scale = 1
        self._note_slowness(look, name)
        while name in LOADED:
            if denoiser := self._ready(name, look.text("denoiser_weights")):
                try:
                    return denoiser(picture, strength, scale)
                except RuntimeError as err:
                    log.exception("denoise: %s failed", name)
                    self._faults[name] = f"{self._device} cannot compute it: {first_line(err)}"
            if name in self._faults:
                self._notes.append(f"denoiser {name}: {self._faults[name]}; {NEXT_BEST[name]} instead")
            name = NEXT_BEST[name]
        return SIMPLE[name](picture, strength, scale)

    def _ready(self, name: str, weights: str) -> Denoiser | None:
        """The denoiser of these weights if it is there; else it is asked for once."""
        weights = weights if name == "cyclegan" else ""
        asked = self._asked.get(name)
        if asked is None or asked[0] != weights:
            self._faults.pop(name, None)
            asked = self._asked[name] = weights, self._read(name, weights)
        if name in self._faults or not (self._waits or asked[1].done()):
            return None
        try:
            return asked[1].result()
        except EngineError as err:
            self._faults[name] = str(err)
        except Exception as err:  # whatever a file makes torch raise, the picture goes on
            log.exception("denoise: %s cannot be read", name)
            self._faults[name] = first_line(err)
        return None

    def _read(self, name: str, weights: str) -> Future[Denoiser]:
        made: Future[Denoiser] = Future()

        def work() -> None:
            try:
                made.set_result(LOADED[name](weights, self._device, self._waits))
            except Exception as err:  # noqa: BLE001 - told where the result is asked for
                made.set_exception(err)

        threading.Thread(target=work, name="denoiser", daemon=True).start()
        return made

    def _note_slowness(self, look: Look, name: str) -> None:
        fps = look.number("engine_fps")
        # Said until it is well in time again: a busy machine's hiccups do not make it come and go.
        limit_s = (STILL_SLOW if self._is_slow else 1.0) / fps
        self._is_slow = self._usual_s > limit_s and not self._waits  # nothing that waits is late
        if self._is_slow:
            took = f"{1000 * self._usual_s:.0f} ms"
            self._notes.append(f"denoiser {name} takes {took} a frame here, too long for {fps:g} frames a second")

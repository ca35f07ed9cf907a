"""The engine: one frame = start, optimise some steps, draw, denoise; governed, and kept going when a device fails."""

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import psutil
import torch
from numpy.typing import NDArray

from engine.denoise.finish import Finish
from engine.errors import EngineError
from engine.gallery import Gallery
from engine.governor import FEWEST_CROPS, Governor, rungs
from engine.guides.guide import Guide
from engine.lead import Lead
from engine.painting import Painting
from engine.parameters import Look
from engine.picture import as_picture

log = logging.getLogger("engine.step")

CPU = torch.device("cpu")

LONGEST_S = 0.25
"""The picture moves no further at once than it would in this time, however long a frame took."""


class Engine:
    """Paints frame after frame from looks. Owns the painting, the guides and the governor; used by one thread."""

    def __init__(
        self,
        guides: Sequence[Guide],
        device: torch.device,
        seed: int,
        is_live: bool = True,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`guides` lie on `device`.

        When not `is_live`, texts are waited for and nothing is governed: same looks and seed, same frames.
        """
        self.beat: Callable[[], None] = _unheard
        """Called before every step, so that a long frame is seen to be worked at."""
        self._device = device
        self._seed = seed
        self._is_live = is_live
        self._clock = clock
        self._painting = Painting(device, seed, self._beat)
        self._lead = Lead(guides, device, waits=not is_live)
        self._finish = Finish(device, waits=not is_live)
        self._gallery = Gallery(device, waits=not is_live)
        self._governor = Governor()
        self._most_crops = 0
        self._shown: NDArray[np.uint8] | None = None
        self._painted_at: float | None = None
        self._fired: dict[str, int] = {}
        self._notes: dict[str, str] = {}
        self._view_s, self._canvas = 0.0, (0, 0)
        self._facts: dict[str, Any] = {"steps": 0, "crops": 0, "step_ms": 0.0, "frame_ms": 0.0, "governor": ""}

    def paint(self, look: Look) -> NDArray[np.uint8]:
        """The next frame, (h, w, 3) at the look's canvas size, or `upscale` times as large. Never sleeps.

        Where the device fails or runs out of memory it goes on with fewer crops, then on the CPU, from the last
        frame, and `report` says so. Raises EngineError when the CPU fails too.
        """
        started = self._clock()
        self._obey_triggers(look)
        self._follow_guide(look, started)
        self._note_paper(look)
        passed_s, is_first = self._passed(look, started), self._painting.is_new
        while True:
            steps, crops = self._effort(look)
            try:
                self._painting.move(look, passed_s)
                self._shown = self._frame(look, steps, crops)
                break
            except RuntimeError as err:
                self._retreat(err, crops)
        self._account(look, self._clock() - started, is_first)
        return self._shown

    def start_from(self, rgb: NDArray[np.uint8]) -> None:
        """Go on from this frame, (h, w, 3) uint8 of any size, as after a crash."""
        self._shown = np.array(rgb, dtype=np.uint8, copy=True)
        self._painting.go_on_from(as_picture(self._shown, self._device))

    def report(self) -> dict[str, Any]:
        """Facts for the engine's pulse: the last frame's numbers, guide, device, canvas, notes for the screen."""
        height, width = self._canvas
        return {
            **self._facts,
            **self._lead.report(),
            "device": str(self._device),
            "canvas": [width, height],
            "notes": [*self._notes.values(), *self._lead.notes(), *self._gallery.faults()],
            "memory_mb": round(psutil.Process().memory_info().rss / 2**20),
        }

    def close(self) -> None:
        """Stop the threads beside the engine."""
        self._lead.close()
        self._gallery.close()

    def _frame(self, look: Look, steps: int, crops: int) -> NDArray[np.uint8]:
        references = self._gallery.of(look)
        start = self._gallery.start(references)
        if start is not None:
            self._painting.go_on_from(start)
        count = look.whole("first_steps") if self._painting.is_new else steps
        pulls = self._lead.pulls(look, count)
        self._facts["beat_ms"] = self._expected_ms(look, crops)
        began = self._clock()
        shown = self._painting.next_frame(look, steps, crops, pulls, references)
        if not torch.isfinite(shown).all():  # waits for the device, so the clock read next tells the truth
            return self._mended()
        step_s = (self._clock() - began) / count
        self._view_s, self._canvas = step_s / crops, (shown.shape[-2], shown.shape[-1])
        self._facts |= {"steps": count, "crops": crops, "step_ms": 1000.0 * step_s}
        frame = self._finish.frame(look, shown)
        self._facts["denoise_ms"] = 1000.0 * self._finish.spent_s
        return frame

    def _mended(self) -> NDArray[np.uint8]:
        """The last frame again, which the next one starts from: this one held values that are no numbers."""
        log.warning("engine: a picture held values that are no numbers; going on from the last frame")
        self._notes["mended"] = "a picture broke and was painted again from the last frame"
        if self._shown is None:
            raise EngineError("the guide gives no usable gradients (not a number in the first picture)")
        self._painting.go_on_from(as_picture(self._shown, self._device))
        return self._shown

    def _passed(self, look: Look, now: float) -> float:
        """Seconds since the frame before, for what moves: by the clock when live, or else as `engine_fps` says."""
        before, self._painted_at = self._painted_at, now
        if not self._is_live:
            return 1.0 / look.number("engine_fps")
        return 0.0 if before is None else min(LONGEST_S, now - before)

    def _beat(self) -> None:
        self.beat()

    def _expected_ms(self, look: Look, crops: int) -> float:
        """About how long the next step takes, from what a view cost last: a jump to slow settings is no hang."""
        area, before = look.whole("canvas_width") * look.whole("canvas_height"), self._canvas[0] * self._canvas[1]
        return 1000.0 * self._view_s * crops * max(1.0, area / before if before else 1.0)

    def _follow_guide(self, look: Look, now: float) -> None:
        """Let the guides lead that the look asks for, if they are ready; what is fast enough is found anew then."""
        if self._lead.follow(look, now):
            self._view_s, self._most_crops = max(self._view_s, self._lead.view_s), 0
            self._governor = _governor(look, self._lead.view_s)

    def _effort(self, look: Look) -> tuple[int, int]:
        steps, crops = (self._governor if self._is_live else Governor()).effort(look)
        return steps, min(crops, self._most_crops or crops)

    def _account(self, look: Look, frame_s: float, is_first: bool) -> None:
        self._facts["frame_ms"] = 1000.0 * frame_s
        if self._is_live:
            if not is_first:  # which has steps of its own, and pays for everything done once
                self._governor = self._governor.after(frame_s, look)
            self._facts["governor"] = self._governor.sentence(look)

    def _obey_triggers(self, look: Look) -> None:
        """A trigger has fired when its count is another than in the last look; the first look fires none."""
        kick = partial(self._painting.kick, look.number("kick_amount"))
        acts: dict[str, Callable[[], None]] = {
            "reroll": partial(self._painting.reroll, look.number("reroll_s")),
            "kick": kick,
            "start_from_source": self._gallery.want_start,
        }
        for name, act in acts.items():
            count = look.whole(name)
            if self._fired.setdefault(name, count) != count:
                self._fired[name] = count
                act()

    def _note_paper(self, look: Look) -> None:
        self._notes.pop("paper", None)
        if look.text("temperature_law") == "paper" and len(self._lead.guides) == 1:
            self._notes["paper"] = "one guide only: the paper alternates two, ViT-B/16 and ViT-B/32"

    def _retreat(self, err: RuntimeError, crops: int) -> None:
        """Make the next try smaller or move it to the CPU, from the last frame. Raises EngineError at the end."""
        log.warning("engine: %s failed: %s", self._device, err)
        if _is_memory(err) and crops > FEWEST_CROPS:
            self._most_crops = max(FEWEST_CROPS, crops // 2)
            self._notes["memory"] = f"{self._device} ran out of memory; painting with {self._most_crops} crops"
            self._free_memory()
        elif self._device != CPU:
            self._notes["device"] = f"{self._device} failed ({_first_line(err)}); painting on the CPU"
            self._move_to_cpu()
        else:
            raise EngineError(f"the CPU cannot paint this: {_first_line(err)}") from err
        if self._shown is not None:
            self._painting.go_on_from(as_picture(self._shown, self._device))
        else:
            self._painting.restart()

    def _free_memory(self) -> None:
        self._painting.restart()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _move_to_cpu(self) -> None:
        self._lead.move_to_cpu()
        self._device, self._most_crops = CPU, 0
        self._painting = Painting(CPU, self._seed, self._beat)
        self._gallery.close()
        self._gallery = Gallery(CPU, waits=not self._is_live)


def _governor(look: Look, view_s: float) -> Governor:
    """One that begins where frames of views at this price are in time; else the first few would hold the picture."""
    ladder = rungs(look.whole("steps"), look.whole("crops"))
    budget_s = 1.0 / look.number("engine_fps")
    fits = [n for n, (steps, crops) in enumerate(ladder) if steps * crops * view_s <= budget_s]
    return Governor(rung=fits[0] if fits else len(ladder) - 1)


def _unheard() -> None:
    """Nobody listens to the beat."""


def _is_memory(err: RuntimeError) -> bool:
    return isinstance(err, torch.OutOfMemoryError) or "out of memory" in str(err) or "allocate memory" in str(err)


def _first_line(err: BaseException) -> str:
    return (str(err).strip().splitlines() or [type(err).__name__])[0]

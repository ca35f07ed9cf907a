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

from engine.aim import Pull
from engine.compiled import MODES, NONE, Compiled
from engine.denoise.finish import Finish
from engine.errors import EngineError, first_line
from engine.fused.loading import offer
from engine.gallery import Gallery
from engine.governor import FEWEST_CROPS, Governor, rungs
from engine.guides.guide import Guide
from engine.handover import Handover, Painted
from engine.kernels.loading import load, load_beside
from engine.lead import Lead
from engine.marks import Marks
from engine.newest import Newest
from engine.painting import Painting
from engine.parameters import Look
from engine.picture import as_picture
from engine.trial import try_beside, try_now

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
        compile_mode: str = "",
        overlaps: bool = False,
    ) -> None:
        """`guides` lie on `device`; a `compile_mode` of `engine.compiled` has CUDA's steps compiled, when live beside,
        and with `none` not even fused.

        When not `is_live`, texts are waited for and nothing is governed: same looks and seed, same frames. With
        `overlaps` CUDA always has the next frame to work on, as in a show that it is too slow for: for measuring.
        """
        self.beat: Callable[[], None] = _unheard
        """Called before every step, so that a long frame is seen to be worked at."""
        self._device, self._seed, self._clock = device, seed, clock
        self._is_live, self._compile_mode, self._overlaps = is_live, compile_mode, overlaps
        self.serial = 0
        """Of the newest look that the last frame was painted from, whole."""
        self._lead = Lead(guides, device, waits=not is_live)
        self._set_up()
        self._governor = Governor()
        self._most_crops = 0
        self._shown: NDArray[np.uint8] | None = None
        self._painted_at: float | None = None
        self._fired: dict[str, int] = {}
        self._notes: dict[str, str] = {}
        self._view_s, self._canvas = 0.0, (0, 0)
        self._facts: dict[str, Any] = {"steps": 0, "crops": 0, "step_ms": 0.0, "frame_ms": 0.0, "governor": ""}

    def paint(self, look: Look, newest: Callable[[], Look | None] = lambda: None) -> NDArray[np.uint8]:
        """The next frame, (h, w, 3) at the look's canvas size, or `upscale` times as large.

        When live, `newest` is asked before every further step for the newest look there is, which that step takes up
        as far as it can (see `engine.newest`); `serial` says which look the frame was painted from then. The frame is
        there when it returns, but where CUDA is too slow for `engine_fps` it is the one before.

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
                watch = Newest(look, newest if self._is_live else lambda: None)
                self._ask_for_frame(watch, look, steps, crops)
                self._shown = self._handed(started + (0.0 if self._overlaps else 1.0 / look.number("engine_fps")))
                break
            except RuntimeError as err:
                self._retreat(err, crops)
        self._account(look, self._clock() - started, is_first)
        return self._shown

    def start_from(self, rgb: NDArray[np.uint8]) -> None:
        """Go on from this frame, (h, w, 3) uint8 of any size, as after a crash."""
        self._shown = np.array(rgb, dtype=np.uint8, copy=True)
        self._handover.drop()
        self._painting.go_on_from(as_picture(self._shown, self._device))

    def report(self) -> dict[str, Any]:
        """Facts for the engine's pulse: the last frame's numbers, guide, device, canvas, notes for the screen."""
        height, width = self._canvas
        return {
            **self._facts,
            **self._lead.report(),
            "device": str(self._device),
            "canvas": [width, height],
            "notes": [*self._notes.values(), *self._painting.notes(), *self._about_the_look()],
            "memory_mb": round(psutil.Process().memory_info().rss / 2**20),
        }

    def _about_the_look(self) -> list[str]:
        return [*self._lead.notes(), *self._gallery.faults(), *self._finish.notes()]

    def close(self) -> None:
        """Stop the threads beside the engine."""
        self._lead.close()
        self._gallery.close()

    def _set_up(self) -> None:
        """Have all that works on the device, but the guides."""
        device, waits = self._device, not self._is_live
        if device == CPU:
            (load if waits else load_beside)()
        elif device.type == "cuda" and self._compile_mode != NONE:
            (try_now if waits else try_beside)(device)
        else:
            offer(None, device)
        is_compiled = device.type == "cuda" and self._compile_mode in MODES
        compiled = Compiled(device, self._compile_mode, waits) if is_compiled else None
        self._painting = Painting(device, self._seed, self._beat, compiled=compiled)
        self._finish = Finish(device, waits)
        self._gallery = Gallery(device, waits)
        self._marks = Marks(device, self._clock)
        self._handover = Handover(device, waits and not self._overlaps, self._clock)

    def _ask_for_frame(self, watch: Newest, look: Look, steps: int, crops: int) -> None:
        """Ask the device for the next frame of this look."""
        references = self._gallery.of(look)
        start = self._gallery.start(references)
        if start is not None:
            self._painting.go_on_from(start)
        count = look.whole("first_steps") if self._painting.is_new else steps
        pulls = self._lead.pulls(look, count)
        self._facts["beat_ms"] = self._expected_ms(look, crops)
        began, fresh = self._marks.mark(), partial(self._fresh, watch, pulls)
        shown = self._painting.next_frame(look, steps, crops, pulls, references, fresh)
        stepped, is_sound = self._marks.mark(), torch.isfinite(shown.sum())
        levels = self._finish.levels(look, shown)
        marks, size = (began, stepped, self._marks.mark()), (shown.shape[-2], shown.shape[-1])
        self._handover.give(Painted(levels, is_sound, watch.serial, (count, crops), marks, size))

    def _fresh(self, watch: Newest, pulls: Sequence[Pull]) -> tuple[Look, Sequence[Pull]] | None:
        look = watch.take()
        return None if look is None else (look, self._lead.again(pulls, look))

    def _handed(self, until: float) -> NDArray[np.uint8]:
        """The frame to show now, by this time if it can be."""
        copy = self._handover.take(until)
        if copy is None:
            return self._again()
        rgb, is_sound = copy.frame()
        if not is_sound:
            return self._mended()
        self._note_costs(copy.painted)
        self.serial = copy.painted.serial
        return rgb

    def _note_costs(self, painted: Painted) -> None:
        (steps, crops), (began, stepped, finished) = painted.effort, painted.marks
        step_s, finish_s = self._marks.seconds(began, stepped) / steps, self._marks.seconds(stepped, finished)
        self._view_s, self._canvas = step_s / crops, painted.size
        self._facts |= {"steps": steps, "crops": crops, "step_ms": 1000.0 * step_s, "denoise_ms": 1000.0 * finish_s}
        self._finish.took(finish_s)

    def _mended(self) -> NDArray[np.uint8]:
        """The last frame again, which the next one starts from: this one held values that are no numbers."""
        self._handover.drop()
        log.warning("engine: a picture held values that are no numbers; going on from the last frame")
        self._notes["mended"] = "a picture broke and was painted again from the last frame"
        last = self._again()
        self._painting.go_on_from(as_picture(last, self._device))
        return last

    def _again(self) -> NDArray[np.uint8]:
        """The last frame once more. Raises EngineError before there is one."""
        if self._shown is None:
            raise EngineError("the guide gives no usable gradients (not a number in the first picture)")
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
            self._painting.change_guides()
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
        self._handover.drop()
        if _is_memory(err) and crops > FEWEST_CROPS:
            self._most_crops = max(FEWEST_CROPS, crops // 2)
            self._notes["memory"] = f"{self._device} ran out of memory; painting with {self._most_crops} crops"
            self._free_memory()
        elif self._device != CPU:
            self._notes["device"] = f"{self._device} failed ({first_line(err)}); painting on the CPU"
            self._move_to_cpu()
        else:
            raise EngineError(f"the CPU cannot paint this: {first_line(err)}") from err
        if self._shown is not None:
            self._painting.go_on_from(as_picture(self._shown, self._device))
        else:
            self._painting.restart()

    def _free_memory(self) -> None:
        self._painting.release()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _move_to_cpu(self) -> None:
        self._lead.move_to_cpu()
        self._device, self._most_crops = CPU, 0
        self._gallery.close()
        self._set_up()


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

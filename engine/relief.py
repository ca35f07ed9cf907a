"""Guides that are to take over: loaded in a thread beside those that lead, while the picture goes on."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psutil
import torch

from engine.beside import short_turns
from engine.devices import wait_for
from engine.errors import GuideError, MissingGuideError
from engine.guides.guide import Guide
from engine.guides.loading import find_source, load_guide

log = logging.getLogger("engine.relief")

ROOM = 2.5
"""Memory that loading takes, in sizes of the file: the file's weights, the model's, and what is left to live on."""
TRIAL_VIEWS = 2


@dataclass(frozen=True, slots=True)
class Asked:
    """Guides by name, joined with +, and where they are to lie; `have` are loaded already."""

    names: str
    device: torch.device
    have: tuple[Guide, ...] = ()


class Relief:
    """Gets guides ready. Owns the thread that loads them; every call is made by the engine's thread."""

    def __init__(self, load: Callable[[str, torch.device], Guide] = load_guide) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._asked: Asked | None = None
        self._worker: threading.Thread | None = None
        self.guides: tuple[Guide, ...] = ()
        """Those that were asked for, once they are ready."""
        self.view_s = 0.0
        """What one view costs them all together, forward and backward; measured while others lead, so at most this."""
        self.fault = ""
        """Why they cannot be had, in one sentence."""
        self.is_missing = False
        """Whether they only have to be fetched."""

    @property
    def is_loading(self) -> bool:
        """Whether something was asked for that is neither ready nor known to fail."""
        return self._asked is not None and not self.guides and not self.fault

    def ask(self, asked: Asked) -> None:
        """Get these guides ready, in place of what was asked for before."""
        with self._lock:
            self._forget()
            self._asked = asked
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="relief", daemon=True)
                self._worker.start()

    def drop(self) -> None:
        """Nothing is wanted any more."""
        with self._lock:
            self._forget()

    def wait(self) -> None:
        """Return once what was asked for is ready or known to fail."""
        worker = self._worker
        if worker is not None:
            worker.join()

    def _forget(self) -> None:
        self._asked, self.guides, self.fault, self.is_missing = None, (), "", False

    def _work(self) -> None:
        while True:
            with self._lock:
                asked = self._asked
                if asked is None or self.guides or self.fault:
                    self._worker = None
                    return
            guides, view_s, err = self._got(asked)
            with self._lock:
                if asked is self._asked:  # else something else is wanted by now
                    self.guides, self.view_s = guides, view_s
                    self.fault, self.is_missing = str(err or ""), isinstance(err, MissingGuideError)
            del guides

    def _got(self, asked: Asked) -> tuple[tuple[Guide, ...], float, Exception | None]:
        try:
            with short_turns():
                guides = tuple(self._one(name, asked) for name in asked.names.split("+"))
                return guides, sum(_trial(guide) for guide in guides), None
        except GuideError as err:
            log.info("relief: %s", err)
            return (), 0.0, err
        except Exception as err:
            log.exception("relief: %s cannot be loaded", asked.names)
            return (), 0.0, GuideError(f"guide {asked.names!r} cannot be loaded: {str(err).splitlines()[:1]}")

    def _one(self, name: str, asked: Asked) -> Guide:
        ours = next((guide for guide in asked.have if guide.name == name and guide.device == asked.device), None)
        if ours is not None:
            return ours
        _need_room(name)
        return self._load(name, asked.device)


def _need_room(name: str) -> None:
    """Raise GuideError rather than let the system end the show for want of memory."""
    file = None if name == "shipped" else find_source(name).file
    if file is None:
        return
    needed, free = ROOM * file.stat().st_size, psutil.virtual_memory().available
    if needed > free:
        raise GuideError(f"guide {name!r} needs about {needed / 1e6:.0f} MB of memory, {free / 1e6:.0f} MB are free")


def _trial(guide: Guide) -> float:
    """Seconds one view costs. Also pays for all that a device does only once, before the picture waits for it."""
    views = torch.full((TRIAL_VIEWS, 3, guide.image_size, guide.image_size), 0.5, device=guide.device)
    began = time.perf_counter()
    guide.embed_image(views.requires_grad_()).sum().backward()
    wait_for(guide.device)
    if views.grad is None or not torch.isfinite(views.grad).all():
        raise GuideError(f"guide {guide.name!r} gives no usable gradients")
    return (time.perf_counter() - began) / TRIAL_VIEWS


def named(guides: Sequence[Guide]) -> str:
    """The guides' names as they are asked for."""
    return "+".join(guide.name for guide in guides)

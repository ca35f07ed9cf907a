"""The mix: from the engine's frames to what the audience gets, one turn at a time."""

import numpy as np
from PIL import Image

from engine.parameters import Look
from vj.mailboxes import Frame, Rgb
from vj.program.picture import as_frame, blended, drifted, graded, scaled
from vj.standby import standby

HOLDING_AFTER_S = 1.0


class Mix:
    """Owns the picture that is shown and the newest one it moves toward. Never gives black unless asked for it."""

    def __init__(self, width: int, height: int, started: float) -> None:
        self.width, self.height = width, height
        self._started = started
        self._newest: Image.Image | None = None
        self._shown: Image.Image | None = None
        self._frozen: Image.Image | None = None
        self._arrived = 0.0
        self._black: Rgb = np.zeros((height, width, 3), np.uint8)

    @property
    def has_painted(self) -> bool:
        """Whether a painted frame has arrived."""
        return self._newest is not None

    def is_holding(self, now: float) -> bool:
        """Whether the engine has been silent for so long that its last frame is being kept alive."""
        return self.has_painted and now - self._arrived > HOLDING_AFTER_S

    def take(self, frame: Frame, now: float) -> None:
        """A new frame came from the engine, or the last one was found again after a restart."""
        if self._shown is not None and self.is_holding(now):
            # The blend out of a held picture starts from where its drift had brought it.
            self._shown = drifted(self._shown, now - self._arrived - HOLDING_AFTER_S)
        self._newest = scaled(frame.rgb, self.width, self.height)
        self._arrived = now

    def turn(self, look: Look, now: float) -> Rgb:
        """The program's frame at this time, uint8 RGB (height, width, 3)."""
        picture = self._picture(look, now)
        if look.is_on("freeze"):
            self._frozen = picture = self._frozen or picture
        else:
            self._frozen = None
        if look.is_on("blackout"):
            return self._black
        picture = graded(picture, look.number("contrast"), look.number("saturation"), look.number("master"))
        return as_frame(picture)

    def _picture(self, look: Look, now: float) -> Image.Image:
        if self._newest is None:
            self._shown = Image.fromarray(standby(self.width, self.height, now - self._started))
            return self._shown
        # A program that came back finds a frame at its first turn and goes on from it, not from the standby picture.
        self._shown = blended(self._shown or self._newest, self._newest, look.number("smooth"))
        if self.is_holding(now):
            return drifted(self._shown, now - self._arrived - HOLDING_AFTER_S)
        return self._shown

"""A look that comes while a frame is being painted: what of it the next step takes up, and what waits."""

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

from engine.parameters import PARAMETERS, Look

READ_EACH_STEP = frozenset(
    {name for name, row in PARAMETERS.items() if row.group == "prompts"}
    - {"source", "style_picture", "start_from_source", "blend_shape", "lead"}
    | {"temperature", "temperature_scale", "stability", "smoothness", "learning_rate", "palette_weight"}
    | {"crop_low", "crop_high", "ends", "aspect", "squeeze", "perspective", "overhang"}
    | {"range_pull", "brightness_pull", "contrast_pull", "saturation_pull"}
)
"""What a step asks anew: prompts, weights, temperature, how views are cut. All else decides a frame as a whole."""

NOT_OURS = frozenset(
    {name for name, row in PARAMETERS.items() if row.group == "program"}
    | {"contrast", "saturation", "blend_shape", "lead", "beat", "tempo"}
)
"""What the engine never looks at."""

NEED_REFERENCES = ("style_weight", "source_weight", "palette_weight")
"""Weights of what is fetched for a frame as a whole, unless it was already asked for when the frame began."""

WAITING = tuple(name for name in PARAMETERS if name not in READ_EACH_STEP | NOT_OURS)


class Newest:
    """Watches for other looks during one frame. Owns the serial that the frame may bear."""

    def __init__(self, look: Look, read: Callable[[], Look | None]) -> None:
        """`look` is the frame's; `read` gives the newest there is, the same object while there is no other."""
        self._look = self._seen = look
        self._read = read
        self.serial = look.serial
        """Of the newest look that took part with all it asks of the engine; one that waits in part is the next's."""

    def take(self) -> Look | None:
        """The look from the next step on, if another has come since the last time."""
        found = self._read()
        if found is None or found is self._seen:
            return None
        self._seen = found
        taken = taken_up(self._look, found)
        self.serial = taken.serial
        return taken


def taken_up(look: Look, newest: Look) -> Look:
    """The newest look where each step asks anew, and the frame's own look in all else.

    Its serial is the newest's if nothing of that one has to wait, or else the frame's own.
    """
    waiting = [*WAITING, *(name for name in NEED_REFERENCES if not look.number(name))]
    kept = {name: look.values[name] for name in waiting}
    is_all = all(newest.values[name] == value for name, value in kept.items())
    values = MappingProxyType({**newest.values, **kept})
    return replace(newest, values=values, serial=newest.serial if is_all else look.serial)

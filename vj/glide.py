"""Numbers on their way from one value to another. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Glide:
    """One number's way from `start` to `end` in `seconds` from the monotonic time `began`, in a straight line."""

    start: float
    end: float
    began: float
    seconds: float

    def at(self, now: float) -> float:
        """The value at this time; `end` once it is over."""
        done = 1.0 if self.is_over(now) else max(0.0, (now - self.began) / self.seconds)
        return self.start + done * (self.end - self.start) if done < 1.0 else self.end

    def is_over(self, now: float) -> bool:
        """Whether it has arrived."""
        return now >= self.began + self.seconds


Glides = Mapping[str, Glide]
NO_GLIDES: Glides = MappingProxyType({})

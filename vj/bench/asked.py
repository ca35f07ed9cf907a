"""What the bench was asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.parameters import Look
from vj import library

PARTS = ("engine", "latency", "cadence", "memory")
SHOW_PARTS = ("latency", "cadence", "memory")
RANDOM = "random:"
"""Before the name of an open_clip model, in place of a guide's name: its weights are random."""
PROGRAM_SIZE = "640x360"
MOST_REPEATS, LONGEST_MINUTES = 1000, 24 * 60


@dataclass(frozen=True, slots=True)
class Asked:
    """The bench's options. `values` are the parameters that differ from the preset's, and go to engine and show."""

    parts: tuple[str, ...] = PARTS
    guide: str = "shipped"
    preset: str = "live"
    values: Mapping[str, Any] = field(default_factory=dict)
    canvas: tuple[int, int] | None = None
    """Of the engine's part alone; None is the preset's."""
    program_size: str = PROGRAM_SIZE
    device: str = "auto"
    cores: int = 0
    repeats: int = 20
    vram_gb: float | None = None
    profile: Path | None = None
    compile_mode: str = ""
    encode: bool = False
    minutes: float = 1.0
    is_watched: bool = True

    @property
    def is_random(self) -> bool:
        """Whether a guide has random weights."""
        return any(name.startswith(RANDOM) for name in self.guide.split("+"))

    @property
    def show_parts(self) -> tuple[str, ...]:
        """Those parts that need a show."""
        return tuple(part for part in SHOW_PARTS if part in self.parts)

    def look(self) -> Look:
        """What the engine's part paints."""
        values = {**library.read_preset(library.find("presets", self.preset)).values, **self.values}
        if self.canvas:
            values |= {"canvas_width": self.canvas[0], "canvas_height": self.canvas[1]}
        return Look().with_values(values)

    def play_options(self, guide: str) -> list[str]:
        """The options of `vj play` for the show's parts, its guide under the name it is loaded by."""
        options = ["--guide", guide, "--preset", self.preset, "--size", self.program_size, "--device", self.device]
        options += ["--cores", str(self.cores)]
        options += ["--compile", self.compile_mode] if self.compile_mode else []
        for name, value in self.values.items():
            options += ["--set", f"{name}={value}"]
        return options

"""Remake the sheets of docs/picture.md by one command: python -m engine.training.sheets --out docs.

temperatures: six of 60 frames, two prompts, five temperatures, as in figure 4 of Schaldenbrand, Liu & Oh 2022.
heights: canvases 64 to 720 high, denoised and not, as in its figures 5 and 6. gallery: 24 prompts. change: mean
frame-to-frame change at T = 0 to 100, as a table (change.md) and a plot (change.svg).
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from engine.devices import choose_device
from engine.guides.guide import Guide
from engine.guides.loading import load_guide
from engine.score.measures import change
from engine.score.plots import line_plot, standalone
from engine.training.sheets_layout import Tile, contact_sheet, table_of_frames
from engine.training.sheets_painting import Rgb, cores, crossfade, last_frame, painted, preset_look

PRESETS = ("live", "paper")

FADE = ("a red lighthouse over the ocean waves", "a golden moon in the starry night")
TEMPERATURES = (0, 25, 50, 75, 100)
FRAMES, SHOWN = 60, 6

HEIGHTS = (64, 128, 256, 360, 512, 720)
HEIGHT_PROMPT = "a red rose in a green garden"

GALLERY = (
    "a red lighthouse over the ocean waves", "a golden moon in the starry night", "a heart on fire",
    "a white whale under the sea", "purple lightning in a stormy sky", "green northern lights above the snow",
    "a black cat", "an orange fox in the forest", "city lights in the pouring rain", "a skull on red rays",
    "three yellow sunflowers", "a blue butterfly over the grass", "sunset over the mountains", "a silver robot",
    "fire", "laser beams", "a galaxy", "black and white spiral", "a pink umbrella in the rain", "molten lava",
    "a shooting star", "cherry blossoms", "a rocket in space", "a lonely ghost in the fog",
)  # fmt: skip

STEPS_OF_T = tuple(range(0, 101, 10))
CHANGE_PROMPTS = (GALLERY[0], GALLERY[7])
SETTLE_S, MEASURE_S = 1.5, 2.0

Maker = Callable[[Sequence[Guide], Path], None]


def main() -> None:
    """Paint what was asked for, and say how long each took."""
    options = _options()
    cores(options.cores)
    device, _ = choose_device(options.device)
    guides = [load_guide(name, device) for name in options.guide.split("+")]
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.sheet or SHEETS:
        began = time.monotonic()
        SHEETS[name](guides, options.out)
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)


def temperatures(guides: Sequence[Guide], out: Path) -> None:
    """Write temperatures-PRESET.png: the same blend of two prompts at five temperatures, six of its frames each."""
    for preset in PRESETS:
        rows = []
        for t in TEMPERATURES:
            looks = crossfade(preset_look(preset, temperature=t, lead=0.0), *FADE, FRAMES)
            frames = list(painted(guides, looks))
            picked = np.linspace(0, FRAMES - 1, SHOWN).round().astype(int)
            rows.append((f"T = {t}", [frames[n] for n in picked]))
        title = f"{preset}: six of {FRAMES} frames, “{FADE[0]}” to “{FADE[1]}”"
        table_of_frames(rows, title).save(out / f"temperatures-{preset}.png", optimize=True)


def heights(guides: Sequence[Guide], out: Path) -> None:
    """Write heights.png: one prompt on canvases of six heights, before and after the denoiser of its preset."""
    rows: list[tuple[str, list[Rgb]]] = []
    for preset in PRESETS:
        plain, clean = _at_heights(guides, preset, "none"), _at_heights(guides, preset, "")
        rows += [(f"{preset},\nnot denoised", plain), (f"{preset},\ndenoised", clean)]
    title = f"“{HEIGHT_PROMPT}” on canvases {', '.join(map(str, HEIGHTS))} px high"
    table_of_frames(rows, title, 256).save(out / "heights.png", optimize=True)


def _at_heights(guides: Sequence[Guide], preset: str, denoiser: str) -> list[Rgb]:
    """One frame of each height; the paper's first frame of 50 steps, or two seconds of live."""
    found = []
    for height in HEIGHTS:
        width = round(height * 16 / 9 / 2) * 2
        look = preset_look(preset, canvas_width=width, canvas_height=height)
        look = look.with_values({"denoiser": denoiser or look.text("denoiser")})
        frames = 1 if preset == "paper" else round(1.0 * look.number("engine_fps"))
        found.append(last_frame(guides, replace(look, line=HEIGHT_PROMPT), frames))
    return found


def gallery(guides: Sequence[Guide], out: Path) -> None:
    """Write gallery.png: 24 prompts, each after three seconds of `live`, none of them chosen afterwards."""
    look = preset_look("live")
    frames = round(3.0 * look.number("engine_fps"))
    tiles = [Tile(last_frame(guides, replace(look, line=text), frames), text) for text in GALLERY]
    contact_sheet(tiles, 4, 256).save(out / "gallery.png", optimize=True)


def changes(guides: Sequence[Guide], out: Path) -> None:
    """Write change.md and change.svg: mean frame-to-frame change at every tenth temperature, flash guard off."""
    found = {preset: [change_at(guides, preset, t) for t in STEPS_OF_T] for preset in PRESETS}
    rows = [f"| {t} | " + " | ".join(f"{found[p][n]:.5f}" for p in PRESETS) + " |" for n, t in enumerate(STEPS_OF_T)]
    head = ["| T | " + " | ".join(f"`{preset}`" for preset in PRESETS) + " |", "|---" * (len(PRESETS) + 1) + "|"]
    ratios = [f"`{p}`: {found[p][-1] / max(1e-9, found[p][0]):.1f}x from 0 to 100, {_order(found[p])}" for p in PRESETS]
    (out / "change.md").write_text("\n".join([*head, *rows, "", *ratios]) + "\n", encoding="utf-8")
    series = {preset: list(zip(map(float, STEPS_OF_T), values, strict=True)) for preset, values in found.items()}
    plot = line_plot("mean absolute change from frame to frame, 0..1", series, across="T")
    (out / "change.svg").write_text(standalone(plot), encoding="utf-8")


def change_at(guides: Sequence[Guide], preset: str, temperature: float) -> float:
    """Mean absolute difference of neighbouring frames of the engine, 0..1, once settled; no program, no guard."""
    look = preset_look(preset, temperature=temperature)
    settle, measure = (max(2, round(s * look.number("engine_fps"))) for s in (SETTLE_S, MEASURE_S))
    found = []
    for text in CHANGE_PROMPTS:
        before: Rgb | None = None
        for n, rgb in enumerate(painted(guides, [replace(look, line=text)] * (settle + measure))):
            if before is not None and n >= settle:
                found.append(change(rgb, before))
            before = rgb
    return float(np.mean(found))


def _order(values: Sequence[float]) -> str:
    is_rising = all(later >= earlier for earlier, later in pairwise(values))
    return "rising throughout" if is_rising else "not rising throughout"


SHEETS: dict[str, Maker] = {"temperatures": temperatures, "heights": heights, "gallery": gallery, "change": changes}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m engine.training.sheets", description=__doc__)
    parser.add_argument("sheet", nargs="*", help=f"which: {', '.join(SHEETS)} (default: all)")
    parser.add_argument("--guide", default="shipped", help="guide by name; G+G for two")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder to write into")
    options = parser.parse_args()
    strange = [name for name in options.sheet if name not in SHEETS]
    if strange:
        parser.error(f"no sheet called {strange[0]!r}; known are {', '.join(SHEETS)}")
    return options


if __name__ == "__main__":
    main()

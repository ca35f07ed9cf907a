"""Have the shipped guide judged: python -m engine.training.judging --out judging.

Paints each prompt of judging.toml for two seconds of a preset, frame by frame, and asks a judge that no loss has
seen to pick the prompt out of all of them; then measures how much the pictures of different prompts differ. Writes
OUT.json and the contact sheet OUT.png.
"""

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.devices import choose_device
from engine.guides.guide import Guide
from engine.guides.loading import load_guide
from engine.parameters import Look
from engine.score.critic import Critic, GuideCritic, JudgeCritic, Rgb
from engine.score.judge import JUDGE_PATH, load_judge
from engine.score.song import judging_prompts
from engine.training.judging_variety import Variety, show_frames, variety
from engine.training.sheets_layout import BAD, GOOD, Tile, contact_sheet
from engine.training.sheets_painting import cores, last_frame, preset_look

AGAIN_EVERY = 5
"""Every fifth prompt is painted with other seeds too, to see how much one prompt's pictures differ."""

TURN_S = 5.0
"""How long a prompt is sung in the show on one canvas."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One prompt, its picture, and the place of the right prompt in the judge's order, 0 being picked."""

    kind: str
    prompt: str
    rgb: Rgb
    place: int
    picked: str


def main() -> None:
    """Paint, judge, print a table, write the report and the sheet."""
    options = _options()
    cores(options.cores)
    device, _ = choose_device(options.device)
    guides = [load_guide(name, device) for name in options.guide.split("+")]
    critic: Critic = JudgeCritic(load_judge(options.judge))
    if options.critic != "judge":
        critic = GuideCritic(load_guide(options.critic, device))
    began = time.monotonic()
    report, judged = judge_guide(guides, critic, options)
    report["seconds"] = round(time.monotonic() - began, 1)
    options.out.with_suffix(".json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    tiles = [Tile(one.rgb, one.prompt, BAD if one.place else GOOD) for one in judged]
    contact_sheet(tiles, 10).save(options.out.with_suffix(".png"), optimize=True)
    print(json.dumps({name: value for name, value in report.items() if name != "prompts"}, indent=1))


def judge_guide(
    guides: Sequence[Guide], critic: Critic, options: argparse.Namespace
) -> tuple[dict[str, Any], list[Judged]]:
    """The report, as it is written, and every prompt with its picture."""
    look = preset_look(options.preset)
    frames = max(1, round(options.seconds * look.number("engine_fps")))
    prompts = [(kind, text) for kind, texts in judging_prompts().items() for text in texts[: options.each]]
    pictures = _paint_all(guides, look, [text for _, text in prompts], frames, options.seed)
    judged = pick(prompts, pictures, critic)
    report: dict[str, Any] = {
        "guide": "+".join(guide.name for guide in guides),
        "critic": critic.name,
        "preset": options.preset,
        "frames": frames,
        **accuracy(judged),
        "variety": variety(_again(guides, look, judged, frames, options.seed), critic),
    }
    if options.show_minutes:
        turns = [text for _, text in prompts[::AGAIN_EVERY]]
        report["show"] = _show(guides, look, turns, critic, options)
    report["prompts"] = [{"kind": j.kind, "prompt": j.prompt, "place": j.place, "picked": j.picked} for j in judged]
    return report, judged


def pick(prompts: Sequence[tuple[str, str]], pictures: Sequence[Rgb], critic: Critic) -> list[Judged]:
    """Where the judge puts each picture's own prompt among all of them."""
    texts = [text for _, text in prompts]
    cosines = _seen(critic, pictures) @ critic.read(texts).T
    order = cosines.argsort(dim=1, descending=True)
    found = []
    for n, ((kind, text), rgb) in enumerate(zip(prompts, pictures, strict=True)):
        place = int((order[n] == n).nonzero()[0, 0])
        found.append(Judged(kind, text, rgb, place, texts[int(order[n, 0])]))
    return found


def accuracy(judged: Sequence[Judged]) -> dict[str, Any]:
    """Shares picked right, of all and per class, and shares in which the right one was among the first five."""
    kinds = list(dict.fromkeys(one.kind for one in judged))
    return {
        "choices": len(judged),
        "accuracy": _share(judged, 1),
        "among_five": _share(judged, 5),
        "accuracy_per_class": {kind: _share([one for one in judged if one.kind == kind], 1) for kind in kinds},
        "among_five_per_class": {kind: _share([one for one in judged if one.kind == kind], 5) for kind in kinds},
    }


def _share(judged: Sequence[Judged], among: int) -> float:
    return round(statistics.fmean(one.place < among for one in judged), 4) if judged else 0.0


def _paint_all(guides: Sequence[Guide], look: Look, texts: Sequence[str], frames: int, seed: int) -> list[Rgb]:
    found = []
    for n, text in enumerate(texts):
        found.append(last_frame(guides, replace(look, line=text), frames, seed))
        if n % 10 == 9:
            print(f"painted {n + 1} of {len(texts)}", flush=True)
    return found


def _again(guides: Sequence[Guide], look: Look, judged: Sequence[Judged], frames: int, seed: int) -> list[Variety]:
    """Every picture, and for some prompts one with another seed."""
    found = []
    for n, one in enumerate(judged):
        others = []
        if n % AGAIN_EVERY == 0:
            others.append(last_frame(guides, replace(look, line=one.prompt), frames, seed + 1))
        found.append(Variety(one.prompt, (one.rgb, *others)))
    return found


def _show(
    guides: Sequence[Guide], look: Look, turns: Sequence[str], critic: Critic, options: argparse.Namespace
) -> dict[str, Any]:
    """The same measures at the end of each prompt's turns on one canvas that goes on."""
    passes = max(2, round(options.show_minutes * 60 / (TURN_S * len(turns))))
    found = show_frames(guides, look, turns, passes, round(TURN_S * look.number("engine_fps")))
    judged = [
        one for n in range(passes) for one in pick([("show", t) for t in turns], [v.rgbs[n] for v in found], critic)
    ]
    return {
        "minutes": round(passes * len(turns) * TURN_S / 60, 2),
        "choices": len(turns),
        "accuracy_first_pass": _share(judged[: len(turns)], 1),
        "accuracy_last_pass": _share(judged[-len(turns) :], 1),
        "variety": variety(found, critic),
    }


def _seen(critic: Critic, pictures: Sequence[Rgb]) -> Tensor:
    return torch.cat([critic.see(pictures[n : n + 16]) for n in range(0, len(pictures), 16)])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m engine.training.judging", description=__doc__)
    parser.add_argument("--guide", default="shipped", help="guide by name; G+G for two")
    parser.add_argument("--critic", default="judge", help="who judges: judge, or a guide that is not in the loss")
    parser.add_argument("--judge", type=Path, default=JUDGE_PATH, help="another judge's file")
    parser.add_argument("--preset", default="live")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each prompt is painted")
    parser.add_argument("--show-minutes", type=float, default=4.0, help="length of the show on one canvas; 0: none")
    parser.add_argument("--each", type=int, default=20, help="prompts of each class; all 20 are the measure")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("judging"), help="writes OUT.json and OUT.png")
    return parser.parse_args()


if __name__ == "__main__":
    main()

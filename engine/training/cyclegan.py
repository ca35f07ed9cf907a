"""Train a CycleGAN denoiser on your own photos: python -m engine.training.cyclegan --photos DIR [--frames DIR].

Unpaired (Zhu et al. 2017): frames of the engine are to look like the photos. Without --frames the engine paints them
first. The defaults are the paper's: pictures of 256, λ 10, identity 0.5 (times λ), pool of 50, Adam 2e-4 with
β₁ 0.5, one picture a step, the rate constant for half of the steps and then linear to zero. Where the paper squashes
pictures to a square, here their shorter side is fitted. --resume goes on from the last checkpoint.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from engine.denoise.cyclegan import Generator
from engine.training.cyclegan_nets import (
    CYCLE,
    IDENTITY,
    Judge,
    Pool,
    begin,
    deceived,
    misjudged,
    rate_at,
    returned,
)
from engine.training.cyclegan_pictures import Album, paint_frames

RUNS = Path("training-runs")
LEAST_SIZE = 32
NETS = ("to_photos", "to_frames", "photo_judge", "frame_judge")


def main() -> None:
    """Train for the steps or minutes given; the generator is written at every checkpoint."""
    options = _options()
    folder = RUNS / str(options.name)
    if options.frames is None:
        options.frames = folder / "frames"
        print(f"painting {options.made} frames into {options.frames}", flush=True)
        paint_frames(options.frames, options.made, options.seed, torch.device(options.device))
    try:
        session = Session(options, folder)
    except (ValueError, OSError) as err:
        raise SystemExit(f"cyclegan: {err}") from err
    session.run()
    print(f"play it with: --set denoiser=cyclegan --set denoiser_weights={session.out} --set upscale=2", flush=True)


class Session:
    """One run of training. Owns the two generators, their judges, both pools and the optimisers."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        """Raises ValueError for an unfit size or a folder without pictures, OSError if there is nothing to resume."""
        if options.size % 4 or options.size < LEAST_SIZE:
            raise ValueError(f"--size {options.size}: a multiple of 4, at least {LEAST_SIZE}")
        self.options, self.folder = options, folder
        self.out: Path = options.out or folder / "generator.safetensors"
        self.device = torch.device(options.device)
        self.photos, self.frames = Album(options.photos, options.size), Album(options.frames, options.size)
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(options.seed)
        self.to_photos, self.to_frames = (Generator(options.width, options.blocks) for _ in range(2))
        self.photo_judge, self.frame_judge = (Judge(options.width) for _ in range(2))
        for name in NETS:
            begin(self._net(name))
            self._net(name).to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.generators = self._adam("to_photos", "to_frames")
        self.judges = self._adam("photo_judge", "frame_judge")
        self.photo_pool, self.frame_pool = Pool(), Pool()
        self.steps = 0
        if options.resume:
            self._resume()

    def run(self, until: int | None = None) -> None:
        """Train to this step, else to the last, or until the minutes are over; what was learnt is kept in any case."""
        began = kept = time.monotonic()
        last = self.options.steps if until is None else until
        losses: dict[str, float] = {}
        try:
            while self.steps < last and not (0 < 60 * self.options.minutes < time.monotonic() - began):
                losses = self.step()
                if time.monotonic() - kept > self.options.save_every_s:
                    kept = time.monotonic()
                    self._keep(losses)
        finally:  # also when it is stopped by Ctrl-C
            self._keep(losses)

    def step(self) -> dict[str, float]:
        """One step of the generators and one of the judges; the losses."""
        # Drawn from the seed and the step alone, so that a resumed run goes on as it would have.
        source = torch.Generator().manual_seed(self.options.seed * 1_000_003 + self.steps)
        photo, frame = (
            album.views(self.options.batch, source).to(self.device).contiguous(memory_format=torch.channels_last)
            for album in (self.photos, self.frames)
        )
        rate = rate_at(self.steps, self.options.steps, self.options.rate)
        for group in (*self.generators.param_groups, *self.judges.param_groups):
            group["lr"] = rate
        losses, made_photo, made_frame = self._teach_generators(photo, frame)
        judged = misjudged(self.photo_judge, photo, self.photo_pool.exchange(made_photo, source))
        judged = judged + misjudged(self.frame_judge, frame, self.frame_pool.exchange(made_frame, source))
        _take_step(self.judges, judged)
        self.steps += 1
        return {key: float(loss.detach()) for key, loss in {**losses, "judged": judged}.items()}

    def _teach_generators(self, photo: Tensor, frame: Tensor) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """One step of both generators; its losses and what they made of the frame and of the photo."""
        for judge in (self.photo_judge, self.frame_judge):
            judge.requires_grad_(False)
        made_photo, cycled_frame, kept_frame = returned(self.to_photos, self.to_frames, frame)
        made_frame, cycled_photo, kept_photo = returned(self.to_frames, self.to_photos, photo)
        losses = {
            "deceived": deceived(self.photo_judge, made_photo) + deceived(self.frame_judge, made_frame),
            "cycle": cycled_frame + cycled_photo,
            "identity": kept_frame + kept_photo,
        }
        _take_step(
            self.generators,
            losses["deceived"] + CYCLE * losses["cycle"] + CYCLE * IDENTITY * losses["identity"],
        )
        for judge in (self.photo_judge, self.frame_judge):
            judge.requires_grad_(True)
        return losses, made_photo, made_frame

    def _net(self, name: str) -> nn.Module:
        net: nn.Module = getattr(self, name)
        return net

    def _adam(self, *names: str) -> torch.optim.Adam:
        learnt = [weight for name in names for weight in self._net(name).parameters()]
        return torch.optim.Adam(learnt, lr=self.options.rate, betas=(0.5, 0.999))

    def _keep(self, losses: dict[str, float]) -> None:
        """Write the log line, the checkpoint and the generator, each whole or not at all."""
        text = json.dumps({"steps": self.steps, **{key: round(value, 4) for key, value in losses.items()}})
        print(text, flush=True)
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(text + "\n")
        state: dict[str, Any] = {name: self._net(name).state_dict() for name in NETS}
        state |= {"generators": self.generators.state_dict(), "judges": self.judges.state_dict(), "steps": self.steps}
        state |= {"photo_pool": self.photo_pool.kept, "frame_pool": self.frame_pool.kept}
        _write(self.folder / "checkpoint.pt", state)
        _write(self.out, {name: value.cpu().contiguous() for name, value in self.to_photos.state_dict().items()})

    def _resume(self) -> None:
        state = torch.load(self.folder / "checkpoint.pt", map_location=self.device, weights_only=True)
        for name in NETS:
            self._net(name).load_state_dict(state[name])
        self.generators.load_state_dict(state["generators"])
        self.judges.load_state_dict(state["judges"])
        self.photo_pool, self.frame_pool = Pool(state["photo_pool"]), Pool(state["frame_pool"])
        self.steps = state["steps"]


def _take_step(optimiser: torch.optim.Adam, loss: Tensor) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()


def _write(path: Path, state: dict[str, Any]) -> None:
    part = path.with_suffix(".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".safetensors":
        save_file(state, part, metadata={"layout": "CycleGAN ResNet generator, frames to photos"})
    else:
        torch.save(state, part)
    part.replace(path)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m engine.training.cyclegan", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR", help="pictures as frames are to look")
    parser.add_argument("--frames", type=Path, metavar="DIR", help="frames of the engine (default: painted first)")
    parser.add_argument("--made", type=int, default=400, help="frames the engine paints where none are given")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, mps")
    parser.add_argument("--steps", type=int, default=200_000, help="steps in all; the paper's 200 epochs of 1,000")
    parser.add_argument("--minutes", type=float, default=0.0, help="stop after so long; 0: at the last step")
    parser.add_argument("--size", type=int, default=256, help="side of what is seen at once, a multiple of 4")
    parser.add_argument("--batch", type=int, default=1, help="pictures of each kind in a step")
    parser.add_argument("--rate", type=float, default=2e-4, help="learning rate of the first half")
    parser.add_argument("--width", type=int, default=64, help="maps of the first layer; the public layout has 64")
    parser.add_argument("--blocks", type=int, default=9, help="residual blocks; the public layout has 9 at 256")
    parser.add_argument("--save-every-s", type=float, default=300.0, help="seconds between checkpoints")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--name", default="cyclegan", help="folder of this run under training-runs/")
    parser.add_argument("--resume", action="store_true", help="go on from this run's checkpoint")
    parser.add_argument("--out", type=Path, help="the generator to write, .safetensors or .pth")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""Guides of a known shape with random weights, for timing where nothing can be downloaded. They lead nowhere."""

import difflib
from pathlib import Path

import torch

from engine.errors import GuideError

PREFIX = "random:"


def is_random(name: str) -> bool:
    """Whether a guide's name, as in random:ViT-B-32, asks for random weights."""
    return name.startswith(PREFIX)


def check_random(name: str) -> str:
    """The open_clip model of such a name. Raises GuideError, naming the nearest, where open_clip has none."""
    import open_clip

    model, known = name.removeprefix(PREFIX), open_clip.list_models()
    if model in known:
        return model
    near = difflib.get_close_matches(model, known, n=1)
    raise GuideError(f"open_clip has no model called {model!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


def write_random(name: str, folder: Path) -> str:
    """Write such a guide's weights into the folder and give the name it is loaded by, MODEL:FILE.

    So that it is loaded as any other is. Downloads nothing. Raises GuideError where open_clip cannot build the model
    without.
    """
    import open_clip
    from safetensors.torch import save_file

    model = check_random(name)
    file = folder / f"{model.replace('/', '-')}.safetensors"
    if not file.exists():
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)
                made = open_clip.create_model(model, load_weights=False, pretrained_text=False)
        except (OSError, RuntimeError, ValueError) as err:
            raise GuideError(f"{model} cannot be built without a download: {str(err).splitlines()[0]}") from err
        save_file({key: value.clone().contiguous() for key, value in made.state_dict().items()}, file)
    return f"{model}:{file}"

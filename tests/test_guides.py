"""Guides are loaded one way, from any name, and no file of weights ever runs code."""

import json
import pickle
from dataclasses import replace
from pathlib import Path

import open_clip
import pytest
import torch
from safetensors.torch import save_file

from engine.errors import GuideError
from engine.guides.loading import load_guide

CPU = torch.device("cpu")
MODEL = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
GREY = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.2]}


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {name: value.clone() for name, value in open_clip.CLIP(**MODEL).state_dict().items()}


@pytest.fixture()
def folder(tmp_path: Path) -> Path:
    """A folder as open_clip saves it, still without weights."""
    (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": MODEL, "preprocess_cfg": GREY}))
    return tmp_path


@pytest.fixture()
def small_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A model name open_clip knows in this test only."""
    configs = dict(open_clip.factory._MODEL_CONFIGS)
    monkeypatch.setattr(open_clip.factory, "_MODEL_CONFIGS", {**configs, "small-test": MODEL})
    return "small-test"


class Trap:
    """Unpickled, it would leave a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> object:
        return (Path.touch, (self.path,))


def test_a_folder_as_open_clip_saves_it_is_a_guide(folder: Path, weights: dict[str, torch.Tensor]):
    save_file(weights, folder / "open_clip_model.safetensors")
    guide = load_guide(str(folder), CPU)
    assert (guide.mean, guide.std, guide.image_size) == ((0.5, 0.4, 0.3), (0.2, 0.2, 0.2), 32)
    assert torch.equal(guide.model.state_dict()["text_projection"], weights["text_projection"])


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".bin"])
def test_a_model_and_a_file_are_a_guide(
    small_model: str, tmp_path: Path, weights: dict[str, torch.Tensor], suffix: str
):
    file = tmp_path / f"mine{suffix}"
    save_file(weights, file) if suffix == ".safetensors" else torch.save({"state_dict": weights}, file)
    guide = load_guide(f"{small_model}:{file}", CPU)
    assert torch.equal(guide.model.state_dict()["text_projection"], weights["text_projection"])


def test_half_precision_weights_are_computed_with_in_single(folder: Path, weights: dict[str, torch.Tensor]):
    save_file({name: value.half() for name, value in weights.items()}, folder / "half.safetensors")
    guide = load_guide(str(folder / "half.safetensors"), CPU)
    assert guide.embed_text(["a ship"]).dtype == torch.float32


def test_vectors_are_of_length_one_and_pictures_get_gradients(folder: Path, weights: dict[str, torch.Tensor]):
    save_file(weights, folder / "open_clip_model.safetensors")
    guide = load_guide(str(folder), CPU)
    views = torch.rand(3, 3, 32, 32, requires_grad=True)
    seen, read = guide.embed_image(views), guide.embed_text(["a ship", "the sea"])
    assert torch.allclose(seen.norm(dim=1), torch.ones(3)) and torch.allclose(read.norm(dim=1), torch.ones(2))
    (seen @ read.T).sum().backward()
    assert views.grad is not None and views.grad.abs().sum() > 0


def test_a_guide_is_frozen_and_in_evaluation_mode(folder: Path, weights: dict[str, torch.Tensor]):
    save_file(weights, folder / "open_clip_model.safetensors")
    guide = load_guide(str(folder), CPU)
    assert not guide.model.training
    assert not any(weight.requires_grad for weight in guide.model.parameters())


def test_pictures_are_normalised_with_the_guides_own_mean_and_std(folder: Path, weights: dict[str, torch.Tensor]):
    save_file(weights, folder / "open_clip_model.safetensors")
    guide = load_guide(str(folder), CPU)
    views = torch.rand(2, 3, 32, 32)
    mean, std = torch.tensor(GREY["mean"]).view(3, 1, 1), torch.tensor(GREY["std"]).view(3, 1, 1)
    by_hand = guide.model.encode_image(((views - mean) / std).to(guide.image_dtype), normalize=True)
    assert torch.allclose(guide.embed_image(views), by_hand.float(), atol=0.02)
    assert not torch.allclose(guide.embed_image(views + 0.2), by_hand.float(), atol=0.02)


def test_half_the_bits_change_no_direction():
    """Where the processor computes in bfloat16, the picture is pulled the same way as in single precision."""
    quick, exact = load_guide("shipped", CPU), load_guide("shipped", CPU)
    exact.model.visual.float()
    exact = replace(exact, image_dtype=torch.float32)
    pulls = []
    for guide in (quick, exact):
        views = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
        (guide.embed_image(views) @ guide.embed_text(["starry night"]).T).sum().backward()
        pulls.append(views.grad.flatten())
    assert torch.cosine_similarity(*pulls, dim=0) > 0.995


def test_code_in_a_file_of_weights_never_runs(small_model: str, tmp_path: Path):
    file, trace = tmp_path / "evil.pt", tmp_path / "it ran"
    torch.save({"state_dict": {"text_projection": Trap(trace)}}, file)
    with pytest.raises(GuideError, match="holds more than weights"):
        load_guide(f"{small_model}:{file}", CPU)
    file.write_bytes(pickle.dumps(Trap(trace)))
    with pytest.raises(GuideError):
        load_guide(f"{small_model}:{file}", CPU)
    assert not trace.exists()


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
@pytest.mark.parametrize("content", [b"", b"not weights at all", b"PK\x03\x04 half a zip"])
def test_a_broken_file_is_refused_in_one_line(small_model: str, tmp_path: Path, suffix: str, content: bytes):
    file = tmp_path / f"broken{suffix}"
    file.write_bytes(content)
    with pytest.raises(GuideError) as refused:
        load_guide(f"{small_model}:{file}", CPU)
    assert "broken" in str(refused.value) and "\n" not in str(refused.value)


def test_weights_of_another_model_are_refused_in_one_line(small_model: str, tmp_path: Path):
    save_file({"something.else": torch.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(GuideError) as refused:
        load_guide(f"{small_model}:{tmp_path / 'other.safetensors'}", CPU)
    assert "cannot be loaded" in str(refused.value) and "\n" not in str(refused.value)


def test_weights_that_are_not_here_are_named_with_the_command_that_gets_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    for name in ("ViT-B-32:openai", "openai-b16"):
        with pytest.raises(GuideError, match=f"vj guides pull {name}"):
            load_guide(name, CPU)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("shiped", "did you mean 'shipped'"),
        ("ViT-B-23:openai", "did you mean 'ViT-B-32'"),
        ("ViT-B-32:openia", "did you mean 'openai'"),
        ("ViT-B-32", "needs a tag"),
        ("ViT-B-32:nowhere/weights.pt", "no such file"),
        ("", "no guide called ''"),
    ],
)
def test_a_wrong_name_is_met_with_what_would_be_right(name: str, hint: str):
    with pytest.raises(GuideError, match=hint):
        load_guide(name, CPU)


def test_the_shipped_guide_tells_colours_apart():
    guide = load_guide("shipped", CPU)
    texts = guide.embed_text(["a red heart", "green grass"])
    red, green = (
        torch.zeros(1, 3, guide.image_size, guide.image_size),
        torch.zeros(1, 3, guide.image_size, guide.image_size),
    )
    red[:, 0], green[:, 1] = 0.9, 0.6
    agreement = guide.embed_image(torch.cat([red, green])) @ texts.T
    assert agreement[0, 0] > agreement[1, 0] and agreement[1, 1] > agreement[0, 1]

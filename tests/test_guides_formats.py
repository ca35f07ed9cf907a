"""Checkpoints in the layouts they are published in, of random weights, become guides by one way."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from engine.errors import GuideError
from engine.guides import weights
from engine.guides.guide import Guide
from engine.guides.loading import load_guide

CPU = torch.device("cpu")
SMALL = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
SIGLIP = {
    "embed_dim": 64,
    "init_logit_bias": -10,
    "custom_text": True,
    "vision_cfg": {
        "image_size": 160, "timm_model_name": "test_vit", "timm_model_pretrained": False, "timm_pool": "map",
        "timm_proj": "none",
    },
    "text_cfg": {
        "context_length": 8, "vocab_size": 32, "hf_tokenizer_name": "us/small-siglip",
        "tokenizer_kwargs": {"clean": "canonicalize"}, "width": 64, "heads": 2, "layers": 1, "no_causal_mask": True,
        "proj_bias": True, "pool_type": "last", "norm_kwargs": {"eps": 1e-6}, "act_kwargs": {"approximate": "tanh"},
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def small_models(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small models under names that open_clip knows in these tests only, and folders of our own."""
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home / "hub"))
    configs = dict(open_clip.factory._MODEL_CONFIGS)
    more = {"small-test": SMALL, "small-siglip": SIGLIP}
    monkeypatch.setattr(open_clip.factory, "_MODEL_CONFIGS", {**configs, **more})


def random_weights(model: str) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    made = open_clip.create_model(model, load_weights=False)
    return {name: value.clone() for name, value in made.state_dict().items()}


def full_sized(model: str, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Every key of a published model in its shape; each row is the same row, so that little is written."""
    torch.manual_seed(0)
    shapes = open_clip.create_model(model, load_weights=False, device="meta").state_dict()
    return {
        name: (0.02 * torch.randn(value.shape[-1:])).to(dtype).expand(value.shape) for name, value in shapes.items()
    }


def works(guide: Guide) -> None:
    """It reads and sees in one space, and pictures get gradients."""
    views = torch.rand(2, 3, guide.image_size, guide.image_size, requires_grad=True)
    (guide.embed_image(views) @ guide.embed_text(["a lighthouse", "the sea"]).T).sum().backward()
    assert views.grad is not None and torch.isfinite(views.grad).all() and views.grad.abs().sum() > 0


def of_training(state: dict[str, torch.Tensor]) -> dict[str, Any]:
    """What open_clip's training writes with several devices, its optimiser's state among it."""
    optimiser = {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.98)}]}
    named = {f"module.{name}": value for name, value in state.items()}
    return {"epoch": 3, "name": "2026_11_21-model_ViT", "state_dict": named, "optimizer": optimiser}


def test_a_checkpoint_of_open_clips_training_is_a_guide(tmp_path: Path):
    state = random_weights("small-test")
    torch.save(of_training(state), tmp_path / "epoch_3.pt")
    guide = load_guide(f"small-test:{tmp_path / 'epoch_3.pt'}", CPU)
    assert torch.equal(guide.model.state_dict()["text_projection"], state["text_projection"])
    works(guide)


def test_numbers_of_numpy_and_settings_beside_the_weights_do_no_harm(tmp_path: Path):
    beside = {
        "best_loss": np.float64(0.25),
        "step": np.int64(7),
        "args": argparse.Namespace(lr=1e-5, is_adversarial=True),
    }
    torch.save({**of_training(random_weights("small-test")), **beside}, tmp_path / "robust.pt")
    works(load_guide(f"small-test:{tmp_path / 'robust.pt'}", CPU))


def test_numbers_of_a_numpy_before_2_do_no_harm_either(tmp_path: Path):
    file = tmp_path / "old-numpy.pt"
    held = {**of_training(random_weights("small-test")), "best_acc1": np.float64(0.5)}
    torch.save(held, file, _use_new_zipfile_serialization=False)
    written = file.read_bytes()
    assert b"numpy._core.multiarray\nscalar" in written
    file.write_bytes(written.replace(b"numpy._core.multiarray\nscalar", b"numpy.core.multiarray\nscalar"))
    works(load_guide(f"small-test:{file}", CPU))


def test_clipag_loads_by_its_name_at_its_full_size_from_its_published_layout():
    """A training checkpoint of ViT-B-32 with numpy scalars, where its pull would have put it."""
    file = weights.folder() / "CLIPAG_ViTB32.pt"
    file.parent.mkdir(parents=True)
    torch.save({**of_training(full_sized("ViT-B-32", torch.float32)), "best_acc1": np.float64(0.5)}, file)
    guide = load_guide("clipag-b32", CPU)
    assert (guide.name, guide.image_size, guide.mean[0]) == ("clipag-b32", 224, 0.48145466)
    assert not has_quick_gelu(guide)  # its authors load it as plain ViT-B-32
    works(guide)


def test_openais_guide_loads_by_its_name_at_its_full_size_in_half_precision():
    folder = weights.folder() / "timm--vit_base_patch32_clip_224.openai"
    folder.mkdir(parents=True)
    state = {name: value.contiguous() for name, value in full_sized("ViT-B-32", torch.float16).items()}
    save_file(state, folder / "open_clip_model.safetensors")
    guide = load_guide("openai-b32", CPU)
    assert has_quick_gelu(guide) and guide.embed_text(["a ship"]).dtype == torch.float32
    works(guide)


def has_quick_gelu(guide: Guide) -> bool:
    return any(type(part).__name__ == "QuickGELU" for part in guide.model.modules())


def test_openais_state_dict_with_its_three_sizes_is_a_guide_of_the_right_kind(tmp_path: Path):
    sizes = {
        "input_resolution": torch.tensor(32),
        "context_length": torch.tensor(77),
        "vocab_size": torch.tensor(49408),
    }
    state = {name: value.half() for name, value in random_weights("small-test").items()}
    torch.save({**sizes, **state}, tmp_path / "openai.pt")
    guide = load_guide(f"small-test:{tmp_path / 'openai.pt'}", CPU)
    assert has_quick_gelu(guide)
    works(guide)


def test_a_torchscript_archive_is_refused_as_what_it_is(tmp_path: Path):
    class Twice(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 2 * x

    torch.jit.save(torch.jit.trace(Twice(), torch.zeros(1)), str(tmp_path / "ViT-B-32.pt"))
    with pytest.raises(GuideError, match="TorchScript archive, which holds code"):
        load_guide(f"small-test:{tmp_path / 'ViT-B-32.pt'}", CPU)


def test_a_file_of_the_format_before_archives_is_a_guide(tmp_path: Path):
    torch.save(random_weights("small-test"), tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    works(load_guide(f"small-test:{tmp_path / 'old.pt'}", CPU))


def write_tokenizer(folder: Path) -> None:
    """As SigLIP has it: whole words here, an end put behind them, filled up to the length."""
    words = ["<pad>", "<eos>", "<unk>", "a", "lighthouse", "the", "sea", "ship"]
    made = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", 1)])
    folder.mkdir(parents=True, exist_ok=True)
    made.save(str(folder / "tokenizer.json"))
    facts = {"pad_token": {"content": "<pad>"}, "eos_token": "<eos>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(facts))


@pytest.mark.parametrize("place", ["beside", "hub"])
def test_a_siglip_tower_is_a_guide_and_reads_with_the_tokenizer_that_came_with_it(tmp_path: Path, place: str):
    file = tmp_path / "siglip" / "open_clip_model.safetensors"
    write_tokenizer(file.parent if place == "beside" else weights.folder() / "us--small-siglip")
    file.parent.mkdir(exist_ok=True)
    save_file(random_weights("small-siglip"), file)
    guide = load_guide(f"small-siglip:{file}", CPU)
    assert guide.image_size == 160
    assert guide.tokenizer(["A lighthouse, the SEA!"]).tolist() == [[3, 4, 5, 6, 1, 0, 0, 0]]
    assert guide.tokenizer(["ship " * 20]).tolist() == [[7, 7, 7, 7, 7, 7, 7, 1]]
    works(guide)


def test_a_siglip_tower_without_its_tokenizer_says_what_is_missing(tmp_path: Path):
    save_file(random_weights("small-siglip"), tmp_path / "siglip.safetensors")
    with pytest.raises(GuideError, match=r"tokenizer\.json .* not beside siglip\.safetensors, nor here from us/small"):
        load_guide(f"small-siglip:{tmp_path / 'siglip.safetensors'}", CPU)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.999])
def test_a_truncated_file_is_refused_in_one_line(tmp_path: Path, suffix: str, share: float):
    whole, cut = tmp_path / f"whole{suffix}", tmp_path / f"cut{suffix}"
    state = random_weights("small-test")
    save_file(state, whole) if suffix == ".safetensors" else torch.save(of_training(state), whole)
    cut.write_bytes(whole.read_bytes()[: int(share * whole.stat().st_size)])
    with pytest.raises(GuideError) as refused:
        load_guide(f"small-test:{cut}", CPU)
    assert "cut" in str(refused.value) and "\n" not in str(refused.value)


class Trap:
    """Unpickled, it would leave a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> object:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("is_zip", [True, False])
def test_code_hidden_beside_the_weights_of_a_training_checkpoint_never_runs(tmp_path: Path, is_zip: bool):
    file, trace = tmp_path / "evil.pt", tmp_path / "it ran"
    hidden = {**of_training(random_weights("small-test")), "args": argparse.Namespace(model=Trap(trace))}
    torch.save(hidden, file, _use_new_zipfile_serialization=is_zip)
    with pytest.raises(GuideError, match="holds more than weights"):
        load_guide(f"small-test:{file}", CPU)
    assert not trace.exists()


def test_what_is_allowed_while_a_guide_is_read_is_not_allowed_afterwards(tmp_path: Path):
    torch.save(of_training(random_weights("small-test")), tmp_path / "mine.pt")
    load_guide(f"small-test:{tmp_path / 'mine.pt'}", CPU)
    assert argparse.Namespace not in torch.serialization.get_safe_globals()


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)

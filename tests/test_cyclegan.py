"""CycleGAN's generator in the layout of the public PyTorch code: names, shapes, and what the layers compute."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from engine.denoise.cyclegan import Generator, generated, load_generator
from engine.errors import EngineError

PICTURE = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(2))


def published_layout() -> dict[str, tuple[int, ...]]:
    """Every name and shape of a `latest_net_G.pth` of the public code, at 64 maps and 9 blocks."""
    shapes: dict[str, tuple[int, ...]] = {"model.1": (64, 3, 7, 7), "model.4": (128, 64, 3, 3)}
    shapes |= {"model.7": (256, 128, 3, 3)}
    for block in range(10, 19):
        shapes |= {f"model.{block}.conv_block.{place}": (256, 256, 3, 3) for place in (1, 5)}
    # Transposed convolutions hold (maps in, maps out, 3, 3).
    shapes |= {"model.19": (256, 128, 3, 3), "model.22": (128, 64, 3, 3), "model.26": (3, 64, 7, 7)}
    outs = {name: shape[1] if name in ("model.19", "model.22") else shape[0] for name, shape in shapes.items()}
    return {f"{name}.weight": shape for name, shape in shapes.items()} | {f"{n}.bias": (o,) for n, o in outs.items()}


def random_state(seed: int = 0) -> dict[str, torch.Tensor]:
    source = torch.Generator().manual_seed(seed)
    return {name: 0.05 * torch.randn(shape, generator=source) for name, shape in published_layout().items()}


def by_hand(state: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """The generator of the paper's appendix, written out as functions."""

    def conv(x: torch.Tensor, name: str, mirrored: int = 0, **more: int) -> torch.Tensor:
        x = F.pad(x, (mirrored,) * 4, mode="reflect") if mirrored else x
        return F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], **more)

    def normed(x: torch.Tensor) -> torch.Tensor:
        mean, spread = x.mean((2, 3), keepdim=True), x.var((2, 3), keepdim=True, unbiased=False)
        return (x - mean) / (spread + 1e-5).sqrt()

    x = F.relu(normed(conv(x, "model.1", 3)))
    x = F.relu(normed(conv(x, "model.4", stride=2, padding=1)))
    x = F.relu(normed(conv(x, "model.7", stride=2, padding=1)))
    for block in range(10, 19):
        inner = F.relu(normed(conv(x, f"model.{block}.conv_block.1", 1)))
        x = x + normed(conv(inner, f"model.{block}.conv_block.5", 1))
    for name in ("model.19", "model.22"):
        up = {"stride": 2, "padding": 1, "output_padding": 1}
        x = F.relu(normed(F.conv_transpose2d(x, state[f"{name}.weight"], state[f"{name}.bias"], **up)))
    return conv(x, "model.26", 3).tanh()


def test_names_and_shapes_are_those_of_the_public_code():
    found = {name: tuple(value.shape) for name, value in Generator().state_dict().items()}
    assert found == published_layout()
    assert sum(value.numel() for value in Generator().parameters()) == 11_378_179


@pytest.mark.parametrize("form", ["zip", "old", "safetensors", "parallel", "tracked", "half"])
def test_published_files_load_and_give_what_the_paper_computes(tmp_path: Path, form: str):
    state = random_state()
    path = tmp_path / ("net_G.safetensors" if form == "safetensors" else "net_G.pth")
    wanted = by_hand(state, PICTURE * 2 - 1)
    if form == "parallel":
        state = {f"module.{name}": value for name, value in state.items()}
    if form == "tracked":  # as PyTorch before 0.4 wrote them
        state |= {"model.2.running_mean": torch.zeros(64), "model.2.running_var": torch.ones(64)}
    if form == "half":
        state = {name: value.half() for name, value in state.items()}
    if form == "safetensors":
        save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=form != "old")
    found = load_generator(path)(PICTURE * 2 - 1)
    assert torch.allclose(found, wanted, atol=2e-2 if form == "half" else 1e-4)


def test_a_generator_trained_with_dropout_has_its_second_layer_one_place_later(tmp_path: Path):
    state = random_state()
    later = {name.replace("conv_block.5", "conv_block.6"): value for name, value in state.items()}
    torch.save(later, tmp_path / "net_G.pth")
    assert torch.allclose(load_generator(tmp_path / "net_G.pth")(PICTURE), by_hand(state, PICTURE), atol=1e-4)


def test_smaller_generators_load_by_what_they_hold(tmp_path: Path):
    torch.save(Generator(16, 6).state_dict(), tmp_path / "six.pth")
    assert sum(1 for name in load_generator(tmp_path / "six.pth").state_dict() if "conv_block.1.weight" in name) == 6


@pytest.mark.parametrize("scale", [1, 2])
def test_any_size_keeps_its_size_and_strength_is_a_share(scale: int):
    torch.manual_seed(0)
    net, picture = Generator(4, 1).eval(), torch.rand(1, 3, 67, 90)
    with torch.no_grad():
        none, half, whole = (generated(net, picture, strength, scale) for strength in (1e-9, 0.5, 1.0))
    assert whole.shape == (1, 3, 67 * scale, 90 * scale)
    assert whole.min() >= 0.0 and whole.max() <= 1.0
    assert torch.allclose(half, (none + whole) / 2, atol=1e-5)


def test_a_truncated_file_and_one_of_another_kind_are_refused_in_one_line(tmp_path: Path):
    torch.save(random_state(), tmp_path / "whole.pth")
    (tmp_path / "cut.pth").write_bytes((tmp_path / "whole.pth").read_bytes()[:100_000])
    torch.save([1, 2, 3], tmp_path / "list.pth")
    torch.save({**random_state(), "model.30.weight": torch.zeros(2)}, tmp_path / "more.pth")
    for name in ("cut.pth", "list.pth", "more.pth", "missing.pth"):
        with pytest.raises(EngineError) as told:
            load_generator(tmp_path / name)
        assert name in str(told.value) and "\n" not in str(told.value)


def test_a_file_that_would_run_code_is_not_opened(tmp_path: Path):
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    torch.save({"model.1.weight": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(EngineError, match="was not opened"):
        load_generator(tmp_path / "trap.pth")
    assert not (tmp_path / "sprung").exists()

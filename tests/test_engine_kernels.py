"""Compiled passes against what torch computes."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.canvas import Pyramid, cloud_noise
from engine.crops import Chance, Cut, boxes_by, look_at
from engine.doubling import doubled, doubled_back, halved
from engine.kernels import loading
from engine.kernels.loading import kernels_for
from engine.objectives import Seen, stability, total_variation
from engine.optimiser import LevelAdam, make_optimiser, set_rate

SIZES = ((144, 256), (90, 160), (45, 80), (24, 24), (36, 13))
"""Some whose halves are exact and some whose are not."""


def both(compute: Callable[[], Any]) -> tuple[Any, Any]:
    """What it gives with the compiled passes and without."""
    kernels = loading._shelf.kernels
    assert kernels is not None
    ours = compute()
    loading._shelf.kernels = None
    try:
        return ours, compute()
    finally:
        loading._shelf.kernels = kernels


def random(*size: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(size, generator=torch.Generator().manual_seed(seed))


def test_only_plain_pictures_in_single_precision_are_taken():
    picture = random(1, 3, 8, 8)
    assert kernels_for(picture) is not None
    for other in (picture.double(), picture.transpose(2, 3), picture[..., ::2], picture.to("meta")):
        assert kernels_for(picture, other) is None


@pytest.mark.parametrize("size", SIZES)
def test_levels_are_drawn_and_pulled_alike(size):
    def compute() -> list[torch.Tensor]:
        canvas = Pyramid(random(1, 3, *size))
        seen = canvas.at_rest()
        gradients = torch.autograd.grad((seen * random(1, 3, *size, seed=1)).sum(), canvas.parameters())
        with torch.no_grad():
            for leaf, gradient in zip(canvas.parameters(), gradients, strict=True):
                leaf.add_(gradient, alpha=0.1)
        canvas.settle()
        assert not any(leaf.any() for leaf in canvas.parameters())
        return [*gradients, canvas.draw().detach()]

    ours, torchs = both(compute)
    assert len(ours) > 2
    for one, other in zip(ours, torchs, strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", SIZES)
def test_doubles_halves_and_noise_are_alike(size):
    even = random(2, 3, 2 * size[0], 2 * size[1])

    def compute() -> list[torch.Tensor]:
        leaf = even.clone().requires_grad_(True)
        half = halved(leaf)
        (back,) = torch.autograd.grad((half * half).sum(), leaf)
        noise = cloud_noise(*size, torch.Generator().manual_seed(3))
        return [half.detach(), back, doubled(even), doubled_back(even), noise]

    for one, other in zip(*both(compute), strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("term", [stability, total_variation])
def test_terms_and_their_gradients_are_alike(size, term):
    before = random(1, 3, *size, seed=1)
    before[..., :2, :2] = 0.25

    def compute() -> tuple[torch.Tensor, torch.Tensor]:
        picture = random(1, 3, *size)
        picture[..., :2, :2] = 0.25  # no difference has no sign
        picture.requires_grad_(True)
        value = 3.0 * term(Seen(picture, before))
        return value.detach(), torch.autograd.grad(value, picture)[0]

    (ours, pulled), (torchs, wanted) = both(compute)
    assert ours.item() == pytest.approx(torchs.item(), rel=1e-4)
    assert torch.allclose(pulled, wanted, rtol=1e-4, atol=1e-9)
    if term is stability:
        assert not pulled[..., :2, :2].any()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 9999), st.floats(0.0, 0.5), st.floats(0.05, 1.0), st.sampled_from(SIZES), st.booleans())
def test_straight_views_and_their_gradients_are_alike(seed, overhang, low, size, is_turned):
    cut = Cut(2, 3, low, 1.0, 0.0, overhang, True, is_tilted=False, is_turned=is_turned)
    weights = random(5, 3, 32, 32, seed=1)

    def compute() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        picture = random(1, 3, *size).requires_grad_(True)
        sight = look_at(picture, cut, 32, torch.Generator().manual_seed(seed))
        (pulled,) = torch.autograd.grad((sight.views * weights).sum(), picture)
        return sight.views.detach(), pulled, sight.points()

    for one, other in zip(*both(compute), strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=2e-3)
        assert (one - other).abs().mean() < 2e-5


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 9999),
    st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(any),
    st.tuples(*[st.floats(0.01, 1.0)] * 4, *[st.floats(1.0, 2.0)] * 2),
    st.sampled_from(SIZES),
    st.sampled_from([(), ("whole", "left"), ("top", "bottom", "whole"), ("left", "right")]),
)
def test_views_lie_alike(seed, counts, numbers, size, regions):
    low, high, overhang, ends, squeeze, aspect = numbers
    cut = Cut(*counts, min(low, high), max(low, high), 0.0, overhang, True, (), squeeze, ends, aspect)
    cut = cut.shared(regions, seed % 3)
    ours, torchs = both(lambda: boxes_by(Chance.of(cut, torch.Generator().manual_seed(seed)), cut, *size))
    assert torch.allclose(ours, torchs, rtol=1e-4, atol=1e-4)


def test_the_optimiser_moves_alike_step_after_step():
    gains = [0.3, 1.0, 1.0, 0.5, 0.15]

    def compute(is_compiled: bool) -> list[torch.Tensor]:
        leaves = [torch.zeros(1, 3, *size, requires_grad=True) for size in SIZES]
        optimiser = make_optimiser(leaves, True, "level")
        assert isinstance(optimiser, LevelAdam)
        set_rate(optimiser, torch.tensor(0.02))
        for step in range(5):
            gradients = [(random(*leaf.shape, seed=step) - 0.4) * 1e-3 for leaf in leaves]
            for leaf, gradient, gain in zip(leaves, gradients, gains, strict=True):
                gradient[..., 0, 0] = 0.0
                leaf.grad = gradient * gain
            if is_compiled:
                optimiser.step_compiled(kernels_for(*leaves), gradients, gains, 0.02)
            else:
                optimiser.step()
        memories = [memory[name] for memory in optimiser.state.values() for name in ("step", "exp_avg", "exp_avg_sq")]
        return [*(leaf.detach() for leaf in leaves), *memories]

    for one, other in zip(compute(True), compute(False), strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-5 * float(other.abs().max()))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_is_not_hidden(value):
    canvas = Pyramid(random(1, 3, 24, 24))
    leaf = canvas.parameters()[-1]
    optimiser = make_optimiser(canvas.parameters(), True, "level")
    gradient = torch.zeros(1, 3, 24, 24)
    gradient[0, 0, 5, 5] = value
    optimiser.step_compiled(kernels_for(leaf), canvas.shares(gradient), canvas.gains, 0.1)
    assert leaf.detach()[0, 0, 5, 5].isnan()
    canvas.settle()
    assert int(canvas.draw().isnan().sum()) >= 1


def test_they_are_compiled_by_a_process_of_its_own_and_kept(tmp_path, monkeypatch):
    # As in the first show ever: a cache of its own, and this process has none yet.
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    shelf = loading._Shelf()
    monkeypatch.setattr(loading, "_shelf", shelf)
    assert not loading._is_kept()
    loading._fill_beside()
    assert shelf.kernels is not None and loading._is_kept()
    assert len(list(tmp_path.rglob("*.nbi"))) > 10


def test_where_nothing_can_be_kept_they_are_compiled_anew(tmp_path, monkeypatch):
    (tmp_path / "vj").write_text("a file where the folder would be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = loading._own_folder()
    assert folder.is_dir() and tmp_path not in folder.parents


def test_without_numba_there_are_none_and_it_is_tried_once(monkeypatch, caplog):
    tried = []

    def lacking() -> None:
        tried.append(1)
        raise ImportError("No module named 'numba'")

    monkeypatch.setattr(loading, "_load", lacking)
    shelf = loading._Shelf()
    with caplog.at_level("INFO", "engine.kernels"):
        shelf.fill()
        shelf.fill()
    assert shelf.kernels is None and tried == [1] and "torch computes everything" in caplog.text

"""The shipped guide as a show computes it agrees with the one that is trained, its gradients included."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.guides import laid, precision
from engine.guides.guide import Guide
from engine.guides.laid import Kernel, Matrix
from engine.guides.loading import load_guide
from engine.guides.shipped import GuideShape, SmallCLIP
from engine.parameters import Look
from engine.step import Engine

MEAN, STD = (0.4, 0.45, 0.35), (0.3, 0.25, 0.35)


def small_guide() -> Guide:
    torch.manual_seed(0)
    model = SmallCLIP(GuideShape(), 10)
    assert model.place is not None
    torch.nn.init.normal_(model.place.say.weight, std=0.02)
    model.load_state_dict({name: value.half().float() for name, value in model.state_dict().items()})  # as in a file
    return Guide("small", model, lambda texts: torch.ones(len(texts), 16).long(), MEAN, STD, 64, torch.device("cpu"))


def views(count: int = 3) -> Tensor:
    return torch.rand(count, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def plain(guide: Guide, seen: Tensor) -> Tensor:
    mean, std = (torch.tensor(three).view(1, 3, 1, 1) for three in (MEAN, STD))
    normal = ((seen - mean) / std).to(guide.model.visual.stem.weight.dtype)
    found: Tensor = guide.model.encode_image(normal, normalize=True)
    return found.float()


def pulled(embed: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """What is seen in the views, and what one direction pulls at them."""
    seen = views().requires_grad_(True)
    found = embed(seen)
    toward = torch.randn(found.shape, generator=torch.Generator().manual_seed(2))
    return found.detach(), torch.autograd.grad((found * toward).sum(), seen)[0]


def apart(one: Tensor, other: Tensor) -> float:
    return float((one - other).norm() / other.norm())


def test_in_single_precision_embeddings_and_gradients_are_those_of_autograd() -> None:
    guide = small_guide()
    (found, gradient), (wanted, autograd) = pulled(guide.embed_image), pulled(lambda seen: plain(guide, seen))
    assert apart(found, wanted) < 1e-5
    assert apart(gradient, autograd) < 1e-4


def test_in_half_the_bits_the_gradient_is_as_near_the_exact_one_as_autograds() -> None:
    guide = small_guide()
    exact = pulled(guide.embed_image)[1]
    guide.model.visual.bfloat16()
    half = Guide("half", guide.model, guide.tokenizer, MEAN, STD, 64, guide.device, torch.bfloat16)
    found, gradient = pulled(half.embed_image)
    wanted, autograd = pulled(lambda seen: plain(half, seen))
    assert apart(found, wanted) < 0.02
    assert apart(gradient, exact) < max(0.05, 1.5 * apart(autograd, exact))


def test_a_guide_changed_afterwards_is_frozen_anew_when_it_is_replaced() -> None:
    guide = small_guide()
    with torch.no_grad():
        guide.model.visual.read[0].weight.mul_(2.0)
    assert apart(guide.embed_image(views()), plain(guide, views())) > 0.01
    assert apart(guide.moved(guide.device).embed_image(views()), plain(guide, views())) < 1e-5


@pytest.mark.parametrize("count", [1, 2])
def test_texts_are_placed_as_the_trained_network_places_them(count: int) -> None:
    guide = small_guide()
    texts = torch.nn.functional.normalize(torch.randn(count, GuideShape().embedding), dim=-1)
    boxes = torch.rand(5, count, 4) + torch.tensor([-1.0, -1.0, 0.0, 0.0])
    wanted = guide.model.place_text(texts, boxes)
    assert apart(guide.place_text(texts, boxes), wanted) < 1e-5
    assert apart(wanted, texts.expand_as(wanted)) > 0.01
    guide.model.visual.bfloat16()
    assert apart(guide.moved(guide.device).place_text(texts, boxes), wanted) < 0.01


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("count", [1, 4, 9])
def test_weights_that_are_laid_out_compute_the_same(
    monkeypatch: pytest.MonkeyPatch, count: int, dtype: torch.dtype
) -> None:
    weight, bias = torch.randn(24, 16, 3, 3).to(dtype), torch.randn(24).to(dtype)
    maps = torch.randn(count, 16, 8, 8).to(dtype).contiguous(memory_format=torch.channels_last)
    rows, matrix = torch.randn(count, 256).to(dtype), torch.randn(24, 256).to(dtype)
    quick = Kernel(weight, bias, padding=1)(maps), Matrix(matrix, bias)(rows)
    monkeypatch.setattr(laid, "lays_out", lambda *_: False)
    slow = Kernel(weight, bias, padding=1)(maps), Matrix(matrix, bias)(rows)
    assert all(apart(one.float(), other.float()) < 0.01 for one, other in zip(quick, slow, strict=True))


def test_weights_kept_in_half_of_single_precision_compute_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    weight, bias, rows = torch.randn(24, 256).half().float(), torch.randn(24), torch.randn(5, 256)
    wanted = torch.nn.functional.linear(rows, weight, bias)
    assert laid.halves(weight) and not laid.halves(weight.bfloat16())
    assert apart(Matrix(weight, bias)(rows), wanted) < 1e-6
    monkeypatch.setattr(laid, "halves", lambda _: False)
    assert apart(Matrix(weight, bias)(rows), wanted) < 1e-6


def test_where_torch_keeps_no_halves_weights_stay_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(*_: object) -> None:
        raise RuntimeError("did not find an engine")

    monkeypatch.setattr(torch.ops.quantized, "linear_prepack_fp16", lacking, raising=False)
    laid._halving_works.cache_clear()
    try:
        weight, rows = torch.randn(8, 8), torch.randn(2, 8)
        assert not laid.halves(weight)
        assert apart(Matrix(weight, None)(rows), torch.nn.functional.linear(rows, weight)) < 1e-6
    finally:
        laid._halving_works.cache_clear()


def test_half_the_bits_are_computed_plainly_where_torch_lays_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laid, "lays_out", lambda *_: False)
    guide = small_guide()
    exact = pulled(guide.embed_image)[1]
    guide.model.visual.bfloat16()
    assert apart(pulled(guide.moved(guide.device).embed_image)[1], exact) < 0.1


def test_the_shipped_guide_paints_the_same_frames_for_the_same_seed() -> None:
    sizes = {"canvas_width": 64, "canvas_height": 48, "first_steps": 2, "steps": 2, "upscale": 1}
    look, device = replace(Look().with_values(sizes), line="a red heart"), torch.device("cpu")
    shown = []
    for seed in (3, 3, 4):
        engine = Engine((load_guide("shipped", device),), device, seed=seed, is_live=False)
        shown.append([engine.paint(look).copy() for _ in range(4)])
        engine.close()
    first, again, other = shown
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    assert not np.array_equal(first[-1], other[-1])


@pytest.mark.parametrize(("half", "single", "is_quick"), [(1.0, 2.0, True), (2.0, 1.0, False)])
def test_half_the_bits_are_taken_where_they_are_quicker(
    monkeypatch: pytest.MonkeyPatch, half: float, single: float, is_quick: bool
) -> None:
    took = {torch.bfloat16: half, torch.float32: single}
    monkeypatch.setattr(precision, "_seconds", lambda one, _other: took[one.dtype])
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)
    precision.computes_in_bfloat16.cache_clear()
    try:
        assert precision.computes_in_bfloat16() is is_quick
    finally:
        precision.computes_in_bfloat16.cache_clear()


def test_operators_that_want_to_be_called_otherwise_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(*_: object) -> None:
        raise RuntimeError("takes other arguments now")

    monkeypatch.setattr(torch.ops.mkldnn, "_reorder_linear_weight", changed, raising=False)
    laid._works.cache_clear()
    try:
        weight = torch.randn(8, 8)
        assert not laid.lays_out(weight)
        maps = torch.randn(2, 8)
        assert torch.equal(laid.Matrix(weight, None, is_halved=False)(maps), torch.nn.functional.linear(maps, weight))
    finally:
        laid._works.cache_clear()

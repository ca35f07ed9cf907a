"""open_clip's vision transformers as a show computes them agree with open_clip, their gradients included."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
import torch
from open_clip.transformer import QuickGELU, VisionTransformer
from torch import Tensor, nn

from engine.fused.loading import Kernels, adopt, offer
from engine.guides import attention
from engine.guides.attention import Attend, Flash, Plain, Tiled, attention_for
from engine.guides.frozen_vit import FrozenViT, fits
from engine.guides.guide import Guide
from engine.guides.precision import in_single

NO_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
CUDA = torch.device("cuda")
MEAN, STD = (0.48, 0.45, 0.40), (0.26, 0.27, 0.28)


def tower(**changed: Any) -> VisionTransformer:
    torch.manual_seed(0)
    shape: dict[str, Any] = {
        "image_size": 32, "patch_size": 8, "width": 64, "layers": 3, "heads": 2, "mlp_ratio": 4.0, "output_dim": 24,
    }  # fmt: skip
    made = VisionTransformer(**{**shape, **changed})
    for parameter in made.parameters():  # biases and places that are nothing at first count as well
        nn.init.normal_(parameter, std=0.05) if parameter.ndim == 1 else None
    return made.eval().requires_grad_(False)


class Model:
    """As much of an open_clip model as a guide looks at."""

    def __init__(self, visual: VisionTransformer) -> None:
        self.visual = visual

    def encode_image(self, views: Tensor) -> Tensor:
        found: Tensor = self.visual(views)
        return found

    def eval(self) -> "Model":
        return self

    def requires_grad_(self, _: bool) -> "Model":
        return self

    def to(self, device: torch.device) -> "Model":
        self.visual.to(device)
        return self


def pulled(visual: VisionTransformer, frozen: FrozenViT | None, count: int = 3) -> tuple[Tensor, Tensor]:
    """Embeddings of views by open_clip, or frozen, and the views' gradient for one direction of them."""
    weight = visual.conv1.weight
    seen = torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(1)).to(weight.device)
    seen.requires_grad_(True)
    mean, std = (torch.tensor(three, device=weight.device).view(1, 3, 1, 1) for three in (MEAN, STD))
    found = visual(((seen - mean) / std).to(weight.dtype)) if frozen is None else frozen.embed_views(seen)
    toward = torch.randn(found.shape, generator=torch.Generator().manual_seed(2)).to(weight.device)
    return found.detach().float(), torch.autograd.grad((found.float() * toward).sum(), seen)[0]


def frozen(visual: VisionTransformer) -> FrozenViT:
    mean, std = (torch.tensor(three, device=visual.conv1.weight.device).view(1, 3, 1, 1) for three in (MEAN, STD))
    return FrozenViT(visual, mean, std)


def apart(one: Tensor, other: Tensor) -> float:
    return float((one - other).norm() / other.norm())


def tiled(heads: int) -> Tiled:
    pytest.importorskip("triton", reason="Triton comes with torch for NVIDIA GPUs")
    return Tiled(heads, Plain(heads), is_tried=True)


@pytest.mark.parametrize("attend", [Flash, Plain, tiled])
@pytest.mark.parametrize("changed", [{}, {"act_layer": QuickGELU}, {"no_ln_pre": True}], ids=["", "quick", "bare"])
def test_embeddings_and_gradients_are_open_clips(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], attend: Callable[[int], Attend]
) -> None:
    visual = tower(**changed).to(CUDA if attend is tiled and torch.cuda.is_available() else "cpu")
    if attend is not Flash:
        monkeypatch.setattr("engine.guides.frozen_vit.attention_for", lambda _weight, _tokens, heads: attend(heads))
    assert fits(visual)
    (found, gradient), (wanted, autograd) = pulled(visual, frozen(visual)), pulled(visual, None)
    assert apart(found, wanted) < 1e-5 and apart(gradient, autograd) < 1e-4


@NO_CUDA
def test_in_tiles_and_half_the_bits_attention_finds_what_plain_products_do() -> None:
    seen, gradient = (torch.randn(4 * 50, n * 768, device=CUDA).bfloat16() for n in (3, 1))
    found: list[Tensor] = []
    for attend in (tiled(12), Plain(12)):
        kept: list[Any] = []
        found += [attend.ahead(seen, 4, 50, kept).float(), attend.back(gradient, 4, 50, kept).float()]
    assert apart(found[0], found[2]) < 0.01 and apart(found[1], found[3]) < 0.01


def test_tiles_are_for_where_kernels_are_fused_and_a_way_once_begun_is_gone_back() -> None:
    pytest.importorskip("triton", reason="Triton comes with torch for NVIDIA GPUs")
    usual, plain, kept = Tiled(2, Plain(2)), Plain(2), list[Any]()
    seen, gradient = torch.randn(2 * 17, 3 * 64), torch.randn(2 * 17, 64)
    assert torch.equal(usual.ahead(seen, 2, 17, kept), plain.ahead(seen, 2, 17, []))
    offer(Kernels.load(), torch.device("cpu"))
    adopt()
    try:
        wanted = list[Any]()
        plain.ahead(seen, 2, 17, wanted)
        assert torch.equal(usual.back(gradient, 2, 17, kept), plain.back(gradient, 2, 17, wanted))
        usual.ahead(seen, 2, 17, kept)
        assert kept[0] is seen, "in tiles nothing else is kept"
    finally:
        offer(None, torch.device("cuda"))
        adopt()


def test_with_its_long_products_in_parts_it_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = pulled(tower(), frozen(tower()))
    tried = iter((4, 2, 3))
    monkeypatch.setattr("engine.guides.frozen_vit.parts_for", lambda _weights, _rows: next(tried))
    for found, wanted in zip(pulled(tower(), frozen(tower())), whole, strict=True):
        assert 0.0 < apart(found, wanted) < 1e-5


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=NO_CUDA)])
def test_in_half_the_bits_the_gradient_is_as_near_the_exact_one_as_open_clips(device: str) -> None:
    visual = tower().to(device)
    exact = pulled(visual, None)[1]
    visual.bfloat16()
    (found, gradient), (wanted, autograd) = pulled(visual, frozen(visual)), pulled(visual, None)
    assert apart(found, wanted) < 0.03
    assert apart(gradient, exact) < max(0.05, 1.5 * apart(autograd, exact))


def test_a_guide_looks_through_the_frozen_tower_and_through_the_newest_weights_once_replaced() -> None:
    visual = tower()
    guide = Guide("small", Model(visual), lambda _: torch.ones(1, 4).long(), MEAN, STD, 32, torch.device("cpu"))
    assert isinstance(guide._frozen, FrozenViT)
    views = torch.rand(2, 3, 32, 32)
    before = guide.embed_image(views)
    with torch.no_grad():
        visual.conv1.weight.neg_()
    assert apart(guide.moved(guide.device).embed_image(views), before) > 0.01


def test_a_guide_in_half_the_bits_is_as_exact_as_ever_once_in_single_precision_on_the_cpu() -> None:
    visual = tower()
    wanted = pulled(visual, None)[0]
    visual.bfloat16()
    cpu = torch.device("cpu")
    guide = Guide("half", Model(visual), lambda _: torch.ones(1, 4).long(), MEAN, STD, 32, cpu, torch.bfloat16)
    seen = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    single = in_single(guide.moved(cpu))
    assert single.embed_image(seen).dtype == torch.float32 and guide._frozen is None
    cosines = torch.cosine_similarity(single.embed_image(seen), wanted)
    assert float(cosines.min()) > 0.999


def test_where_nothing_will_go_back_nothing_is_kept_and_back_is_gone_once() -> None:
    frozen_tower, seen = frozen(tower()), torch.rand(2, 3, 32, 32, requires_grad=True)
    with torch.no_grad():
        still = frozen_tower.embed_views(seen)
    assert not still.requires_grad and not frozen_tower.embed_views(seen.detach()).requires_grad
    found = frozen_tower.embed_views(seen)
    assert torch.allclose(found, still)
    found.sum().backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="let go of"):
        found.sum().backward()


@pytest.mark.parametrize(
    "changed",
    [
        {"pool_type": "avg"},
        {"attentional_pool": True, "attn_pooler_heads": 2},
        {"ls_init_value": 0.1},
        {"scale_attn": True},
        {"image_size": 256, "patch_size": 8},
        {"output_tokens": True},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_towers_of_another_build_are_left_to_open_clip(changed: dict[str, Any]) -> None:
    assert not fits(tower(**changed))


def test_what_is_no_tower_of_open_clip_does_not_fit() -> None:
    assert not fits(None) and not fits(nn.Linear(2, 2))


def test_where_torchs_attention_wants_to_be_called_otherwise_plain_products_do_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuses(*_: Any) -> Any:
        raise TypeError("expected 12 arguments")

    caplog.set_level(logging.INFO, "engine.guides")
    monkeypatch.setattr(attention.Flash, "ahead", refuses)
    assert isinstance(attention_for(torch.zeros(64, 3, 8, 8), 17, 2), Plain)
    assert "expected 12 arguments" in caplog.text


def test_attention_that_finds_something_else_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(attention_for(torch.zeros(64, 3, 8, 8), 17, 2), Flash)
    right = attention.Flash.back
    monkeypatch.setattr(attention.Flash, "back", lambda *given: right(*given) * 1.5)
    assert isinstance(attention_for(torch.zeros(64, 3, 8, 8), 17, 2), Plain)

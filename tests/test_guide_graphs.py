"""The shipped guide's tower as OpenVINO computes it against torch."""

import sys
import threading
import time

import pytest
import torch
from torch import Tensor

from engine.graphs.shelf import Shelf
from engine.guides.frozen import MOST_COUNTS
from engine.guides.guide import Guide
from engine.guides.loading import load_guide
from engine.kernels import loading
from engine.lead import Lead

CPU = torch.device("cpu")


def views(count: int, seed: int = 1) -> Tensor:
    return torch.rand(count, 3, 64, 64, generator=torch.Generator().manual_seed(seed))


def by_autograd(guide: Guide, seen: Tensor, toward: Tensor) -> tuple[Tensor, Tensor]:
    leaf = seen.clone().requires_grad_(True)
    found = guide._frozen.embed_views(leaf)
    return found.detach(), torch.autograd.grad(found, leaf, toward)[0]


def apart(one: Tensor, other: Tensor) -> float:
    return float((one - other).norm() / other.norm())


@pytest.fixture
def guide() -> Guide:
    return load_guide("shipped", CPU)


def shelf(guide: Guide):
    return guide._frozen.embed_views.graphs


@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_embeddings_and_gradients_are_torchs(guide: Guide, count: int) -> None:
    for seed in (1, 2):  # the memory is used again
        seen = views(count, seed)
        found, back = guide.looked(seen)
        toward = torch.randn(found.shape, generator=torch.Generator().manual_seed(seed))
        pulled = back(toward)
        wanted, gradient = by_autograd(guide, seen, toward)
        assert apart(found, wanted) < 1e-4 and apart(pulled, gradient) < 1e-4
    assert list(shelf(guide)._made) == [count]


def test_what_was_found_stays_when_others_are_looked_at(guide: Guide) -> None:
    found, back = guide.looked(views(2))
    pulled = back(torch.ones_like(found))
    kept = found.clone(), pulled.clone()
    other, back = guide.looked(views(2, seed=5))
    back(torch.ones_like(other))
    assert torch.equal(found, kept[0]) and torch.equal(pulled, kept[1])


def test_a_show_never_waits_for_graphs(guide: Guide, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.graphs import tower

    made, may = [], threading.Event()

    class Slow(tower.TowerGraphs):
        def __init__(self, *asked) -> None:
            assert may.wait(30.0)
            super().__init__(*asked)
            made.append(asked[1])

    monkeypatch.setattr(tower, "TowerGraphs", Slow)
    Lead([guide], CPU, waits=False).close()
    found, back = guide.looked(views(3))
    back(torch.ones_like(found))
    assert not made
    may.set()
    until = time.monotonic() + 30.0
    while shelf(guide)._made.get(3) is None and time.monotonic() < until:
        guide.looked(views(3))
        time.sleep(0.05)
    assert made[0] == 3
    assert apart(guide.looked(views(3))[0], found) < 1e-4


def test_the_longest_known_number_of_views_is_dropped(guide: Guide) -> None:
    for count in range(1, MOST_COUNTS + 2):
        guide.looked(views(count))
    assert list(shelf(guide)._made) == list(range(2, MOST_COUNTS + 2))


def test_the_longest_unused_is_dropped() -> None:
    kept: Shelf[str] = Shelf(str, most=2)
    for size in (1, 2, 1, 3):
        assert kept.find(size) == str(size)
    assert list(kept._made) == [1, 3]


def test_only_the_first_are_waited_for_in_a_show() -> None:
    may = threading.Event()

    def make(size: object) -> str:
        if size == "later":
            assert may.wait(30.0)
        return str(size)

    kept: Shelf[str] = Shelf(make, most=4)
    kept.waits, kept.patience_s = False, 30.0
    assert kept.find("first") == "first"
    assert kept.find("later") is None
    may.set()
    kept._maker.join(30.0)
    assert kept.find("later") == "later"


def test_without_openvino_torch_computes_it(guide: Guide, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "engine.graphs.tower", raising=False)
    monkeypatch.setitem(sys.modules, "openvino", None)
    found, back = guide.looked(views(2))
    toward = torch.ones_like(found)
    wanted, gradient = by_autograd(guide, views(2), toward)
    assert apart(found, wanted) < 1e-6 and apart(back(toward), gradient) < 1e-6
    assert not shelf(guide)._made


@pytest.mark.parametrize("has_kernels", [True, False])
def test_places_are_told_alike_with_compiled_passes_and_without(
    guide: Guide, monkeypatch: pytest.MonkeyPatch, has_kernels: bool
) -> None:
    if not has_kernels:
        monkeypatch.setattr(loading._shelf, "kernels", None)
    texts = guide.embed_text(["a red heart", "a blue wave", "night"])
    boxes = torch.rand(5, 3, 4, generator=torch.Generator().manual_seed(0)) + torch.tensor([-1.0, -1.0, 0.0, 0.0])
    wanted = guide.model.place_text(texts, boxes)
    assert apart(guide.place_text(texts, boxes), wanted) < 2e-3
    texts[0] = texts[2]  # changed where they lie
    assert apart(guide.place_text(texts, boxes), guide.model.place_text(texts, boxes)) < 2e-3
    assert apart(guide.place_text(texts[:1], boxes[:, :1]), guide.model.place_text(texts[:1], boxes[:, :1])) < 2e-3

"""Products of few rows with long weights: the same in parts as whole, and in parts only where that was quicker."""

from collections.abc import Callable

import pytest
import torch

from engine.guides.products import GAIN, LONG, PARTS, parts_for, product

NO_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


@pytest.mark.parametrize("parts", PARTS)
@pytest.mark.parametrize("is_turned", [False, True], ids=["rows", "columns"])
def test_in_parts_it_is_the_same(parts: int, is_turned: bool) -> None:
    random = torch.Generator().manual_seed(0)
    x, weight, bias = (torch.randn(*size, generator=random) for size in ((7, 32), (32, 5), (5,)))
    weight = weight.T.contiguous().T if is_turned else weight
    torch.testing.assert_close(product(x, weight, parts, bias), x @ weight + bias)
    torch.testing.assert_close(product(x, weight, parts), x @ weight)


@pytest.mark.parametrize(("times", "parts"), [((3.0, 2.0, 1.0), 4), ((3.0, 1.0, 2.0), 2), ((1.0, GAIN, 2.0), 1)])
def test_the_quickest_is_taken_if_it_is_worth_it(times: tuple[float, ...], parts: int) -> None:
    tried = iter(times)

    def seconds(work: Callable[[], object], _device: torch.device) -> float:
        work()
        return next(tried)

    assert parts_for([torch.ones(16, 4)], 7, seconds) == parts


def test_what_cannot_be_tried_or_halved_stays_whole() -> None:
    def fails(_work: Callable[[], object], _device: torch.device) -> float:
        raise RuntimeError("out of memory")

    assert parts_for([torch.ones(16, 4)], 7, fails) == 1
    assert parts_for([torch.ones(15, 4)], 7, lambda work, _: 0.0 * (work() is None)) == 1
    assert parts_for([torch.ones(LONG, 4)], 7) == 1, "a processor has no need of it"


@NO_CUDA
def test_a_gpu_tries_it() -> None:
    random = torch.Generator("cuda").manual_seed(0)
    weights = [torch.randn(LONG, 768, generator=random, device="cuda").bfloat16() for _ in range(12)]
    assert parts_for(weights, 200) in PARTS

"""The bench computes both ways of a step with the same guide and settings, and knows the arithmetic limit."""

from collections.abc import Callable, Iterator, Sequence

import pytest
import torch
from torch import Tensor, nn

from engine.bench import limit as limits
from engine.bench import stages as staging
from engine.bench import turns
from engine.bench.baseline import baseline_frames
from engine.bench.limit import Rate, guide_flops, limit, matrix_rate
from engine.bench.memory import cap_memory
from engine.bench.operators import operators
from engine.bench.stages import FRAME, STEP, stages
from engine.bench.turns import Way, spread, take_turns
from engine.bench.ways import BenchError, bench_engine, step_frames, ungoverned
from engine.guides.colours import colour_guide
from engine.guides.guide import Guide
from engine.parameters import Look

CPU = torch.device("cpu")
LOOK = Look().with_values({"canvas_width": 64, "canvas_height": 64, "steps": 2, "crops": 2})


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Warm-up and turns as short as they can be."""
    monkeypatch.setattr(turns, "WARM_UP_S", 0.0)
    monkeypatch.setattr(turns, "TURN_S", 0.0)
    monkeypatch.setattr(staging, "WARM_UP_S", 0.01)
    monkeypatch.setattr(staging, "TURNS", 3)
    monkeypatch.setattr(limits, "SIDES", {"cpu": (64, 128)})
    monkeypatch.setattr(limits, "AT_LEAST_S", 0.001)


class Line(nn.Module):
    """One matrix: its operations can be counted by hand."""

    def __init__(self, side: int, out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3 * side * side, out))

    def encode_image(self, image: Tensor) -> Tensor:
        return image.flatten(1) @ self.weight

    def encode_text(self, text: Tensor) -> Tensor:
        return torch.ones(len(text), self.weight.shape[1])


def line_guide(side: int = 4, out: int = 5) -> Guide:
    def read(texts: Sequence[str]) -> Tensor:
        return torch.zeros(len(texts), 1)

    return Guide("line", Line(side, out), read, (0.5,) * 3, (0.5,) * 3, side, CPU)


class Clock:
    """A clock that frames move on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def frames(self, *lengths_s: float) -> Iterator[None]:
        """Frames of these lengths, over and over."""
        while True:
            for length_s in lengths_s:
                self.now += length_s
                yield


def test_both_ways_are_measured_and_compared_with_the_limit() -> None:
    found = bench_engine([line_guide()], LOOK, repeats=3)
    assert found["repeats"] == 3
    assert found["ratio_vs_baseline"] == pytest.approx(found["baseline_step_ms"] / found["step_ms"], abs=1e-3)
    for name in ("step", "frame", "baseline_step"):
        assert 0.0 < found[f"{name}_q1_ms"] <= found[f"{name}_ms"] <= found[f"{name}_q3_ms"]
    assert found["frame_ms"] > found["step_ms"], "a frame holds two steps and is finished too"
    assert found["share_of_limit"] == pytest.approx(found["limit_step_ms"] / found["step_ms"], abs=1e-4)


def test_the_guide_stays_frozen() -> None:
    guide = line_guide()
    bench_engine([guide], LOOK, repeats=1)
    assert not guide.model.weight.requires_grad and guide.model.weight.grad is None


@pytest.mark.parametrize("way", [step_frames, baseline_frames])
def test_two_guides_share_the_steps_both_ways(way: Callable[[list[Guide], Look], Iterator[None]]) -> None:
    guides = [line_guide(4), line_guide(8)]
    seen: list[int] = []
    for guide in guides:
        plain = guide.model.encode_image
        guide.model.encode_image = lambda image, plain=plain: (seen.append(image.shape[-1]), plain(image))[1]
    next(way(guides, ungoverned(LOOK)))
    assert seen == [4, 8]


def test_an_engine_that_did_less_than_was_asked_is_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.step.Engine._effort", lambda _engine, _look: (2, 1))
    with pytest.raises(BenchError, match="2 steps x 1 crops of 2 x 2"):
        bench_engine([line_guide()], LOOK, repeats=1)


def test_operations_are_counted_forward_and_backward_to_the_views_but_not_to_the_weights() -> None:
    product = 2 * 3 * (3 * 4 * 4) * 5  # a multiplication and an addition, three views, 48 numbers to 5
    assert guide_flops(line_guide(4, 5), views=3) == 2 * product


def test_attention_is_counted_on_a_processor_too() -> None:
    guide = line_guide(4, 5)
    tall = torch.ones(1, 1, 6, 8)

    def attend(image: Tensor) -> Tensor:
        seen = nn.functional.scaled_dot_product_attention(tall * image.mean(), tall, tall)
        return seen.flatten(1) + image.flatten(1)[:, :48]

    guide.model.encode_image = attend
    # Scores and values forward; backward to the query alone, the others being fixed, passes both products again.
    assert guide_flops(guide, views=1) == 4 * 2 * 6 * 6 * 8


def test_guides_that_alternate_count_with_their_mean_and_those_that_add_up_with_their_sum(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "matrix_rate", lambda _device, _dtypes: Rate(1e9, 64, torch.float32))
    guides = [line_guide(4), line_guide(8)]
    each = [guide_flops(guide, 2) for guide in guides]
    mean = limit(guides, LOOK, step_ms=1.0)
    both = limit(guides, LOOK.with_values({"guide_mix": "sum"}), step_ms=1.0)
    assert mean["limit_step_ms"] == pytest.approx(sum(each) / 2 / 1e6, abs=1e-4)
    assert both["limit_step_ms"] == pytest.approx(sum(each) / 1e6, abs=1e-4)
    assert both["share_of_limit"] == both["limit_step_ms"]
    alone = limit(guides, LOOK.with_values({"steps": 1}), step_ms=1.0)
    assert alone["limit_step_ms"] == pytest.approx(each[0] / 1e6, abs=1e-4), "in a single step the first one leads"


def test_the_matrix_rate_is_that_of_the_fastest_product() -> None:
    rate = matrix_rate(CPU, {torch.float32})
    assert rate.flops_per_s > 1e7 and rate.side in (64, 128) and rate.dtype == torch.float32


def test_the_stages_of_a_frame_add_up() -> None:
    found = stages([line_guide()], LOOK)
    shares = {name: found[f"share_{name}"] for name in (*STEP, *FRAME)}
    assert sum(shares.values()) == pytest.approx(1.0, abs=1e-3)
    whole_ms = 2 * sum(found[f"{name}_ms"] for name in STEP) + sum(found[f"{name}_ms"] for name in FRAME)
    assert shares["crops"] == pytest.approx(2 * found["crops_ms"] / whole_ms, abs=1e-3)


def test_a_turn_holds_as_many_frames_as_fit_and_warming_up_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "WARM_UP_S", 2.0)
    monkeypatch.setattr(turns, "TURN_S", 0.25)
    clock = Clock()
    way = Way(clock.frames(*[1.5, *[0.05] * 1000]))
    way.warm_up(CPU, clock)
    assert way.turn_frames == 5 and way.spent_ms == [] and clock.now >= 2.0
    way.turn(CPU, clock)
    assert way.spent_ms == [pytest.approx(50.0)]


def test_slow_ways_have_fewer_turns_but_never_less_than_five() -> None:
    clock = Clock()
    ways = {"slow": Way(clock.frames(20.0)), "quick": Way(clock.frames(0.1))}
    assert take_turns(ways, CPU, 50, clock) == 5
    assert len(ways["slow"].spent_ms) == len(ways["quick"].spent_ms) == 5


def test_a_spread_is_the_median_and_the_quartiles() -> None:
    assert spread("step", "ms", [5.0, 1.0, 2.0, 3.0, 4.0]) == {"step_ms": 3.0, "step_q1_ms": 2.0, "step_q3_ms": 4.0}
    assert spread("ratio", "", [2.0]) == {"ratio": 2.0, "ratio_q1": 2.0, "ratio_q3": 2.0}


def test_the_profiler_names_the_operators() -> None:
    assert "aten::mm" in operators([line_guide()], LOOK)


def test_a_processors_memory_cannot_be_capped() -> None:
    with pytest.raises(BenchError, match="only a CUDA device's memory can be capped"):
        cap_memory(CPU, 6.0)


def test_a_guide_without_weights_to_train_is_measured_too() -> None:
    assert bench_engine([colour_guide(CPU)], LOOK, repeats=1)["step_ms"] > 0.0

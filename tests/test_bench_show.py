"""How the bench reads a show: gaps, legs of a change's way, what an eye and the judge see, what grows."""

import json
import shutil
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.parameters import Look
from vj.bench.cadence import gaps
from vj.bench.encode import QUEUE_FRAMES, Encode, shares
from vj.bench.eye import AWAIT_S, VISIBLE, judged, preferred_after_s, visible_after_s
from vj.bench.latency import LEGS, Watch, Way, percentile, summed_up
from vj.bench.memory import by_process, resident_mb, slope
from vj.mailboxes import Frame, MemoryFrames, MemoryText, Rgb

GREY = np.full((8, 8, 3), 100, np.uint8)


# Cadence


def test_gaps_are_those_between_frames() -> None:
    times = [n / 30 for n in range(300)]
    steady = gaps(times)
    assert steady["program_fps"] == pytest.approx(30.0) and steady["program_gap_p99_ms"] == pytest.approx(33.3)
    stalled = gaps([*times, *(times[-1] + 0.5 + n / 30 for n in range(3))])
    assert stalled["program_gap_longest_ms"] == pytest.approx(500.0)
    assert stalled["program_gap_p99_ms"] == pytest.approx(33.3), "one in three hundred is beyond the 99th"


def test_without_two_frames_there_is_no_gap() -> None:
    assert gaps([]) == gaps([1.0]) == {"program_fps": 0.0, "program_gap_p99_ms": -1.0, "program_gap_longest_ms": -1.0}


# An encode beside the show


def reports(*fps: float) -> list[tuple[float, int]]:
    """A second at each of these rates, told ten times a second."""
    told, frames = [(0.0, 0)], 0.0
    for second, rate in enumerate(fps):
        for tenth in range(1, 11):
            frames += rate / 10
            told.append((second + tenth / 10, round(frames)))
    return told


def test_an_encode_in_time_drops_nothing_and_is_never_late() -> None:
    found = shares(reports(30, 30, 30, 30))
    assert found == {"encode_fps": 30.0, "encode_dropped_share": 0.0, "encode_late_share": 0.0}


def test_an_encode_that_falls_behind_has_dropped_what_no_queue_would_have_held() -> None:
    found = shares(reports(30, 15, 15, 30))
    assert found["encode_dropped_share"] == pytest.approx((30 - QUEUE_FRAMES) / 120, abs=0.005)
    assert found["encode_late_share"] == pytest.approx(28 / 41, abs=0.06)


def test_an_encode_that_makes_up_for_it_was_late_but_dropped_only_what_was_too_late_then() -> None:
    assert shares(reports(30, 20, 40, 30))["encode_dropped_share"] == 0.0
    found = shares(reports(30, 5, 55, 30, 5, 55))
    assert found["encode_dropped_share"] == pytest.approx(2 * (25 - QUEUE_FRAMES) / 180, abs=0.01)
    assert found["encode_late_share"] > 0.3


def test_what_an_encode_lacked_at_first_was_lost_before() -> None:
    assert shares(reports(45, 45, 45, 30))["encode_dropped_share"] == 0.0


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
def test_ffmpeg_tells_how_far_it_is_until_it_is_ended() -> None:
    with Encode() as encode:
        until = time.monotonic() + 60.0
        while len({frames for _, frames in encode.progress}) < 3:
            assert time.monotonic() < until, encode.progress
            time.sleep(0.05)
    told = [frames for _, frames in encode.progress]
    assert told == sorted(told) and all(at <= time.monotonic() for at, _ in encode.progress)
    assert encode.has_ended


# From a packet to the program


class Stage:
    """Mailboxes and a hand clock; things happen at their time, as in a show."""

    def __init__(self, events: dict[float, tuple[str, float]]) -> None:
        self.now, self.events = 10.0, dict(events)
        self.looks, self.frames, self.program = MemoryText(), MemoryFrames(), MemoryFrames()
        self.looks.put(replace(Look(), serial=6).to_json())

    def pause(self, seconds: float) -> None:
        self.now += seconds
        for at in [at for at in self.events if at <= self.now]:
            what, painted_at = self.events.pop(at)
            if what == "look":
                self.looks.put(replace(Look().with_values({"temperature": 41.5}), serial=7).to_json())
            else:
                {"frame": self.frames, "program": self.program}[what].put(Frame(GREY, 1, painted_at, 7, True))

    def watch(self) -> Watch:
        return Watch(self.looks, self.frames, self.program, lambda: self.now, self.pause)


def test_a_changes_way_is_told_leg_by_leg_and_the_legs_add_up() -> None:
    stage = Stage({10.02: ("look", 0.0), 10.08: ("frame", 10.05), 10.1: ("program", 10.1)})
    way = stage.watch().follow(10.0, "temperature", 41.5)
    assert way is not None
    legs = way.legs_ms()
    assert [legs[leg] for leg in LEGS] == [pytest.approx(ms, abs=2.1) for ms in (20.0, 30.0, 30.0, 20.0)]
    assert sum(legs.values()) == pytest.approx(way.whole_ms()) == pytest.approx(100.0, abs=2.1)


def test_a_frame_begun_before_the_look_came_waited_for_no_engine() -> None:
    stage = Stage({10.02: ("look", 0.0), 10.04: ("frame", 9.9), 10.06: ("program", 10.06)})
    way = stage.watch().follow(10.0, "temperature", 41.5)
    assert way is not None and way.legs_ms()["look_to_engine"] == 0.0
    assert way.legs_ms()["engine_to_frame"] == pytest.approx(20.0, abs=2.1)


def test_a_change_that_never_shows_is_given_up() -> None:
    stage = Stage({10.02: ("look", 0.0), 10.05: ("frame", 10.04)})
    assert stage.watch().follow(10.0, "temperature", 41.5) is None
    assert stage.now == pytest.approx(13.0, abs=0.01)


def test_another_value_of_the_knob_is_another_change() -> None:
    stage = Stage({10.02: ("look", 0.0), 10.05: ("frame", 10.04), 10.06: ("program", 10.06)})
    assert stage.watch().follow(10.0, "temperature", 41.6) is None
    assert json.loads(stage.looks.newest() or "{}")["serial"] == 7


def test_of_many_ways_the_middle_the_quartiles_and_the_slow_end_are_told() -> None:
    ways = [Way(0.0, 0.01, 0.02, 0.03, n / 1000) for n in range(40, 60)]
    found = summed_up(ways, 20)
    assert found["osc_to_frame_p50_ms"] == 49.5 and found["osc_to_frame_p95_ms"] == 59.0
    assert (found["osc_to_frame_q1_ms"], found["osc_to_frame_q3_ms"]) == (45.0, 55.0)
    assert found["osc_to_look_p50_ms"] == 10.0 and found["frame_to_program_p50_ms"] == 19.5


def test_moves_mostly_unseen_are_no_figure() -> None:
    assert summed_up([Way(0.0, 0.0, 0.0, 0.0, 0.1)], 2)["osc_to_frame_p50_ms"] == -1.0


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([3.0, 1.0, 2.0, 40.0], 0.95) == 40.0


# From the hand to the eye


def frames(start: float, levels: list[float]) -> list[tuple[float, Rgb]]:
    """A frame every 1/30 s of these mean levels."""
    return [(start + n / 30, np.full((4, 4, 3), level, np.uint8)) for n, level in enumerate(levels)]


def test_a_still_picture_differs_visibly_once_it_is_beyond_the_threshold() -> None:
    after = frames(2.0, [100, 100 + VISIBLE, 100 + VISIBLE + 1, 120])
    assert visible_after_s(frames(0.0, [100] * 60), after, 1.99) == pytest.approx(2 / 30 + 0.01)


def test_what_a_moving_picture_would_have_changed_anyway_does_not_count() -> None:
    moving = [100 + n for n in range(60)]  # a level a frame
    on = [160 + n for n in range(30)]
    assert visible_after_s(frames(0.0, moving), frames(2.0, on), 2.0) is None
    quicker = [160 + 2 * n for n in range(30)]
    found = visible_after_s(frames(0.0, moving), frames(2.0, quicker), 2.0)
    assert found == pytest.approx(3 / 30), "three levels more than the three or four it would have moved by then"


def test_nothing_known_of_before_is_nothing_seen_after() -> None:
    assert visible_after_s([], frames(2.0, [1, 255]), 2.0) is None


# A new prompt before the judge


class Levels:
    """Judges brightness: the first text is dark, the second bright."""

    name, is_published = "levels", False

    def see(self, seen: list[Rgb]) -> Tensor:
        bright = torch.tensor([float(rgb.mean()) / 255.0 for rgb in seen])
        return torch.stack([1.0 - bright, bright], dim=1)

    def read(self, texts: list[str]) -> Tensor:
        return torch.tensor([[1.0, 0.0] if text == "dark" else [0.0, 1.0] for text in texts])


def preferred(before: list[float], after: list[float]) -> float | None:
    return preferred_after_s(Levels(), ("dark", "bright"), frames(0.0, before), frames(2.0, after), 1.9)


def test_a_new_prompt_wins_when_the_judge_stays_with_it() -> None:
    assert preferred([10, 10], [10, 200, 10, 200, 200, 200, 200]) == pytest.approx(0.1 + 3 / 30)


def test_a_prompt_that_never_wins_counts_as_the_whole_time() -> None:
    assert preferred([10, 10], [10, 200, 10, 200, 200, 10]) == AWAIT_S


def test_a_prompt_preferred_before_it_was_asked_for_is_no_measure() -> None:
    assert preferred([10, 200], [200, 200, 200]) is None
    assert judged([None, 1.0, AWAIT_S]) == {
        "prompt_to_judge_s": 2.5, "prompt_to_judge_slowest_s": 4.0, "prompt_to_judge_prompts": 2,
        "prompt_to_judge_won": 1,
    }  # fmt: skip
    assert judged([None])["prompt_to_judge_s"] == -1.0


# Memory


def test_memory_is_told_by_process_and_in_all_with_what_it_grows_by() -> None:
    samples = [(float(n), {"engine": 500.0 + n / 36.0, "sink-0": 80.0}) for n in range(120)]
    found = by_process(samples)
    assert found["memory_engine_drift_mb_per_hour"] == pytest.approx(100.0, abs=0.1)
    assert found["memory_sink_0_mb"] == 80.0 and found["memory_sink_0_drift_mb_per_hour"] == 0.0
    assert found["memory_mb"] == pytest.approx(581.7, abs=0.1) and found["memory_drift_mb_per_hour"] == 100.0


def test_a_process_that_was_away_for_a_while_does_not_make_the_sum_smaller() -> None:
    found = by_process([(0.0, {"a": 10.0, "b": 5.0}), (1.0, {"a": 10.0}), (2.0, {"a": 10.0, "b": 5.0})])
    assert found["memory_mb"] == 15.0 and found["memory_drift_mb_per_hour"] == 0.0


def test_one_sample_has_no_slope_and_a_process_that_ended_no_memory() -> None:
    assert slope([(1.0, 5.0)]) == 0.0
    assert resident_mb({"gone": 2**22 + 7}) == {}

"""The program: what the audience gets is never black, torn or late unless somebody asked for it."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.parameters import Look
from vj.mailboxes import Frame, Rgb
from vj.pace import Pace, Rate
from vj.program.mix import HOLDING_AFTER_S, Mix
from vj.program.picture import blended, drifted, graded, scaled
from vj.standby import standby

# Pace: with a hand clock


class HandClock:
    """Time that passes only when somebody sleeps or `busy` says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds + self.late

    late = 0.0


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def test_turns_come_at_their_rate(clock: HandClock) -> None:
    pace = Pace(25.0, clock, clock.sleep)
    turns = []
    for n in range(100):
        turns.append(pace.wait())
        clock.now += 0.03 * (n % 2)  # work, shorter than a turn
    assert turns == pytest.approx([100.0 + (n + 1) / 25 for n in range(100)])


def test_a_sleep_that_always_ends_late_does_not_add_up(clock: HandClock) -> None:
    clock.late = 0.004
    pace = Pace(50.0, clock, clock.sleep)
    for _ in range(1000):
        now = pace.wait()
    assert now == pytest.approx(100.0 + 1000 / 50, abs=0.005)


def test_a_turn_that_is_a_little_late_does_not_move_the_ones_after_it(clock: HandClock) -> None:
    pace = Pace(10.0, clock, clock.sleep)
    pace.wait()
    clock.now += 0.15
    assert pace.wait() == pytest.approx(100.25)
    assert pace.wait() == pytest.approx(100.30)


def test_turns_that_were_missed_are_not_caught_up(clock: HandClock) -> None:
    pace = Pace(10.0, clock, clock.sleep)
    pace.wait()
    clock.now += 60.0
    turns = [pace.wait() for _ in range(5)]
    assert turns == pytest.approx([160.1, 160.2, 160.3, 160.4, 160.5])


@given(st.lists(st.floats(0, 1.5), max_size=60))
def test_never_more_than_one_turn_without_a_rest_and_never_behind_for_long(work: list[float]) -> None:
    clock = HandClock()
    pace = Pace(10.0, clock, clock.sleep)
    turns = [pace.wait()]
    for seconds in work:
        clock.now += seconds
        turns.append(pace.wait())
    for before, after in zip(turns, turns[2:], strict=False):
        assert after - before > 0.0999  # two turns on, at least one interval has passed


def test_a_rate_is_that_of_the_last_five_seconds(clock: HandClock) -> None:
    rate = Rate(5.0, clock)
    assert (rate.fps(), rate.gap_p99_ms()) == (0.0, 0.0)
    rate.tick()
    assert rate.fps() == 0.0
    for _ in range(300):
        clock.now += 0.1
        rate.tick()
    assert rate.fps() == pytest.approx(10.0) and rate.gap_p99_ms() == pytest.approx(100.0)
    clock.now += 2.5
    assert rate.fps() == pytest.approx(5.0, rel=0.1)
    clock.now += 2.6
    assert rate.fps() == 0.0


def test_one_long_gap_in_a_hundred_is_seen_and_one_in_a_thousand_is_not(clock: HandClock) -> None:
    for turns, expected in ((100, 400.0), (1000, 1.0)):
        rate = Rate(5.0, clock)
        for n in range(turns + 1):
            clock.now += 0.4 if n == turns // 2 else 0.001
            rate.tick()
        assert rate.gap_p99_ms() == pytest.approx(expected, rel=0.01)
        clock.now += 100.0


# The mix


def painted(level: int, number: int = 1, size: tuple[int, int] = (90, 160)) -> Frame:
    return Frame(np.full((*size, 3), level, np.uint8), number, 0.0, number, True)


def still(**values: object) -> Look:
    return Look().with_values({"smooth": 0.0, **values})


def mix() -> Mix:
    return Mix(160, 90, 0.0)


def test_before_the_first_frame_there_is_the_standby_picture() -> None:
    m = mix()
    for now in (0.0, 1.0, 60.0):
        assert np.array_equal(m.turn(still(), now), standby(160, 90, now))
    assert not m.has_painted and not m.is_holding(60.0)


def test_the_first_frame_blends_in_and_is_reached() -> None:
    m, look = mix(), Look()
    before = int(m.turn(look, 0.0).mean())
    m.take(painted(200), 0.1)
    levels = [int(m.turn(look, 0.1 + n / 30).mean()) for n in range(30)]
    assert levels == sorted(levels) and before < levels[0] < 200 and abs(levels[-1] - 200) <= 1


def test_without_smoothing_the_newest_frame_is_shown_as_it_is() -> None:
    m = mix()
    rgb = np.random.default_rng(1).integers(0, 256, (90, 160, 3), np.uint8)
    m.take(Frame(rgb, 1, 0.0, 1, True), 0.0)
    assert np.array_equal(m.turn(still(), 0.0), rgb)


@pytest.mark.parametrize("smooth", [0.0, 0.5, 1.0])
def test_a_program_that_came_back_goes_on_from_the_frame_it_finds(smooth: float) -> None:
    m = mix()
    m.take(painted(200), 0.0)
    assert (m.turn(still(smooth=smooth), 0.0) == 200).all()


def test_a_program_that_came_back_during_a_freeze_does_not_freeze_the_standby_picture() -> None:
    m = mix()
    m.take(painted(200), 0.0)
    assert (m.turn(Look().with_values({"freeze": True}), 0.0) == 200).all()


def test_when_the_engine_is_silent_the_last_frame_lives_on_and_is_neither_still_nor_black() -> None:
    m = mix()
    rgb = np.asarray(
        Image.fromarray(np.random.default_rng(2).integers(60, 200, (9, 16, 3), np.uint8)).resize((160, 90))
    )
    m.take(Frame(rgb, 1, 0.0, 1, True), 0.0)
    times = [n / 30 for n in range(900)]
    frames = [m.turn(still(), now).astype(int) for now in times]
    assert not m.is_holding(HOLDING_AFTER_S) and m.is_holding(HOLDING_AFTER_S + 0.01)
    assert all(frame.mean() > 60 for frame in frames)
    held = frames[40:]
    assert any(np.abs(frame - held[0]).max() > 3 for frame in held)
    steps = [np.abs(after - before).mean() for before, after in itertools.pairwise(frames)]
    assert max(steps) < 6, "a jump"


def test_the_way_out_of_holding_is_a_blend_from_where_the_drift_had_brought_the_picture() -> None:
    m, look = mix(), Look()
    rgb = np.asarray(
        Image.fromarray(np.random.default_rng(2).integers(60, 200, (9, 16, 3), np.uint8)).resize((160, 90))
    )
    m.take(Frame(rgb, 1, 0.0, 1, True), 0.0)
    before = [m.turn(look, n / 30) for n in range(300)][-1].astype(int)
    m.take(Frame(rgb, 2, 0.0, 1, True), 10.0)
    after = m.turn(look, 10.0).astype(int)
    target = rgb.astype(int)
    assert np.abs(after - before).mean() < np.abs(target - before).mean() and not m.is_holding(10.0)


def test_blackout_cuts_at_once_and_ends_at_once() -> None:
    m = mix()
    m.take(painted(200), 0.0)
    m.turn(Look(), 0.0)
    assert not m.turn(Look().with_values({"blackout": True}), 0.03).any()
    assert m.turn(Look(), 0.06).mean() > 190


def test_blackout_works_before_the_first_frame_and_during_a_freeze() -> None:
    m = mix()
    assert not m.turn(still(blackout=True), 0.0).any()
    m.take(painted(200), 0.0)
    m.turn(still(freeze=True), 0.1)
    assert not m.turn(still(freeze=True, blackout=True), 0.2).any()
    m.take(painted(10), 0.3)
    assert (m.turn(still(freeze=True), 0.3) == 200).all()


def test_freeze_holds_exactly_the_picture_that_was_there_until_it_is_lifted() -> None:
    m = mix()
    m.take(painted(100), 0.0)
    m.turn(still(), 0.0)
    frozen = m.turn(still(freeze=True), 0.1).copy()
    for n in range(1, 100):
        m.take(painted(100 + n, n), 0.1 * n)
        assert np.array_equal(m.turn(still(freeze=True), 0.1 * n), frozen)
    assert (m.turn(still(), 10.0) == 199).all()


def test_the_master_fades_and_never_changes_the_picture_at_one() -> None:
    m = mix()
    m.take(painted(200), 0.0)
    levels = [int(m.turn(still(master=value), 0.0).max()) for value in (1.0, 0.5, 0.1, 0.0)]
    assert levels == [200, 100, 20, 0]


def test_a_frame_that_was_given_is_not_changed_later() -> None:
    m = mix()
    m.take(painted(200), 0.0)
    given = m.turn(Look(), 0.0)
    kept = given.copy()
    for n in range(10):
        m.take(painted(20 * n, n), 0.1)
        m.turn(Look().with_values({"master": 0.5, "blackout": n == 5}), 0.1)
    assert np.array_equal(given, kept)


SIZES = st.integers(1, 220)


@settings(deadline=None, max_examples=60)
@given(SIZES, SIZES, st.integers(64, 200), st.integers(64, 200), st.floats(0, 1000))
def test_a_frame_of_any_size_fills_a_program_of_any_size(w: int, h: int, width: int, height: int, t: float) -> None:
    m = Mix(width, height, 0.0)
    m.take(painted(150, size=(h, w)), 0.0)
    for now in (0.0, 0.1, t):
        frame = m.turn(Look(), now)
        assert frame.shape == (height, width, 3) and frame.dtype == np.uint8
        assert frame.min() >= 149 and frame.max() <= 151


# One picture


def gradient() -> Rgb:
    return np.linspace(0, 255, 40 * 60 * 3).reshape(40, 60, 3).astype(np.uint8)


def test_what_does_not_fit_the_shape_is_cut_off_evenly() -> None:
    rgb = np.zeros((10, 40, 3), np.uint8)
    rgb[:, 15:25] = 255
    assert (np.asarray(scaled(rgb, 10, 10))[:, 1:9] > 200).all()
    assert (np.asarray(scaled(rgb.transpose(1, 0, 2), 10, 10))[1:9] > 200).all()


def test_smooth_says_how_slowly_the_picture_follows() -> None:
    shown, newest = Image.new("RGB", (2, 2), (0, 0, 0)), Image.new("RGB", (2, 2), (200, 200, 200))
    levels = [np.asarray(blended(shown, newest, smooth)).max() for smooth in (0.0, 0.5, 1.0)]
    assert levels[0] == 200 > levels[1] > levels[2] > 0


def test_neutral_grading_changes_nothing_and_no_saturation_is_grey() -> None:
    picture = Image.fromarray(gradient())
    assert graded(picture, 1.0, 1.0, 1.0) == picture
    grey = np.asarray(graded(picture, 1.0, 0.0, 1.0)).astype(int)
    assert (np.ptp(grey, axis=2) <= 1).all()
    flat = np.asarray(graded(picture, 0.0, 1.0, 1.0))
    assert flat.min() >= 127 and flat.max() <= 128
    strong = np.asarray(graded(picture, 2.0, 1.0, 1.0)).astype(int)
    assert strong.min() == 0 and strong.max() == 255


def test_drift_starts_from_the_picture_itself_and_stays_inside_it() -> None:
    picture = Image.fromarray(gradient())
    assert drifted(picture, 0.0) == picture
    for t in np.linspace(0, 2000, 400):
        assert drifted(picture, float(t)).size == picture.size

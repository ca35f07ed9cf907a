"""The standby picture and the specs of sinks."""

import itertools
import time

import numpy as np
import pytest

from vj.errors import UsageError
from vj.sinks import SINKS, make_sink, sink_kinds
from vj.standby import standby


def test_standby_is_dark_but_never_black_at_any_time():
    for t_s in range(0, 400, 7):
        picture = standby(160, 90, float(t_s))
        assert picture.shape == (90, 160, 3)
        assert picture.dtype == np.uint8
        assert picture.max(axis=2).min() >= 30
        assert picture.max() <= 140


def test_standby_moves_without_ever_flashing():
    pictures = [standby(160, 90, frame / 30).astype(int) for frame in range(120)]
    steps = [np.abs(after - before).max() for before, after in itertools.pairwise(pictures)]
    assert max(steps) <= 1
    assert np.abs(pictures[-1] - pictures[0]).max() >= 3


def test_standby_takes_odd_sizes():
    assert standby(641, 361, 3.0).shape == (361, 641, 3)


def test_standby_costs_little():
    standby(640, 360, 0.0)
    began = time.process_time()
    for frame in range(20):
        standby(640, 360, frame / 30)
    assert (time.process_time() - began) / 20 < 0.05


def test_a_sink_that_does_not_exist_is_answered_with_the_nearest_one():
    with pytest.raises(UsageError, match="no sink called 'brower'; did you mean 'browser'"):
        make_sink("brower:8090")


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("browser:eighty", "port from 1 to 65535"),
        ("browser:0", "port from 1 to 65535"),
        ("browser:70000", "port from 1 to 65535"),
        ("record", "needs a file"),
        ("record:show.avi", "record:show.mp4"),
        ("frames", "needs a folder"),
    ],
)
def test_a_spec_that_cannot_work_is_refused_with_what_would(spec, why):
    with pytest.raises(UsageError, match=why):
        make_sink(spec)


def test_every_kind_of_sink_says_what_it_is_and_whether_it_can_be_had():
    kinds = {kind.name: kind for kind in sink_kinds()}
    assert list(kinds) == list(SINKS)
    assert all(kind.what and kind.spec.startswith(kind.name) for kind in kinds.values())
    assert kinds["browser"].reason == ""
    assert kinds["frames"].reason == ""

"""Work beside the frames: bounded, never waited for while live, tried again after a failure."""

import time
from collections.abc import Callable

import pytest

from engine.beside import RETRY_S, WAITING, Beside


def wait_for(found: Callable[[], object]) -> None:
    end = time.monotonic() + 20.0
    while not found():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def test_work_beside_the_frames_is_bounded_and_failures_are_tried_again(monkeypatch: pytest.MonkeyPatch):
    done: list[str] = []

    def work(key: str) -> str:
        done.append(key)
        if "bad" in key:
            raise OSError("no")
        return key.upper()

    beside = Beside("test", work, kept=2, waits=True)
    assert [beside.find(key) for key in ("a", "b", "a", "bad", "bad")] == ["A", "B", "A", None, None]
    assert done == ["a", "b", "bad"] and str(beside.failure("bad")) == "no" and beside.failure("a") is None
    beside.find("c")
    beside.find("b")
    assert done == ["a", "b", "bad", "c", "b"]
    monkeypatch.setattr("engine.beside.RETRY_S", 0.0)
    beside.find("bad")
    assert done[-1] == "bad" and RETRY_S > 1.0


def test_beside_the_frames_nothing_is_waited_for():
    beside = Beside("test", str.upper)
    assert beside.find("a") is None or beside.find("a") == "A"
    wait_for(lambda: beside.find("a") == "A")
    for n in range(3 * WAITING):
        beside.find(f"k{n}")
    beside.close()
    assert beside.find("never asked") is None

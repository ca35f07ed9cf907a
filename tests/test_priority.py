"""The engine steps back, the program goes first, and a system that refuses is taken as it is."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from vj import priority

SAY = "import os, vj.priority as p; p.{}(); print(os.getpriority(os.PRIO_PROCESS, 0)); print(open(p.AUTOGROUP).read())"


def said_after(step: str) -> list[str]:
    command = [sys.executable, "-c", SAY.format(step)]
    found = subprocess.run(command, capture_output=True, text=True, check=True, start_new_session=True, cwd=Path.cwd())
    return found.stdout.split("\n")


@pytest.mark.skipif(not priority.AUTOGROUP.exists(), reason="no sessions are weighed here")
def test_the_engine_gives_way_as_a_process_and_as_a_session():
    niceness, session, *_ = said_after("step_back")
    assert int(niceness) == priority.BACK
    assert session.endswith(f"nice {priority.BACK}")


@pytest.mark.parametrize("step", [priority.step_back, priority.step_forward])
def test_a_system_that_refuses_stops_nothing(step, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def refuse(*_: object) -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "nice", refuse)
    monkeypatch.setattr(priority, "AUTOGROUP", tmp_path / "untouched")
    step()
    assert not (tmp_path / "untouched").exists()


def test_a_system_without_sessions_stops_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    asked = []
    monkeypatch.setattr(psutil.Process, "nice", lambda _, niceness: asked.append(niceness))
    monkeypatch.setattr(priority, "AUTOGROUP", tmp_path / "gone" / "autogroup")
    priority.step_forward()
    assert len(asked) == 1

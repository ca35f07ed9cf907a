"""A terminal that is closed takes its dashboard with it, also where no signal says so."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

pty = pytest.importorskip("pty", reason="no pseudo terminals on this system")
RIGS = Path(__file__).parent / "rigs"


def test_a_dashboard_that_hears_no_signal_ends_with_its_terminal(home: Path) -> None:
    show = subprocess.Popen([sys.executable, str(RIGS / "moving_show.py")], cwd=RIGS.parent.parent)
    outer, inner = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color"}
    dashboard = None
    try:
        while not (home / "run" / "show.json").exists():
            time.sleep(0.05)
        dashboard = subprocess.Popen(
            ["sh", "-c", "trap '' HUP; exec \"$0\" -m vj", sys.executable],
            env=environment, stdin=inner, stdout=inner, stderr=inner, start_new_session=True,
        )  # fmt: skip
        os.close(inner)
        assert os.read(outer, 1)  # it draws
        reader = threading.Thread(target=_read_until, args=(outer, time.monotonic() + 3), daemon=True)
        reader.start()
        reader.join()
        assert dashboard.poll() is None
        os.close(outer)
        assert dashboard.wait(20) == 0
    finally:
        for process in (show, dashboard):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()


def _read_until(terminal: int, until: float) -> None:
    while time.monotonic() < until:
        os.read(terminal, 1 << 16)

"""Who goes first when the processor is short: the program and its sinks before the engine. Nothing here ever fails."""

import logging
from pathlib import Path

import psutil

log = logging.getLogger("vj.priority")

BACK, FORWARD = 5, -5
"""Niceness of what can wait and of what cannot; only some users may ask for less than 0."""
AUTOGROUP = Path("/proc/self/autogroup")


def step_back() -> None:
    """Let others go first: this process takes what time is left."""
    _be_nice(BACK, getattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", BACK))


def step_forward() -> None:
    """Go first: this process needs little, but on time. Where that is not permitted it stays as it is."""
    _be_nice(FORWARD, getattr(psutil, "ABOVE_NORMAL_PRIORITY_CLASS", FORWARD))


def _be_nice(niceness: int, asked: int) -> None:
    """`asked` is the same as the system's own call wants it: a niceness, or a priority class on Windows."""
    try:
        psutil.Process().nice(asked)
    except (psutil.Error, OSError) as err:
        log.info("priority: it stays as it is: %s", err)
        return
    # Linux weighs sessions against each other by a niceness of their own, where it groups by session; each part is one.
    try:
        AUTOGROUP.write_text(str(niceness), encoding="ascii")
    except OSError as err:
        log.info("priority: the session's stays as it is: %s", err)

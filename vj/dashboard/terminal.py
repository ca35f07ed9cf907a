"""The terminal the dashboard is drawn in, and its end."""

import logging
import os
import sys
import threading
import time

log = logging.getLogger("vj.dashboard")

_LOOK_EVERY_S = 1.0


def leave_with_terminal() -> None:
    """From now on, end this process when its terminal is closed; the show is none of it and goes on.

    A closed terminal sends no signal to a program that `make` or `nohup` started, and Textual would read its end for
    ever, at a whole core.
    """
    number = sys.__stdin__.fileno() if sys.__stdin__ else -1
    if number >= 0 and os.isatty(number):
        threading.Thread(target=_watch, args=(number,), daemon=True, name="terminal").start()


def _watch(number: int) -> None:
    while os.isatty(number):
        time.sleep(_LOOK_EVERY_S)
    log.info("dashboard: the terminal is gone")
    # Not an orderly end: that would draw to the terminal, and wait for it.
    os._exit(0)

"""`vj stop`: end the running show."""

import argparse

from vj import show
from vj.errors import VjError
from vj.runtime import running_show


def add(_parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(_args: argparse.Namespace) -> int:
    """End the show; recordings are closed properly."""
    folder = running_show()
    if folder is None:
        raise VjError("no show is running")
    show.stop(folder)
    print("the show has ended")
    return 0

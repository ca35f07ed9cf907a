"""`vj sinks`: where the program can go from this machine."""

import argparse

from vj.sinks import sink_kinds


def add(_parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(_args: argparse.Namespace) -> int:
    """Every kind of sink, and why one cannot be had here."""
    for name, what, missing in sink_kinds():
        print(f"{name:24} {what}" + (f"\n{'':24} not here: {missing}" if missing else ""))
    return 0

"""`vj sinks`: where the program can go from this machine."""

import argparse

from vj.sinks import sink_kinds


def add(_parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(_args: argparse.Namespace) -> int:
    """Every kind of sink, and why one cannot be had here."""
    for kind in sink_kinds():
        print(f"{kind.spec:20} {kind.what}" + (f"\n{'':20} not here: {kind.reason}" if kind.reason else ""))
    return 0

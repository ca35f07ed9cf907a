"""`vj ports`: the MIDI ports this machine has."""

import argparse


def add(_parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(_args: argparse.Namespace) -> int:
    """No MIDI system is an empty list with its reason, and no fault."""
    from vj.controls.midi import list_ports

    names, reason = list_ports()
    for name in names:
        print(name)
    if not names or reason:
        print(reason or "no MIDI inputs: none is plugged in")
    return 0

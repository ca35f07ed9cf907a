"""`vj` alone: attach to the running show, or start the demo show."""

import argparse

from vj import library
from vj.checks import check
from vj.commands.arguments import default_size, size
from vj.commands.play import cut_off, dashboard, play
from vj.errors import DeviceError
from vj.runtime import Plan, running_show

DEMO_SONG = "night-ferry"


def demo_plan() -> Plan:
    """The demo show: shipped guide, shipped song, browser sink."""
    width, height = size(default_size("auto"))
    cues = str(library.find("cues", DEMO_SONG).resolve())
    return Plan(width=width, height=height, cues=cues, mappings=("generic", "nanokontrol2"))


def run(_args: argparse.Namespace) -> int:
    """Attach, or start the demo show and attach to that."""
    folder = running_show()
    if folder is not None:
        return dashboard(folder)
    plan, notes = demo_plan(), cut_off()
    try:
        notes += check(plan)
    except DeviceError as err:
        raise DeviceError(f"{err}\nthe demo with options is: vj play {DEMO_SONG} OPTIONS") from err
    return play(plan, notes=notes)

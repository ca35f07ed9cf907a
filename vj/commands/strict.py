"""What `--strict` asks of the engine before the show: that its device answers and its guides can be read.

Only torch can tell, so it is asked in a process of its own: the keeper stays small, and a start without `--strict`
never waits for it.
"""

import subprocess
import sys

from vj.errors import DeviceError
from vj.runtime import Plan, environment, runtime_root

_LONGEST_S = 300.0


def missing(plan: Plan) -> list[DeviceError]:
    """What the engine of this plan would go without, each with what was tried and what to do."""
    command = [sys.executable, "-P", "-m", "vj.commands.strict", plan.device, plan.guide]
    try:
        asked = subprocess.run(
            command, env=environment(runtime_root()), capture_output=True, text=True, timeout=_LONGEST_S
        )
    except subprocess.TimeoutExpired:
        return [DeviceError(f"the engine's device and guides gave no answer within {_LONGEST_S:g} s; try: vj doctor")]
    if asked.returncode:
        why = (asked.stderr.strip().splitlines() or ["no word"])[-1]
        return [DeviceError(f"the engine's device and guides could not be tried: {why}; try: vj doctor")]
    return [DeviceError(line) for line in asked.stdout.splitlines()]


def main(device: str, guides: str) -> None:
    """Print a line for everything that is missing."""
    from engine.devices import choose_device, gpu_unused
    from engine.errors import GuideError
    from engine.guides.loading import load_guide

    found, note = choose_device(device)
    if note:
        what_to_do = gpu_unused() or "see vj doctor, or leave --device out"
        print(f"--device {device}: a tensor was to be made there, and it does not answer; {what_to_do}")
    for name in guides.split("+"):
        try:
            load_guide(name, found)
        except GuideError as err:
            print(f"--guide {name}: {err}")


if __name__ == "__main__":
    main(*sys.argv[1:])

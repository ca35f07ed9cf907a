"""`vj part NAME`: one process of a show. The keeper's own door; people start a show with `vj play`."""

import logging
import sys
import time
from pathlib import Path

from vj.errors import VjError
from vj.runtime import Plan

log = logging.getLogger("vj.parts")


def main(name: str, *rest: str) -> int:
    """Run a part, or the keeper (with the file of its plan and how long); whatever ends it stands in its log."""
    try:
        return run_keeper(Path(rest[0]), float(rest[1])) if name == "keeper" else _run_part(name)
    except VjError as err:
        print(err, file=sys.stderr)
        return err.exit_code
    except Exception:
        log.exception("%s: ended by a fault", name)
        return 1


def run_keeper(asked: Path, for_s: float) -> int:
    """Keep a show that was asked for from a terminal, detached from it."""
    from vj import show

    started = time.monotonic()
    plan = Plan.from_json(asked.read_text(encoding="utf-8"))
    show.keep(show.prepare(plan), plan, started, for_s, is_reporting=False)
    return 0


def _run_part(name: str) -> int:
    from vj.parts import run_part

    return run_part(name)

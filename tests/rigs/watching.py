"""Watching a dashboard in Textual's pilot: what stands on its screen, and what its keys ask of the desk."""

import asyncio
import html
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from moving_show import MovingShow
from textual.pilot import Pilot

from vj.changes import Change
from vj.dashboard.app import Dashboard

SIZES = [(80, 24), (120, 40), (200, 60)]


@asynccontextmanager
async def dashboard(show: MovingShow, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Dashboard, Pilot]]:
    app = Dashboard(show.folder)
    async with app.run_test(size=size) as pilot:
        await shows(pilot, "Night Ferry")
        yield app, pilot


def screen(app: Dashboard) -> str:
    """What stands on the screen, row by row."""
    rows: dict[float, list[tuple[float, str]]] = defaultdict(list)
    for x, y, text in re.findall(r'<text [^>]*x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>', app.export_screenshot()):
        rows[float(y)].append((float(x), html.unescape(text).replace("\xa0", " ")))
    return "\n".join("".join(text for _, text in sorted(row)) for _, row in sorted(rows.items()))


async def shows(pilot: Pilot, words: str, within_s: float = 10.0) -> str:
    """Wait until these words are on the screen."""
    until = time.monotonic() + within_s
    while words not in (seen := screen(pilot.app)):
        assert time.monotonic() < until, f"{words!r} is not on:\n{seen}"
        await pilot.pause(0.1)
    return seen


async def until(pilot: Pilot, claim: Callable[[], bool], what: str, within_s: float = 10.0) -> None:
    """Wait until this is so."""
    end = time.monotonic() + within_s
    while not claim():
        assert time.monotonic() < end, f"it never came to {what}"
        await pilot.pause(0.02)


async def asked(pilot: Pilot, show: MovingShow, *keys: str) -> list[Change]:
    """What the desk was asked for by these keys."""
    before = len(show.changes)
    await pilot.press(*keys)
    for _ in range(40):
        await asyncio.sleep(0.025)
        if len(show.changes) > before:
            await asyncio.sleep(0.05)
            break
    return show.changes[before:]

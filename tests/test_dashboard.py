"""What the dashboard shows of a show folder with real mailboxes and a real door, in Textual's pilot and in tmux."""

import itertools
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vj.controls.door import Door
from vj.dashboard.overlays import EndedScreen
from vj.dashboard.picture import Picture, cells_of, fitted, is_paid_off, row_of
from vj.dashboard.pulses import ProgramFrames
from vj.mailboxes import Frame

sys.path.insert(0, str(Path(__file__).parent / "rigs"))

from moving_show import MovingShow
from watching import SIZES, asked, dashboard, shows

# What no size may leave out.
EVERYWHERE = (
    *("LIVE", "Night Ferry", "14.8 fps", "30.0 fps", "gap 38 ms", "142 ms", "shipped · cpu", "35.0", "browser", "ok"),
    *("127.0.0.1:8080", "wet asp", "+0.60", "-0.50", "PARAMETERS", "space go", "? keys", "q end", "osc"),
)


@pytest.fixture
def show(tmp_path: Path) -> Iterator[MovingShow]:
    moving = MovingShow(tmp_path)
    moving.move()
    yield moving
    if moving.folder.boxes.is_dir():
        moving.close()


@pytest.mark.parametrize("size", SIZES)
async def test_everything_that_matters_is_on_the_screen(show: MovingShow, size: tuple[int, int]) -> None:
    show.facts["desk"] = {"line": "we walk on frozen rain", "next_line": "the sea turns to glass"}
    async with dashboard(show, size) as (app, pilot):
        for word in ("the sea turns to glass", *EVERYWHERE):  # pulses may be drawn a moment after the first look
            seen = await shows(pilot, word)
        assert [word for word in EVERYWHERE if word not in seen] == []
        assert seen.count("▀") > size[0] * size[1] // 6
        assert app.query_one(Picture).size.width >= size[0] // 2
        if size != (200, 60):  # there the line is drawn in large letters
            assert "we walk on frozen rain" in seen


async def test_a_silent_desk_is_said_and_no_key_waits_for_it(show: MovingShow) -> None:
    async with dashboard(show) as (_, pilot):
        show.door.stop()
        show.quiet = {"desk", "engine"}
        for part in show.quiet:
            show.beat(part, time.monotonic() - 20.0)
        seen = await shows(pilot, "DESK NOT ANSWERING")
        assert "HOLDING (engine silent)" in seen
        assert "14.8 fps" not in seen
        assert "last known: desk not answering" in seen
        began = time.monotonic()
        await pilot.press("k", "f")
        assert time.monotonic() - began < 0.9
        await shows(pilot, "not sent: the desk did not take freeze")


async def test_the_dashboard_follows_the_desk_through_a_restart(show: MovingShow) -> None:
    async with dashboard(show) as (_, pilot):
        assert await asked(pilot, show, "f")
        show.door.stop()
        show.door = Door(show.folder.root / "door.json", show.take, lambda line: None)
        show.door.start()
        for _ in range(3):
            if await asked(pilot, show, "k"):
                break
        assert show.changes[-1].parameter == "blackout"


async def test_a_change_of_the_look_is_on_the_screen_with_its_state(show: MovingShow) -> None:
    async with dashboard(show) as (_, pilot):
        await asked(pilot, show, "k")
        await shows(pilot, "■ BLACKOUT")


async def test_an_ended_show_is_said_and_any_key_closes(show: MovingShow) -> None:
    async with dashboard(show) as (app, pilot):
        await pilot.press("p", *"half")
        show.close()
        await shows(pilot, "THE SHOW HAS ENDED")
        assert isinstance(app.screen, EndedScreen)
        await pilot.press("x")
    assert app.return_value is None


async def test_the_picture_follows_the_program_and_survives_its_restart(show: MovingShow) -> None:
    show.is_still = True
    async with dashboard(show, (120, 40)) as (app, pilot):
        for number in (500, 501, 1):  # a program that came back counts from the start
            rgb = np.full((360, 640, 3), (number % 200, 40, 90), np.uint8)
            show.program.put(Frame(rgb, number, is_painted=True))
            wanted = row_of(cells_of(rgb, 1, 1)[0])[0].style
            for _ in range(40):
                await pilot.pause(0.1)
                strip = app.query_one(Picture).render_line(3)
                if any(segment.style == wanted for segment in strip):
                    break
            else:
                pytest.fail(f"frame {number} never came")


def test_frames_are_given_once_and_a_missing_mailbox_gives_none(show: MovingShow) -> None:
    now = itertools.count(0.0, 0.1)
    frames = ProgramFrames(show.folder, lambda: next(now))
    assert frames.newest() is not None
    assert frames.newest() is None
    frames.close()
    (show.folder.boxes / "program").unlink()
    assert ProgramFrames(show.folder).newest() is None


def test_half_blocks_keep_the_shape_and_the_colours_of_the_picture() -> None:
    assert fitted(1280, 720, 200, 20) == (71, 20)
    assert fitted(720, 1280, 40, 20) == (22, 20)
    rgb = np.zeros((40, 40, 3), np.uint8)
    rgb[:18] = (255, 0, 0)
    (segment,) = row_of(cells_of(rgb, 8, 1)[0])
    assert segment.text == "▀" * 8
    assert segment.style is not None
    assert segment.style.color.triplet.red > 200
    assert segment.style.bgcolor.triplet.red < 50
    assert not cells_of(np.zeros((40, 40, 3), np.uint8), 8, 2).any()


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
@pytest.mark.parametrize(("keys", "ends"), [("kd", False), ("kqqy", True)])
def test_it_runs_in_a_terminal_of_80_by_24_and_ends_the_show_only_when_told(
    show: MovingShow, tmp_path: Path, keys: str, ends: bool
) -> None:
    code = "from pathlib import Path; from vj.runtime import Folder; from vj.dashboard.app import run; "
    code += f"r = Path({str(tmp_path)!r}); run(Folder(r, r / 'boxes', r / 'logs'), lambda: (r / 'ended').touch())"
    tmux = ["tmux", "-u", "-S", str(tmp_path / "tmux"), "-f", "/dev/null"]
    command = ["env", "COLORTERM=truecolor", "TERM=tmux-256color", "LC_ALL=C.UTF-8", sys.executable, "-c", code]
    subprocess.run(
        [*tmux, "new-session", "-d", "-x", "80", "-y", "24", *command], cwd=Path(__file__).parent.parent, check=True
    )
    try:
        seen = _when(lambda: _pane(tmux), lambda pane: "LIVE" in pane and pane.count("▀") > 400)
        assert len(re.findall("38;2;", seen)) > 200
        for key in keys:
            subprocess.run([*tmux, "send-keys", key], check=True)
            time.sleep(0.4)
        gone = _when(lambda: subprocess.run([*tmux, "has-session"], capture_output=True).returncode, bool)
        assert gone
        assert [change.parameter for change in show.changes] == ["blackout"]
        assert (tmp_path / "ended").exists() == ends
    finally:
        subprocess.run([*tmux, "kill-server"], capture_output=True)


def _pane(tmux: list[str]) -> str:
    return subprocess.run([*tmux, "capture-pane", "-p", "-e"], capture_output=True, text=True).stdout


def _when(look: Callable[[], Any], is_so: Callable[[Any], bool]) -> Any:
    """What was seen once it is so, or last within 20 s."""
    until = time.monotonic() + 20.0
    while not is_so(seen := look()) and time.monotonic() < until:
        time.sleep(0.1)
    return seen


@pytest.mark.parametrize(
    ("spent_s", "passed_s", "is_drawn"),
    [(0.016, 0.1, False), (0.016, 0.25, True), (0.0, 0.08, True), (5.0, 0.9, False), (5.0, 1.0, True)],
)
def test_pictures_cost_a_small_share_of_a_core_and_never_stand_still(spent_s: float, passed_s: float, is_drawn: bool):
    assert is_paid_off(spent_s, passed_s) is is_drawn

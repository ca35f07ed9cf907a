"""A whole show as a performer meets it: a terminal of 80x24, a knob on real MIDI, OSC from another program."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LIGHT = ["--size", "128x72", "--set", "engine_fps=5", "--set", "canvas_width=64", "--set", "canvas_height=64"]
VJ = [sys.executable, "-m", "vj"]


def eventually(found: Callable[[], object], what: str, seen: Callable[[], str] = str) -> None:
    until = time.monotonic() + 60
    while not found():
        assert time.monotonic() < until, f"never happened: {what}; {seen()}"
        time.sleep(0.2)


def lines_of(show: subprocess.Popen[str], wanted: Callable[[dict], bool], what: str) -> dict:
    """The first status line that is as wanted."""
    until = time.monotonic() + 60
    assert show.stdout is not None
    for text in show.stdout:
        line = json.loads(text)
        if wanted(line):
            return line
        assert time.monotonic() < until, f"never happened: {what}; last: {line}"
    raise AssertionError(f"the show ended before {what}")


@pytest.fixture
def headless(home: Path, free_port: Callable[[], int]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    shows = []

    def start(*options: str, wrapped: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        command = [*wrapped, *VJ, "play", "paper-moon", "--headless", "--sink", f"frames:{home / 'frames'}", *LIGHT]
        show = subprocess.Popen([*command, *options], cwd=home, stdout=subprocess.PIPE, text=True, env=os.environ)
        shows.append(show)
        return show

    yield start
    subprocess.run([*VJ, "stop"], cwd=home, capture_output=True, timeout=60)
    for show in shows:
        show.wait(30)


@pytest.mark.skipif(not shutil.which("oscsend"), reason="liblo-tools is not installed")
def test_an_osc_packet_turns_the_temperature_and_nonsense_is_counted(
    headless: Callable[..., subprocess.Popen[str]], free_port: Callable[[], int]
) -> None:
    port = str(free_port())
    show = headless("--osc", f"127.0.0.1:{port}")
    lines_of(show, lambda line: line["engine_fps"] > 0, "the first painted frame")
    subprocess.run(["oscsend", "127.0.0.1", port, "/vj/temperature", "f", "73.5"], check=True)
    subprocess.run(["oscsend", "127.0.0.1", port, "/vj/temprature", "f", "1"], check=True)
    subprocess.run(["oscsend", "127.0.0.1", port, "/vj/zoom", "s", "nonsense"], check=True)
    line = lines_of(show, lambda line: line["inputs"]["osc"]["refused"] == 2, "two refused packets")
    assert line["look"]["temperature"] == 73.5
    subprocess.run(["oscsend", "127.0.0.1", port, "/vj/prompt", "sf", "a red heart", "0"], check=True)
    subprocess.run(["oscsend", "127.0.0.1", port, "/vj/blackout", "i", "1"], check=True)
    assert lines_of(show, lambda line: line["look"]["blackout"], "blackout")["program_fps"] > 0


@pytest.mark.skipif(not shutil.which("jackd"), reason="jackd2 is not installed")
def test_a_knob_on_real_midi_turns_the_temperature(
    headless: Callable[..., subprocess.Popen[str]], free_port: Callable[[], int]
) -> None:
    jack = pytest.importorskip("jack", reason="JACK-Client is not installed")
    wrapped = (str(ROOT / "tests" / "rigs" / "jack-midi"),)
    show = headless("--osc", f"127.0.0.1:{free_port()}", wrapped=wrapped)
    lines_of(show, lambda line: "vj:vj-in" in line["inputs"].get("midi", {}).get("ports", []), "the MIDI port")
    client = jack.Client("knob", no_start_server=True)
    out = client.midi_outports.register("out")
    value = [127]

    @client.set_process_callback
    def process(_frames: int) -> None:
        out.clear_buffer()
        if value:
            out.write_midi_event(0, (0xB0, 1, value.pop()))

    with client:
        client.connect(out, "vj:vj-in")
        value.append(127)
        line = lines_of(show, lambda line: line["look"].get("temperature") == 100.0, "temperature at its highest")
    assert line["inputs"]["midi"]["received"] >= 1


@pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is not installed")
def test_a_terminal_of_80_by_24_shows_the_show_takes_a_prompt_and_may_be_closed(
    home: Path, free_port: Callable[[], int]
) -> None:
    tmux = ["tmux", "-u", "-L", f"vj-test-{os.getpid()}", "-f", "/dev/null"]
    options = ["--sink", f"frames:{home / 'frames'}", "--osc", f"127.0.0.1:{free_port()}", *LIGHT]
    environment = [f"{name}={os.environ[name]}" for name in os.environ if name.startswith(("VJ_", "XDG_"))]
    terminal = ["env", *environment, "COLORTERM=truecolor", "TERM=tmux-256color", "LC_ALL=C.UTF-8"]

    def open_window(*command: str) -> None:
        window = ["new-session", "-d", "-x", "80", "-y", "24", "-c", str(home)]
        subprocess.run([*tmux, *window, *terminal, *VJ, *command], check=True)

    def screen() -> str:
        return subprocess.run([*tmux, "capture-pane", "-p"], capture_output=True, text=True).stdout

    def press(*keys: str) -> None:
        subprocess.run([*tmux, "send-keys", *keys], check=True)

    try:
        open_window("play", "paper-moon", *options)
        eventually(lambda: "LIVE" in screen(), "LIVE on the screen", screen)
        assert "▀" in screen() and "Paper Moon" in screen()
        press("c")  # the next cue would take the place of what is typed, perhaps before it was seen
        eventually(lambda: "CUES PAUSED" in screen(), "CUES PAUSED on the screen", screen)
        press("p")
        press("-l", "a quick red fox")  # q, k and f are hotkeys, and dead now
        press("Enter")
        eventually(lambda: "a quick red fox" in screen(), "the typed prompt as the line", screen)
        assert "BLACKOUT" not in screen() and "FROZEN" not in screen()
        press("k")
        eventually(lambda: "BLACKOUT" in screen(), "BLACKOUT on the screen", screen)
        subprocess.run([*tmux, "kill-server"])
        eventually(lambda: subprocess.run([*tmux, "ls"], capture_output=True).returncode, "the end of the terminal")
        open_window()
        eventually(lambda: "BLACKOUT" in screen(), "the running show in another terminal")
        press("q")
        press("q")
        eventually(lambda: "end the show" in screen(), "the question")
        press("y")
        eventually(lambda: not list((home / "run").glob("*.pid")), "the end of every process")
    finally:
        subprocess.run([*tmux, "kill-server"], capture_output=True)
        subprocess.run([*VJ, "stop"], cwd=home, capture_output=True, timeout=60)

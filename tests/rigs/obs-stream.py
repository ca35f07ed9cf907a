"""obs-stream.py FOLDER: shows the browser sink's /stream.mjpg in OBS and prints what a screenshot of it holds, as JSON.

Run it inside loopback-net: OBS listens on every interface. Packages: obs-studio, xvfb (Debian), obsws-python.
Printed: {"first": [number, corner colours], "second": [the same, later], "seconds": until the first}, the number read
from 12 white and black blocks; or {"failed": why}.
"""

import base64
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image

from vj.sinks import make_sink

WIDTH, HEIGHT, PORT = 640, 360, 8090
COLOURS = ((230, 40, 20), (10, 60, 220))


def feed(sink, ended):
    """Send two coloured halves with a moving number on top, 30 a second."""
    base = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    base[:, : WIDTH // 2], base[:, WIDTH // 2 :] = COLOURS
    number = 0
    while not ended.wait(1 / 30):
        number += 1
        frame = base.copy()
        for bit in range(12):
            frame[:32, bit * 32 : bit * 32 + 32] = 255 * (number >> bit & 1)
        sink.send(frame)


def connect(folder):
    """A client of OBS's websocket, as soon as there is one; OBS takes some seconds to start."""
    import obsws_python

    for _ in range(80):
        try:
            return obsws_python.ReqClient(host="127.0.0.1", port=4455, timeout=5)
        except OSError:
            time.sleep(0.5)
    raise SystemExit(json.dumps({"failed": "OBS did not answer: " + (folder / "obs.log").read_text()[-500:]}))


def seen(obs):
    """The number and the colours of the left and right edge, of what OBS shows now."""
    data = obs.get_source_screenshot("vj", "png", WIDTH, HEIGHT, -1).image_data.split(",", 1)[1]
    with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    number = sum(1 << bit for bit in range(12) if pixels[16, bit * 32 + 16, 0] > 127)
    return number, [pixels[300, 20].tolist(), pixels[300, -20].tolist()]


def is_picture(found):
    """Whether both halves have their colours, as far as the eye can tell."""
    return bool(np.abs(np.asarray(found[1]) - COLOURS).max() <= 40)


def look(obs):
    """Add the stream to OBS as a media source and read two screenshots of it."""
    scene = obs.get_current_program_scene().current_program_scene_name
    source = {
        "is_local_file": False,
        "input": f"http://127.0.0.1:{PORT}/stream.mjpg",
        "input_format": "mpjpeg",
        "buffering_mb": 0,
    }
    obs.create_input(scene, "vj", "ffmpeg_source", source, True)
    began = time.monotonic()
    first = None
    while time.monotonic() - began < 25:
        try:
            first = seen(obs)
        except Exception:  # noqa: BLE001 - obsws raises its own error until the source has a first picture
            first = None
        if first and is_picture(first):
            break
        time.sleep(0.2)
    if not first:
        return {"failed": "no picture in the source"}
    seconds = time.monotonic() - began
    time.sleep(1)
    return {"first": first, "second": seen(obs), "seconds": seconds}


def main():
    """Run OBS, look, end OBS."""
    folder = Path(sys.argv[1])
    sink, ended = make_sink(f"browser:{PORT}"), threading.Event()
    sink.open(WIDTH, HEIGHT, 30.0)
    feeder = threading.Thread(target=feed, args=(sink, ended))
    feeder.start()
    rig = Path(__file__).parent / "obs-headless"
    headless = subprocess.Popen([rig, folder], start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        sys.stdout.write(json.dumps(look(connect(folder))) + "\n")
    finally:
        headless.terminate()  # the script ends OBS and the screen, and waits for them
        try:
            headless.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(headless.pid, signal.SIGKILL)
            headless.wait(5)
        ended.set()
        feeder.join()
        sink.close()


if __name__ == "__main__":
    main()

"""Frames on a GPU: nothing within one makes the host wait, steps are played back, and what breaks is painted again."""

import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.guides.loading import load_guide
from engine.parameters import Look
from engine.step import Engine

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
CUDA = torch.device("cuda")
LOOK = Look(line="a red heart").with_values({"canvas_width": 192, "canvas_height": 108, "upscale": 1})


def test_frames_make_the_host_wait_for_nothing_and_their_steps_are_played_back() -> None:
    """Knobs and prompts move; whatever asks the device for an answer within a frame is an error."""
    engine = Engine([load_guide("shipped", CUDA)], CUDA, 0, is_live=True)
    moving = LOOK.with_values({"zoom": 0.1, "turn": 5.0, "governor": False, "steps": 3})
    texts = ("a red heart", "starry night", "grass")
    looks = [
        replace(moving.with_values({"temperature": 5.0 * n, "overhang": 0.01 * n}), line=text, next_line=texts[0])
        for n, text in enumerate(texts * 2)
    ]
    for look in looks * 3:
        engine.paint(look)
        torch.cuda.synchronize()
        time.sleep(0.05)  # texts are read beside the frames
    torch.cuda.set_sync_debug_mode("error")
    try:
        for look in looks * 2:
            rgb = engine.paint(look, lambda look=look: replace(look, serial=3))
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert rgb.shape == (108, 192, 3) and engine.report()["notes"] == []
    assert engine._painting._stepping.recordings >= 1
    engine.close()


def test_a_broken_picture_on_a_gpu_is_painted_again_from_the_last_frame() -> None:
    guide = load_guide("shipped", CUDA)
    engine = Engine([guide], CUDA, 0, is_live=True)
    for _ in range(10):
        before = engine.paint(LOOK)
    engine._painting._carried.fill_(float("nan"))
    engine._painting._previous.fill_(float("nan"))
    for _ in range(10):
        after = engine.paint(LOOK)
    assert np.abs(after.astype(int) - before).mean() < 60
    assert any("painted again" in note for note in engine.report()["notes"])
    engine.close()


def test_every_guide_looks_in_half_the_bits_where_the_gpu_is_built_for_it() -> None:
    wanted = torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    assert load_guide("shipped", CUDA).image_dtype == wanted

"""Whatever the controls are set to, a frame comes out."""

from dataclasses import replace

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.guides.colours import colour_guide
from engine.parameters import PARAMETERS, Look
from engine.step import Engine

CPU = torch.device("cpu")
FREE = [
    row for row in PARAMETERS.values() if row.group in ("picture", "motion") and row.kind not in ("trigger", "text")
]
SMALL = {"canvas_width": 64, "canvas_height": 64, "steps": 2, "first_steps": 2, "crops": 3}


@st.composite
def looks(draw: st.DrawFn) -> Look:
    """Any look, its price kept small."""
    values = {row.name: row.from_unit(draw(st.floats(0.0, 1.0))) for row in FREE if row.name not in SMALL}
    values |= {"canvas_width": draw(st.integers(64, 140)), "canvas_height": draw(st.integers(64, 140))}
    values |= {"steps": draw(st.integers(1, 3)), "first_steps": 1, "crops": draw(st.integers(1, 9))}
    values |= {"reroll": draw(st.integers(0, 2)), "kick": draw(st.integers(0, 2))}
    text = st.sampled_from(["", "red", "blue", "no colour"])
    return replace(Look().with_values(values), line=draw(text), next_line=draw(text), blend=draw(st.floats(0.0, 1.0)))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(looks(), min_size=1, max_size=4))
def test_any_looks_in_any_order_give_frames(shown: list[Look]):
    torch.set_num_threads(1)
    engine = Engine([colour_guide(CPU)], CPU, seed=0, is_live=False)
    for look in shown:
        rgb = engine.paint(look)
        height, width, times = look.whole("canvas_height"), look.whole("canvas_width"), look.whole("upscale")
        assert rgb.shape in ((height, width, 3), (times * height, times * width, 3))

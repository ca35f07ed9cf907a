"""Palettes written as texts: what is a colour, what is none, and what stays when a text holds none."""

import pytest
import torch

from engine.gallery import Gallery
from engine.palettes import read_palette
from engine.parameters import Look

CPU = torch.device("cpu")


def test_a_palette_is_written_in_numbers_and_names():
    palette, wrong = read_palette("#ff0000, Blue  #0f0")
    third = pytest.approx(1 / 3)
    assert (palette.tolist(), wrong) == ([[1, 0, 0, third], [0, 0, 1, third], [0, 1, 0, third]], "")


@pytest.mark.parametrize(
    ("text", "colours", "wrong"),
    [
        ("red blurple", 1, "palette: no colour called 'blurple'; did you mean 'purple'?"),
        ("#12345", 0, "palette: no colour called '#12345'; write #ff8800 or a name such as orange"),
        ("red " * 20, 12, "palette: 20 colours, of which it has room for 12"),
    ],
)
def test_what_is_no_colour_is_named(text: str, colours: int, wrong: str):
    palette, said = read_palette(text)
    assert (0 if palette is None else len(palette)) == colours and said == wrong


def test_a_text_of_no_colours_leaves_those_before():
    gallery, red = Gallery(CPU, waits=True), Look().with_values({"palette": "red", "palette_weight": 1.0})
    before = gallery.of(red).palette
    assert torch.equal(gallery.of(red.with_values({"palette": "rde"})).palette, before)
    assert gallery.faults() == ["palette: no colour called 'rde'; did you mean 'red'?"]
    assert gallery.of(red.with_values({"palette": "blue"})).palette[:, :3].tolist() == [[0, 0, 1]]
    assert gallery.of(red.with_values({"palette": ""})).palette is None
    gallery.close()

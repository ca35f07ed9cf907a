"""Pictures, palettes, videos and cameras beside the prompts: read beside the frames, missing ones said once."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.gallery import Gallery
from engine.guides.colours import Colours, colour_guide
from engine.guides.guide import Guide
from engine.guides.loading import load_guide
from engine.looking import read_shown, seen_of
from engine.palettes import palette_of
from engine.parameters import Look
from engine.pictures import open_picture
from engine.sources import Source, device_of
from engine.step import Engine
from engine.style import FILTERS, PATCH, Style

CPU = torch.device("cpu")
LOOK = Look().with_values(
    {"canvas_width": 96, "canvas_height": 64, "upscale": 1, "temperature": 50.0, "governor": False}
)
DEVICE = "device:lavfi:color=c=0x0000ff:size=64x48:rate=25"
"""A live device of FFmpeg's own that gives blue pictures without end."""


@pytest.fixture()
def engine() -> Iterator[Engine]:
    made = Engine((colour_guide(CPU),), CPU, 0, is_live=False)
    yield made
    made.close()


def a_picture(path: Path, *colours: str, width: int = 60) -> str:
    """A file with these colours beside each other, each so wide."""
    image = Image.new("RGB", (width * len(colours), 60))
    for n, colour in enumerate(colours):
        image.paste(colour, (width * n, 0, width * n + width, 60))
    image.save(path)
    return str(path)


def a_video(path: Path, levels: list[int], fps: int = 25) -> str:
    """A video of grey pictures of these levels, 64 x 48."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for level in levels:
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), level, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return str(path)


def wait_for(found: Callable[[], object]) -> None:
    end = time.monotonic() + 20.0
    while not found():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def painted(engine: Engine, look: Look, frames: int = 40) -> np.ndarray:
    for _ in range(frames):
        rgb = engine.paint(look)
    return rgb / 255.0


def test_a_pictures_palette_has_its_colours_by_their_shares(tmp_path: Path):
    palette = palette_of(a_picture(tmp_path / "flag.png", "red", "red", "red", "blue"))
    assert palette[:, 3].sum().item() == pytest.approx(1.0)
    red, blue = palette[0], palette[1]
    assert red[:3].tolist() == pytest.approx([1, 0, 0], abs=0.05) and red[3].item() == pytest.approx(0.75, abs=0.05)
    assert blue[:3].tolist() == pytest.approx([0, 0, 1], abs=0.05)


def test_pictures_are_upright_small_and_on_black(tmp_path: Path):
    image = Image.new("RGBA", (400, 200), (255, 255, 255, 0))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    image.save(tmp_path / "a.png", exif=exif)
    opened = open_picture(tmp_path / "a.png", 100)
    assert opened.size == (50, 100) and opened.getpixel((10, 10)) == (0, 0, 0)


def test_a_pictures_vector_is_that_of_its_colour(tmp_path: Path):
    guide = colour_guide(CPU)
    vector = read_shown(guide, a_picture(tmp_path / "red.png", "red"))[0]
    assert torch.allclose(vector, guide.embed_text(["red"])[0], atol=1e-3)


def test_a_picture_is_a_prompt(tmp_path: Path, engine: Engine):
    look = LOOK.with_values({"prompt_picture": a_picture(tmp_path / "blue.png", "blue")})
    assert not look.is_blank()
    mean = painted(engine, look).mean(axis=(0, 1))
    assert mean[2] > 0.55 > 0.45 > mean[0]
    away = look.with_values({"picture_weight": -1.0, "reroll": 1})
    mean = painted(engine, away).mean(axis=(0, 1))
    assert mean[2] < 0.45


def test_views_should_show_what_a_picture_shows_there_and_it_covers_the_canvas(tmp_path: Path):
    columns = ["lime", *["red"] * 3, *["blue"] * 3, "lime"]  # eight wide and one high: a canvas of six shows the inner
    guide = colour_guide(CPU)
    shown = read_shown(guide, a_picture(tmp_path / "two.png", *columns))[1]
    boxes = torch.tensor([[-0.9, -0.9, -0.1, 0.9], [0.1, -0.9, 0.9, 0.9], [1.1, -0.9, 1.3, 0.9]])
    left, right, beyond = (guide.embed_text([colour])[0] for colour in ("red", "blue", "green"))
    found = seen_of(shown, boxes, (60, 360), guide)
    assert torch.allclose(found, torch.stack([left, right, beyond]), atol=0.02)
    higher = seen_of(shown.transpose(2, 3), boxes[:, [1, 0, 3, 2]], (360, 60), guide)
    assert torch.allclose(higher, found, atol=0.02)


def test_a_pictures_colours_are_a_palette(tmp_path: Path, engine: Engine):
    path = a_picture(tmp_path / "two.png", "#0040a0", "orange")
    rgb = painted(engine, replace(LOOK.with_values({"palette_picture": path, "palette_weight": 3.0}), line="grey"))
    colours = np.array([[0, 64, 160], [255, 165, 0]]) / 255.0
    far = np.linalg.norm(rgb.reshape(-1, 1, 3) - colours, axis=2)
    assert far.min(axis=1).mean() < 0.3
    assert min((far.argmin(axis=1) == n).mean() for n in (0, 1)) > 0.15


def test_the_style_of_a_flat_picture_is_its_colour():
    style = Style(torch.full((1, 3, 36, 64), 0.25))
    assert style.distance(torch.full((1, 3, 36, 64), 0.25)).item() == pytest.approx(0.0, abs=1e-8)
    filters = torch.randn(FILTERS, 3, PATCH, PATCH, generator=torch.Generator().manual_seed(0))
    sums = filters.sum(dim=(1, 2, 3)) / filters.flatten(1).norm(dim=1)
    one_scale = Style(torch.full((1, 3, 36, 64), 0.25))
    one_scale._scales, one_scale._pyramid = one_scale._scales[:1], one_scale._pyramid[:1]
    found = one_scale.distance(torch.full((1, 3, 36, 64), 0.75)).item()
    assert found == pytest.approx(float((0.5 * sums).square().mean()), rel=1e-4)


def test_a_style_brings_its_colours_and_the_direction_of_its_strokes(tmp_path: Path, engine: Engine):
    path = a_picture(tmp_path / "stripes.png", *(["red", "white"] * 6), width=5)
    look = replace(LOOK.with_values({"style_picture": path, "style_weight": 1.0, "temperature": 30.0}), line="grey")
    rgb = painted(engine, look, 60)
    across, down = np.abs(np.diff(rgb, axis=1)).mean(), np.abs(np.diff(rgb, axis=0)).mean()
    assert across > 2.0 * down
    assert rgb[..., 0].mean() > rgb[..., 1].mean() + 0.15


@pytest.mark.parametrize("name", ["prompt_picture", "palette_picture", "style_picture", "source"])
def test_a_file_that_is_missing_or_broken_is_one_note_and_the_picture_goes_on(
    name: str, tmp_path: Path, engine: Engine
):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    for path, reason in ((tmp_path / "none.png", "no such file"), (tmp_path / "broken.png", "broken.png")):
        look = replace(LOOK.with_values({name: str(path)}), line="red")
        assert painted(engine, look, 3).shape == (64, 96, 3)
        notes = engine.report()["notes"]
        assert len(notes) == 1 and notes[0].startswith(f"{name}: ") and reason in notes[0]
    painted(engine, replace(LOOK, line="red"), 1)
    assert engine.report()["notes"] == []


def test_a_look_that_asks_for_nothing_is_blank():
    assert Look().is_blank()
    assert LOOK.with_values({"source": "x.mp4", "source_weight": 0.0, "prompt_1": "red"}).is_blank()
    assert not LOOK.with_values({"source": "x.mp4"}).is_blank()
    assert not replace(LOOK, line="red").is_blank()


def test_no_words_costs_one_more_text_only_where_the_guide_may_paint_some():
    from engine.goals import Goals

    def vectors(guide: Guide, **values: object) -> int:
        return len(Goals([guide], waits=True).of(replace(LOOK.with_values(values), line="red"))[0].vectors)

    any_words, some_words = colour_guide(CPU), replace(colour_guide(CPU), knows=lambda _text: True)
    assert [vectors(any_words), vectors(any_words, no_words=0.5), vectors(some_words, no_words=0.5)] == [1, 2, 1]
    assert not load_guide("shipped", CPU).paints_words


def test_the_picture_is_held_to_a_still_source_by_its_weight(tmp_path: Path, engine: Engine):
    path = a_picture(tmp_path / "half.png", "blue", "white")

    def farness(weight: float) -> float:
        look = replace(LOOK.with_values({"source": path, "source_weight": weight}), line="red")
        rgb = painted(engine, look, 30)
        wanted = np.zeros((64, 96, 3))
        wanted[:, :48, 2], wanted[:, 48:] = 1.0, 1.0
        return float(np.abs(rgb - wanted).mean())

    free, held, tight = (farness(weight) for weight in (0.0, 0.4, 1.0))
    assert tight < 0.5 * free and tight < held < free


def test_the_painting_starts_from_the_source_when_told_to(tmp_path: Path, engine: Engine):
    path = a_picture(tmp_path / "blue.png", "blue")
    calm = LOOK.with_values({"source": path, "source_weight": 0.0, "temperature": 0.0})
    before = painted(engine, replace(calm, line="grey"), 3)
    started = painted(engine, replace(calm.with_values({"start_from_source": 1}), line="grey"), 1)
    assert started.mean(axis=(0, 1))[2] > 0.9 > 0.7 > before.mean(axis=(0, 1))[2]


def test_starting_from_nothing_does_nothing(engine: Engine):
    calm = replace(LOOK.with_values({"temperature": 0.0}), line="red")
    before = painted(engine, calm, 10)
    after = painted(engine, calm.with_values({"start_from_source": 1}), 1)
    assert np.abs(after - before).mean() < 0.05


def test_a_render_takes_a_video_by_the_time_of_its_frames_and_loops(tmp_path: Path):
    source = Source(a_video(tmp_path / "grey.mp4", [0, 0, 80, 80, 160, 160, 240, 240]), waits=True)
    levels = [float(source.newest(32, 32, 2 / 25).mean()) for _ in range(6)]
    assert levels == pytest.approx([0, 80, 160, 240, 0, 80], abs=12)
    source.close()


def test_a_live_video_plays_at_its_own_pace_and_never_holds_a_frame_up(tmp_path: Path):
    levels = [int(250 * n / 49) for n in range(50)]
    source = Source(a_video(tmp_path / "ramp.mp4", levels))
    wait_for(lambda: source.newest(36, 64, 0.0) is not None)
    first, began = float(source.newest(36, 64, 0.0).mean()), time.monotonic()
    time.sleep(0.6)
    gone, then = time.monotonic() - began, float(source.newest(36, 64, 0.0).mean())
    assert source.newest(36, 64, 0.0).shape == (36, 64, 3)
    assert 0.3 * gone < (then - first) / 125.0 < 1.5 * gone + 0.2
    source.close()


def test_a_live_device_of_ffmpegs_is_a_source():
    source = Source(DEVICE)
    wait_for(lambda: source.newest(32, 64, 0.0) is not None)
    assert source.newest(32, 64, 0.0)[16, 32, 2] > 200 and source.fault == ""
    source.close()


def test_a_camera_that_is_not_there_is_said():
    source = Source("camera:/nowhere/at all")
    wait_for(lambda: (source.newest(32, 32, 0.0), source.fault)[1])
    assert source.fault.startswith("camera:/nowhere/at all: ")
    source.close()


@pytest.mark.parametrize(
    ("spec", "system", "device"),
    [
        ("camera", "Linux", ("/dev/video0", "v4l2")),
        ("camera:2", "Linux", ("/dev/video2", "v4l2")),
        ("camera:/dev/v4l/by-id/x", "Linux", ("/dev/v4l/by-id/x", "v4l2")),
        ("camera", "Darwin", ("0:none", "avfoundation")),
        ("camera:FaceTime HD Camera", "Darwin", ("FaceTime HD Camera:none", "avfoundation")),
        ("camera:Logitech BRIO", "Windows", ("video=Logitech BRIO", "dshow")),
        ("device:x11grab::0.0+10,20", "Linux", (":0.0+10,20", "x11grab")),
    ],
)
def test_cameras_are_called_what_ffmpeg_calls_them(spec: str, system: str, device: tuple[str, str]):
    assert device_of(spec, system) == device


def test_a_live_gallery_has_the_source_soon_and_lets_go_of_it():
    gallery = Gallery(CPU, waits=False)
    look = LOOK.with_values({"source": DEVICE})
    wait_for(lambda: gallery.of(look).source is not None)
    assert gallery.of(look).source.shape == (1, 3, 64, 96)
    assert gallery.of(LOOK).source is None
    gallery.close()


def test_a_text_means_something_else_in_each_place_and_a_picture_what_it_shows(tmp_path: Path):
    from engine.aim import Pulling, wanted_of
    from engine.crops import Cut, Sight
    from engine.goals import Goals

    class Placed(Colours):
        def place_text(self, vectors: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
            return vectors.roll(1, dims=1).expand(*boxes.shape[:2], -1)

    guide = replace(colour_guide(CPU), model=Placed())
    look = replace(LOOK.with_values({"prompt_picture": a_picture(tmp_path / "red.png", "red")}), line="red")
    goal = Goals([guide], waits=True).of(look)[0]
    picture, views = torch.zeros(1, 3, 64, 96), torch.zeros(3, 3, 8, 8)
    sight = Sight(views, lambda: views, torch.tensor([[-1.0, -1.0, 1.0, 1.0]] * 3))
    wanted = wanted_of(picture, Pulling(guide, goal, Cut.of(look, 3)), sight)
    assert wanted.shape == (3, 2, 12) and goal.pictures == 1
    assert torch.equal(wanted[0, 0], goal.vectors[0].roll(1)) and torch.allclose(
        wanted[0, 1], goal.vectors[1], atol=1e-3
    )

"""Denoisers smooth surfaces and leave outlines, colours and the picture's size as they were asked to."""

import pytest
import torch
import torch.nn.functional as F

from engine.denoise import LOADED, SIMPLE, Denoiser
from engine.denoise.clean import CleanNet, CleanShape, LaidNet, cleaned, load_clean, save_clean
from engine.denoise.edges import crisp, keep_edges
from engine.errors import EngineError
from engine.kernels import loading

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def shipped() -> Denoiser:
    return LOADED["shipped"]("", CPU, True)


@pytest.fixture(params=[*SIMPLE, "shipped"])
def denoiser(request: pytest.FixtureRequest, shipped: Denoiser) -> Denoiser:
    return SIMPLE.get(request.param, shipped)


# A canvas and how many times as large it is drawn; at its own size a large one goes another way than a small one.
WAYS = [((96, 160), 1), ((288, 512), 1), ((96, 160), 2)]


def half_and_half(noise: float, low: float = 0.2, high: float = 0.8, times: int = 1) -> torch.Tensor:
    picture = torch.full((1, 3, 120 * times, 160 * times), low)
    picture[..., 80 * times :] = high
    return (picture + noise * torch.randn(picture.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)


def soft(picture: torch.Tensor, width: int = 9) -> torch.Tensor:
    return F.avg_pool2d(F.pad(picture, (width // 2,) * 4, mode="replicate"), width, stride=1)


@pytest.mark.parametrize("size", [(64, 64), (91, 163), (64, 400), (251, 330)])
@pytest.mark.parametrize("strength", [0.01, 1.0])
def test_any_size_keeps_its_size_and_range(denoiser: Denoiser, size: tuple[int, int], strength: float):
    picture = torch.rand(1, 3, *size)
    before = picture.clone()
    found = denoiser(picture, strength, 1)
    assert found.shape == picture.shape and found.dtype == torch.float32
    assert found.min() >= 0.0 and found.max() <= 1.0
    assert torch.equal(picture, before)


@pytest.mark.parametrize("size", [(64, 64), (91, 163)])
def test_asked_for_twice_the_size_it_is_twice_as_large_or_left_to_the_program(
    denoiser: Denoiser, size: tuple[int, int]
):
    found = denoiser(torch.rand(1, 3, *size), 1.0, 2)
    assert found.shape[-2:] in ((2 * size[0], 2 * size[1]), size)
    assert found.min() >= 0.0 and found.max() <= 1.0


@pytest.mark.parametrize(("size", "scale"), WAYS)
@pytest.mark.parametrize("level", [0.0, 0.13, 0.37, 0.5, 0.82, 1.0])
def test_a_flat_picture_stays_flat_and_keeps_its_colour(
    denoiser: Denoiser, level: float, size: tuple[int, int], scale: int
):
    flat = torch.tensor([level, 0.4, 1.0 - level]).view(1, 3, 1, 1).expand(1, 3, *size).contiguous()
    found = denoiser(flat, 1.0, scale)
    wanted = flat[..., :1, :1]
    # Half a step of a screen's 255 in the mean, and nothing that the eye could find as a grid.
    assert (found.mean((2, 3), keepdim=True) - wanted).abs().max() < 2 / 255
    assert found.std(dim=(2, 3)).max() < 1.5 / 255


@pytest.mark.parametrize(("size", "scale"), WAYS)
def test_a_surface_shows_no_grid(shipped: Denoiser, size: tuple[int, int], scale: int):
    ramp = torch.linspace(0.2, 0.8, size[1]).expand(1, 3, *size).contiguous()
    found = shipped(ramp, 1.0, scale)[..., 16:-16, 16:-16]
    # Sub-pixel convolution would show as places of each 4×4 square that are brighter than the others.
    apart = found - F.avg_pool2d(F.pad(found, (2, 2, 2, 2), mode="replicate"), 5, stride=1)
    places = torch.stack([apart[..., y::4, x::4].mean() for y in range(4) for x in range(4)])
    assert (places - places.mean()).abs().max() < 0.5 / 255


def test_colours_stay_while_the_noise_goes(shipped: Denoiser):
    torch.manual_seed(1)
    colours = F.interpolate(torch.rand(1, 3, 3, 4) * 0.6 + 0.2, (144, 256), mode="bilinear")
    found = shipped(colours + 0.05 * torch.randn(colours.shape), 1.0, 2)
    assert (F.avg_pool2d(found, 96) - F.avg_pool2d(colours, 48)).abs().max() < 3 / 255
    assert (F.avg_pool2d(found, 2) - colours).std() < 0.4 * 0.05


@pytest.mark.parametrize(("name", "times"), [("edges", 1), ("shipped", 1), ("shipped", 2)])
def test_noise_on_a_surface_goes(name: str, times: int, shipped: Denoiser):
    noisy = half_and_half(0.05, times=times)
    found = SIMPLE.get(name, shipped)(noisy, 1.0, 1)
    assert found[..., 10:70].std() < 0.4 * noisy[..., 10:70].std()


@pytest.mark.parametrize(("name", "times"), [("edges", 1), ("shipped", 1), ("shipped", 2)])
def test_an_outline_stays(name: str, times: int, shipped: Denoiser):
    found, at = SIMPLE.get(name, shipped)(half_and_half(0.0, times=times), 1.0, 1), 80 * times
    assert (found[..., at + 2 : at + 4] - found[..., at - 4 : at - 2]).mean() > 0.85 * 0.6


def test_a_soft_outline_is_drawn_sharply_without_halos(shipped: Denoiser):
    blurred = soft(half_and_half(0.0))
    found = shipped(blurred, 1.0, 2)[..., 40:200, :]
    bilinear = F.interpolate(blurred, scale_factor=2, mode="bilinear")
    assert found.diff(dim=-1).max() > 2 * bilinear.diff(dim=-1).max()
    assert found.min() > 0.2 - 0.04 and found.max() < 0.8 + 0.04


@pytest.mark.parametrize(("times", "scale"), [(1, 1), (2, 1), (1, 2)])
def test_strength_is_a_share_of_the_answer(shipped: Denoiser, times: int, scale: int):
    picture = soft(half_and_half(0.05, times=times), 3)
    none, half, whole = (shipped(picture, strength, scale) for strength in (1e-6, 0.5, 1.0))
    assert torch.allclose(half, (none + whole) / 2, atol=0.01)
    assert torch.allclose(none, F.interpolate(picture, scale_factor=scale, mode="bilinear"), atol=1e-3)


def test_a_large_canvas_keeps_its_place(shipped: Denoiser):
    picture = soft(half_and_half(0.0, times=2), 5)
    for drawn in (shipped(picture, 1.0, 1), shipped(picture.flip(-1), 1.0, 1).flip(-1)):
        row = drawn[0, 0, 100]
        after = int((row > 0.5).nonzero()[0])
        middle = after - float((row[after] - 0.5) / (row[after] - row[after - 1]))
        assert middle == pytest.approx(159.5, abs=0.25)  # nothing is shifted by half a pixel on the way down and up


def test_a_denoiser_comes_back_from_its_file(tmp_path):
    net = CleanNet(CleanShape(8, 16, 1)).half().float()
    save_clean(tmp_path / "small.safetensors", net)
    picture = torch.rand(1, 3, 64, 64)
    found = load_clean(tmp_path / "small.safetensors")
    assert torch.allclose(cleaned(found, picture, 1.0, 2), cleaned(net, picture, 1.0, 2), atol=1e-5)


@pytest.mark.parametrize("size", [(64, 64), (144, 256), (60, 100)])
@pytest.mark.parametrize("has_graph", [True, False])
def test_laid_out_it_answers_the_same(size: tuple[int, int], has_graph: bool, monkeypatch: pytest.MonkeyPatch):
    net, picture = load_clean(), torch.rand(1, 3, *size)
    laid = LaidNet(net)
    if not has_graph:
        monkeypatch.setattr(loading._shelf, "kernels", None)
    for asked in (picture, picture.flip(-1)):
        assert torch.allclose(cleaned(laid, asked, 0.7, 2), cleaned(net, asked, 0.7, 2), atol=1e-5)


@pytest.mark.parametrize("content", [b"", b"no weights at all", None])
def test_a_file_that_is_no_denoiser_is_refused_in_one_line(tmp_path, content: bytes | None):
    path = tmp_path / "broken.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EngineError, match="shipped denoiser cannot be read") as told:
        load_clean(path)
    assert "\n" not in str(told.value)


def test_a_soft_outline_becomes_steeper_without_halos():
    soft = torch.full((1, 3, 90, 160), 0.3)
    soft[..., 80:] = 0.7
    soft = torch.nn.functional.avg_pool2d(soft, (1, 9), stride=1, padding=(0, 4), count_include_pad=False)
    sharp = crisp(soft, 1.0)
    assert sharp.diff(dim=-1).max() > 1.5 * soft.diff(dim=-1).max()
    assert sharp.min() >= 0.3 - 1e-6 and sharp.max() <= 0.7 + 1e-6


def test_no_pixel_leaves_the_range_of_its_neighbours():
    picture, reach = torch.rand(1, 3, 160, 90), 2
    sharp = crisp(picture, 1.0)
    brightest = torch.nn.functional.max_pool2d(picture, 2 * reach + 1, stride=1, padding=reach)
    darkest = -torch.nn.functional.max_pool2d(-picture, 2 * reach + 1, stride=1, padding=reach)
    assert (sharp <= brightest).all() and (sharp >= darkest).all()
    assert torch.equal(sharp.amax(), brightest.amax())


def test_the_filter_leaves_a_picture_alone_at_strength_zero():
    picture = half_and_half(0.1)
    assert keep_edges(picture, 0.0) is picture

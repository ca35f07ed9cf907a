"""The guide in the package: it loads, it is small, and it knows what it should."""

import pytest
import torch
from torch import Tensor

from engine.guides.shipped import MEAN, SHIPPED_PATH, STD, ShippedGuide, load_shipped
from engine.guides.shipped_text import WordTokenizer


@pytest.fixture(scope="module")
def guide() -> ShippedGuide:
    return load_shipped()


def flat(red: float, green: float, blue: float, size: int) -> Tensor:
    picture = torch.tensor([red, green, blue]).view(1, 3, 1, 1).expand(1, 3, size, size)
    return (picture - MEAN[0]) / STD[0]


def test_the_file_is_at_most_sixteen_mebibytes() -> None:
    assert SHIPPED_PATH.stat().st_size <= 16 * 2**20


def test_pictures_and_words_meet_in_one_space(guide: ShippedGuide) -> None:
    pictures = torch.randn(2, 3, guide.image_size, guide.image_size)
    seen = guide.model.encode_image(pictures, normalize=True)
    said = guide.model.encode_text(guide.tokenizer(["a red heart", "sea", ""]), normalize=True)
    assert seen.shape[0] == 2 and said.shape[0] == 3
    assert seen.shape[1] == said.shape[1]
    assert torch.allclose(seen.norm(dim=1), torch.ones(2), atol=1e-5)
    assert torch.isfinite(said).all()


def test_the_weights_are_frozen_and_the_pixels_are_not(guide: ShippedGuide) -> None:
    picture = torch.rand(1, 3, guide.image_size, guide.image_size, requires_grad=True)
    guide.model.encode_image(picture, normalize=True).sum().backward()
    assert picture.grad is not None and picture.grad.abs().sum() > 0
    assert all(not weight.requires_grad for weight in guide.model.parameters())


def test_unknown_words_change_nothing(guide: ShippedGuide) -> None:
    plain, cluttered = guide.model.encode_text(guide.tokenizer(["heart", "Xyzzy, the HEART qwrt!"]))
    assert torch.equal(plain, cluttered)


def test_the_same_text_gives_the_same_embedding(guide: ShippedGuide) -> None:
    once = guide.model.encode_text(guide.tokenizer(["a ship on the sea"]))
    again = guide.model.encode_text(guide.tokenizer(["a ship on the sea", "a much longer line about a moon"]))
    assert torch.allclose(once[0], again[0], atol=1e-5)


@pytest.mark.parametrize(
    ("rgb", "own", "other"), [((0.88, 0.1, 0.14), "red", "blue"), ((0.1, 0.3, 0.88), "blue", "red")]
)
def test_a_colour_is_nearer_its_own_name(guide: ShippedGuide, rgb: tuple[float, ...], own: str, other: str) -> None:
    seen = guide.model.encode_image(flat(*rgb, guide.image_size), normalize=True)
    said = guide.model.encode_text(guide.tokenizer([own, other]), normalize=True)
    right, wrong = (seen @ said.T)[0].tolist()
    assert right > wrong


def test_the_learnt_concepts_are_in_the_file(guide: ShippedGuide) -> None:
    assert {"heart", "moon", "ocean waves", "red"} <= set(guide.concepts)


def test_endings_and_aliases_lead_to_learnt_words() -> None:
    tokenizer = WordTokenizer(["burn", "ship", "star"], {"schooner": "ship"})
    assert tokenizer(["Burnin'", "stars,", "schooners"])[:, 0].tolist() == [1, 3, 2]


def test_a_file_that_is_no_guide_is_refused(tmp_path) -> None:
    from safetensors.torch import save_file

    save_file({"x": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="not a shipped guide"):
        load_shipped(tmp_path / "other.safetensors")

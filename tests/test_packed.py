"""Weights as they lie in a guide's file: packed and unpacked they are the same, nearly."""

import torch

from engine.guides.packed import STEP, pack, unpack


def test_large_matrices_of_words_become_bytes_and_come_back_nearly_the_same():
    state = {"text.head": torch.randn(128, 64), "text.bias": torch.randn(128), "visual.read": torch.randn(128, 64)}
    packed = pack(state)
    assert {name: value.dtype for name, value in packed.items()} == {
        "text.head": torch.int8,
        "text.head" + STEP: torch.float32,
        "text.bias": torch.float16,
        "visual.read": torch.float16,
    }
    found = unpack(packed)
    assert set(found) == set(state)
    for name, value in state.items():
        assert found[name].dtype == torch.float32
        assert (found[name] - value).abs().max() < 0.02 * value.abs().max()


def test_a_row_of_zeros_stays_zero():
    assert not unpack(pack({"place.say": torch.zeros(64, 64)}))["place.say"].any()


def test_weights_that_were_never_packed_are_only_widened():
    assert torch.equal(unpack({"text.head": torch.ones(2, dtype=torch.float16)})["text.head"], torch.ones(2))

"""The device is chosen at start, and an unused GPU is named with what mends it."""

from pathlib import Path

import psutil
import pytest
import torch

from engine.devices import choose_device, gpu_unused, use_cores
from engine.errors import EngineError


def test_auto_takes_what_answers():
    device, note = choose_device("auto")
    assert note == ""
    assert torch.ones(1, device=device).item() == 1.0


def test_the_cpu_can_be_had_anywhere():
    assert choose_device("cpu") == (torch.device("cpu"), "")


@pytest.mark.parametrize("asked", ["cuda", "mps", "cuda:7"])
def test_a_device_that_does_not_answer_means_the_cpu_and_a_note(asked: str):
    if asked != "cuda:7" and choose_device("auto")[0].type == asked:
        pytest.skip(f"{asked} answers here")
    device, note = choose_device(asked)
    assert device == torch.device("cpu") and asked in note


def test_a_device_nobody_knows_is_refused():
    with pytest.raises(EngineError, match="known are auto, cpu, cuda, mps"):
        choose_device("tpu")


@pytest.fixture()
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with an NVIDIA card, as its own program tells it."""
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA GeForce RTX 3060'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")


@pytest.mark.usefixtures("card")
def test_a_card_that_this_torch_cannot_use_is_named_with_the_command_that_mends_it(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "NVIDIA GeForce RTX 3060 is not used" in gpu_unused()
    assert "pip install" in gpu_unused()


@pytest.mark.usefixtures("card")
def test_a_card_whose_driver_does_not_answer_is_named_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "does not answer to CUDA 12.8; update its driver" in gpu_unused()


@pytest.mark.usefixtures("card")
def test_a_card_that_torch_can_use_is_left_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.devices._answers", lambda name: True)
    assert gpu_unused() == ""


@pytest.fixture()
def cores():
    """Gives the threads and cores back that a test has changed."""
    process, threads = psutil.Process(), torch.get_num_threads()
    there = process.cpu_affinity() if hasattr(process, "cpu_affinity") else None
    yield there
    torch.set_num_threads(threads)
    if there:
        process.cpu_affinity(there)


@pytest.mark.usefixtures("cores")
def test_one_core_is_left_to_the_rest_of_the_show_unless_asked_otherwise():
    for there, used in [(1, 1), (2, 1), (4, 3), (16, 4)]:
        torch.set_num_threads(there)
        use_cores(0)
        assert torch.get_num_threads() == used
    use_cores(2)
    assert torch.get_num_threads() == 2


def test_cores_asked_for_are_kept_to_by_the_whole_process(cores: list[int] | None):
    if not cores or len(cores) < 2:
        pytest.skip("one core, or a system that does not tell")
    torch.set_num_threads(2)
    use_cores(0)
    assert torch.get_num_threads() == 1
    assert psutil.Process().cpu_affinity() == cores
    use_cores(1)
    assert psutil.Process().cpu_affinity() == cores[-1:]

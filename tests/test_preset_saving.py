"""The look of a running show, kept as a preset: all of it comes back, and nothing is written over."""

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.parameters import PARAMETERS, Look
from vj import library
from vj.commands import presets
from vj.errors import UsageError, VjError
from vj.mailboxes import MemoryText

LOOK = Look(line="sung").with_values({
    "temperature": 61.5, "mirror": "both", "beat": True, "blackout": True, "kick": 3,
    "prompt_2": 'a "red" rose\\ ümlaut', "weight_2": -0.5, "region_2": "left", "weight_3": 0.7,
})  # fmt: skip


@pytest.fixture
def save(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    box = MemoryText()
    box.put(LOOK.to_json())
    show = argparse.Namespace(look=lambda: box)
    monkeypatch.setattr(presets, "running_show", lambda: show)
    return lambda *names: presets.run(argparse.Namespace(action="save", files=list(names)))


def test_a_saved_look_is_read_back_whole(save: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert save("my-look") == 0
    preset = library.read_preset(library.find("presets", "my-look"))
    assert str(preset.path) in capsys.readouterr().out and preset.path.parent == library.own_folder() / "presets"
    back = Look().with_values(preset.values)
    of_the_moment = {"blackout", "freeze", "weight_3", *(n for n, row in PARAMETERS.items() if row.kind == "trigger")}
    assert {n for n, value in LOOK.values.items() if back.values[n] != value} <= of_the_moment
    assert not of_the_moment & set(preset.values)
    assert preset.values["prompt_2"] == LOOK.values["prompt_2"]


@pytest.mark.parametrize("names", [(), ("a", "b"), ("a/b",), ("..",), ("a b",), ("live",)])
def test_only_a_new_plain_name_is_taken(save: Callable[..., int], names: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="presets save: "):
        save(*names)
    assert save("mine") == 0
    with pytest.raises(UsageError, match="already"):
        save("mine")


def test_without_a_show_there_is_nothing_to_save(save: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presets, "running_show", lambda: None)
    with pytest.raises(VjError, match="no show is running"):
        save("mine")

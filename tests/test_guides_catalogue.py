"""What the catalogue of guides says, what `vj guides` says of it, and that it says at once when there is no network."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import open_clip
import pytest

from engine.guides.catalogue import CATALOGUE, Entry, read_catalogue


def vj(*words: str, **environment: str) -> tuple[subprocess.CompletedProcess[str], float]:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "vj", *words],
        env={**os.environ, **environment}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done, time.monotonic() - began


@pytest.mark.parametrize("name", ["laion-b32", "clipag-b32"])
def test_without_a_network_a_pull_says_so_in_one_line(name: str, free_port: Callable[[], int]):
    nowhere = f"http://127.0.0.1:{free_port()}"
    done, took_s = vj("guides", "pull", name, HF_ENDPOINT=nowhere, https_proxy=nowhere, http_proxy="", no_proxy="")
    assert done.returncode == 1 and took_s < 20.0  # ten, and what Python takes to start here
    line = done.stderr.strip()
    assert "cannot be reached" in line and "network" in line and "\n" not in line


def test_info_gives_the_facts_before_the_pull():
    done, _ = vj("guides", "info", "clipag-b32")
    assert done.returncode == 0
    for fact in ("ViT-B-32", "zenodo.org/records/10446026", "1300 MB", "CC BY 4.0", "224x224", "vj guides pull"):
        assert fact in done.stdout


def test_the_list_marks_what_no_audience_may_see():
    done, _ = vj("guides")
    marked = {line.split()[0] for line in done.stdout.splitlines() if "FOR RESEARCH ONLY" in line}
    assert marked == {"mobileclip2-s0", "mobileclip2-s2"}


def test_every_entry_says_what_a_performer_needs():
    for entry in CATALOGUE.values():
        assert entry.licence and entry.good_at and entry.sees
        assert entry.name == "shipped" or bool(entry.tag) != bool(entry.url)
        assert not entry.sha256 or len(entry.sha256) == 64


@pytest.mark.parametrize("entry", [e for e in CATALOGUE.values() if e.model], ids=lambda entry: entry.name)
def test_the_catalogue_agrees_with_open_clips_own_tables(entry: Entry):
    assert entry.model in open_clip.list_models()
    if entry.tag:
        assert entry.tag in open_clip.list_pretrained_tags_by_model(entry.model)
        assert open_clip.get_pretrained_cfg(entry.model, entry.tag)["hf_hub"] == entry.published()["hf_hub"]
    config = open_clip.get_model_config(entry.model)
    assert config["vision_cfg"]["image_size"] == entry.sees


@pytest.mark.parametrize("entry", [e for e in CATALOGUE.values() if e.tag], ids=lambda entry: entry.name)
def test_the_stated_size_is_that_of_the_weights(entry: Entry):
    """Four bytes for each; beside SigLIP2's lie 34 MB of words."""
    model = open_clip.create_model(entry.model, load_weights=False, device="meta")
    total = sum(value.numel() for value in model.state_dict().values()) * 4e-6
    assert entry.megabytes == pytest.approx(total, rel=0.03)


def test_a_catalogue_with_an_unknown_key_is_refused(tmp_path: Path):
    (tmp_path / "own.toml").write_text('[[guide]]\nname = "a"\nlicence = "MIT"\nsees = 64\ngood_at = ""\nmodle = "b"')
    with pytest.raises(TypeError, match="modle"):
        read_catalogue(tmp_path / "own.toml")

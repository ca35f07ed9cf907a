"""The bench's figures as Markdown."""

import json
from pathlib import Path

from engine.bench.table import STAGES, read_runs, tables

RUN = {
    "guide": "random:ViT-B-32", "weights": "random, for timing only", "preset": "live", "device_name": "a GPU",
    "torch": "2.0", "canvas": "1280x720", "steps": 10, "crops": 4, "vram_cap_gb": 6.0, "step_ms": 1.254,
    "step_q1_ms": 1.2, "step_q3_ms": 1.3, "baseline_step_ms": 50.04, "baseline_step_q1_ms": 49.0,
    "baseline_step_q3_ms": 52.0, "ratio_vs_baseline": 39.9, "limit_step_ms": 0.1234, "share_of_limit": 0.0984,
    "frames_per_s": 71.23, "vram_held_mb": 1234.5, **{f"share_{stage}": 0.125 for stage in STAGES},
}  # fmt: skip


def rows(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]


def test_a_run_is_a_row_with_its_spread_its_ratio_and_its_limit() -> None:
    found = tables({"b32": RUN})
    assert found.startswith("a GPU, torch 2.0, preset `live`.\n")
    assert rows(found)[2] == [
        "b32", "random:ViT-B-32 (random weights)", "1280x720", "10 × 4", "50 (49–52)", "1.25 (1.2–1.3)", "39.9",
        "0.123", "10 %", "71.2", "1234 of 6 GB",
    ]  # fmt: skip
    assert len({len(row) for row in rows(found)[:3]}) == 1


def test_a_second_table_tells_where_the_time_goes() -> None:
    assert rows(tables({"b32": RUN}))[-1] == ["b32", *["12 %"] * len(STAGES)]


def test_where_the_baseline_did_not_fit_there_is_no_ratio() -> None:
    without = {key: value for key, value in RUN.items() if "baseline" not in key}
    row = rows(tables({"b32": without}))[2]
    assert row[4] == row[6] == "–" and row[5] == "1.25 (1.2–1.3)"


def test_a_run_that_failed_is_a_row_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text(json.dumps(RUN), encoding="utf-8")
    (tmp_path / "bad.json").write_text("", encoding="utf-8")
    found = rows(tables(read_runs([tmp_path / "bad.json", tmp_path / "good.json", tmp_path / "gone.json"])))
    assert found[2][:2] == ["bad", "failed"] and found[3][0] == "good" and found[4][:2] == ["gone", "failed"]
    assert len(found[2]) == len(found[3])

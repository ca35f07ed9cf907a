"""The engine's figures of several runs as tables in Markdown.

    python -m engine.bench.table FOLDER/*.json > table.md

Each file holds what one `vj bench engine --json` printed; a file that holds none is a row that says so.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

COLUMNS = (
    "guide", "canvas", "steps × crops", "baseline, ms a step", "ours, ms a step", "ratio", "limit, ms a step",
    "share of the limit", "frames a second", "peak memory, MB",
)  # fmt: skip
STAGES = (
    "draw", "crops", "guide_forward", "guide_backward", "crops_backward", "optimiser", "denoise", "convert",
)  # fmt: skip
NONE = "–"

Figures = Mapping[str, Any]


def tables(runs: Mapping[str, Figures]) -> str:
    """Both tables of these runs by name: the speeds, and where the time of a frame goes."""
    machines = dict.fromkeys(_machine(run) for run in runs.values() if "step_ms" in run)
    speeds = [_cells(name, run) for name, run in runs.items()]
    shares = [[name, *(_share(run, stage) for stage in STAGES)] for name, run in runs.items() if "step_ms" in run]
    return "\n".join(
        [*machines, "", *_table(("run", *COLUMNS), speeds), "", *_table(("share of a frame", *STAGES), shares), ""]
    )


def read_runs(paths: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """Figures by the file's name; none for a file that is empty or broken, as of a run that failed."""
    found: dict[str, dict[str, Any]] = {}
    for path in paths:
        try:
            figures = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            figures = {}
        found[path.stem] = figures if isinstance(figures, dict) else {}
    return found


def _machine(run: Figures) -> str:
    return f"{run['device_name']}, torch {run['torch']}, preset `{run['preset']}`."


def _cells(name: str, run: Figures) -> list[str]:
    if "step_ms" not in run:
        return [name, "failed", *[NONE] * (len(COLUMNS) - 1)]
    cap = f" of {run['vram_cap_gb']:g} GB" if run.get("vram_cap_gb") else ""
    return [
        name,
        f"{run['guide']}{' (random weights)' if run['weights'].startswith('random') else ''}",
        str(run["canvas"]),
        f"{run['steps']} × {run['crops']}",
        _spread(run, "baseline_step"),
        _spread(run, "step"),
        f"{run['ratio_vs_baseline']:.1f}" if "ratio_vs_baseline" in run else NONE,
        f"{run['limit_step_ms']:.3g}",
        f"{100 * run['share_of_limit']:.0f} %",
        f"{run['frames_per_s']:.1f}",
        f"{run['vram_held_mb']:.0f}{cap}" if "vram_held_mb" in run else NONE,
    ]


def _spread(run: Figures, name: str) -> str:
    """The median with both quartiles behind it."""
    if f"{name}_ms" not in run:
        return NONE
    return f"{run[f'{name}_ms']:.3g} ({run[f'{name}_q1_ms']:.3g}–{run[f'{name}_q3_ms']:.3g})"


def _share(run: Figures, stage: str) -> str:
    return f"{100 * run[f'share_{stage}']:.0f} %"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


if __name__ == "__main__":
    sys.stdout.write(tables(read_runs([Path(name) for name in sys.argv[1:]])))

"""What a show's processes take of the machine: memory, whether it grows, and the dashboard's share of a core."""

import contextlib
import statistics
import time
from collections.abc import Mapping, Sequence

import psutil

from vj.bench.show import BenchShow

EVERY_S = 0.5
HOUR_S = 3600.0


def memory(show: BenchShow, minutes: float) -> dict[str, float]:
    """Memory of each process, how fast it grows over so many minutes, and the dashboard's share of one core.

    Resident memory: what processes share, as mailboxes and libraries, counts once for each of them.
    """
    cpu_s, began = _cpu_s(show), time.monotonic()
    samples: list[tuple[float, dict[str, float]]] = []
    while (now := time.monotonic()) < began + 60.0 * minutes:
        samples.append((now, resident_mb(show.processes())))
        time.sleep(EVERY_S)
    spent_s, took_s = _cpu_s(show), time.monotonic() - began
    found = {**by_process(samples), "memory_minutes": minutes}
    if "dashboard" in cpu_s and "dashboard" in spent_s:
        found["dashboard_core_share"] = round((spent_s["dashboard"] - cpu_s["dashboard"]) / took_s, 4)
    if "engine" in cpu_s and "engine" in spent_s:
        found["engine_core_share"] = round((spent_s["engine"] - cpu_s["engine"]) / took_s, 4)
    return found


def by_process(samples: Sequence[tuple[float, Mapping[str, float]]]) -> dict[str, float]:
    """Medians and slopes of samples (s, MB of each process): `memory_X_mb`, `memory_X_drift_mb_per_hour`, and all."""
    names = sorted({name for _, sample in samples for name in sample})
    series = {name: [(at, sample[name]) for at, sample in samples if name in sample] for name in names}
    total = [(at, sum(sample.values())) for at, sample in samples if len(sample) == len(names)]
    found: dict[str, float] = {}
    for name, points in {"": total, **series}.items():
        key = f"memory_{name.replace('-', '_')}" if name else "memory"
        found[f"{key}_mb"] = round(statistics.median(mb for _, mb in points), 1) if points else -1.0
        found[f"{key}_drift_mb_per_hour"] = round(slope(points) * HOUR_S, 1)
    return found


def slope(points: Sequence[tuple[float, float]]) -> float:
    """How fast the second number grows with the first, by least squares; 0 for fewer than two points."""
    if len({x for x, _ in points}) < 2:
        return 0.0
    return statistics.linear_regression([x for x, _ in points], [y for _, y in points]).slope


def resident_mb(processes: Mapping[str, int]) -> dict[str, float]:
    """Resident memory of those of these processes that still run, MiB."""
    found: dict[str, float] = {}
    for name, pid in processes.items():
        with contextlib.suppress(psutil.Error):
            found[name] = psutil.Process(pid).memory_info().rss / 2**20
    return found


def _cpu_s(show: BenchShow) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, pid in show.processes().items():
        with contextlib.suppress(psutil.Error):
            times = psutil.Process(pid).cpu_times()
            found[name] = times.user + times.system
    return found

"""Line plots as inline SVG, for pages that must stand alone."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

Points = Sequence[tuple[float, float]]

COLOURS = ("#4fc3f7", "#ff8a65", "#aed581", "#ce93d8", "#fff176")
MOST_POINTS = 600
WIDTH, HEIGHT = 900, 190
LEFT, RIGHT, TOP, BOTTOM = 64, 14, 26, 30

STYLE = """text{fill:#aab2bd;font:11px system-ui,sans-serif}text.t{fill:#e8ecf2;font-size:13px}line.g{stroke:#2a2e35}
line.m{stroke:#596070;stroke-dasharray:2 4}"""


@dataclass(frozen=True, slots=True)
class _Frame:
    """Ranges of both axes, and where their values lie in the picture."""

    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> tuple[float, float]:
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)


def line_plot(title: str, series: Mapping[str, Points], across: str = "s", marks: Sequence[float] = ()) -> str:
    """An <svg> of these series by name over one axis in the unit `across`; `marks` are thin upright lines."""
    points = [(x, y) for line in series.values() for x, y in line if math.isfinite(y)]
    if not points:
        return f"<p>{escape(title)}: nothing to plot</p>"
    frame = _Frame(_range([x for x, _ in points]), _range([y for _, y in points]))
    body = [f'<text x="{LEFT}" y="16" class="t">{escape(title)}</text>', *_axes(frame, across)]
    for x in marks:
        at, _ = frame.at(x, frame.y[0])
        body.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" class="m"/>')
    for n, (name, line) in enumerate(series.items()):
        body += _drawn(frame, name, line, n)
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">{"".join(body)}</svg>'


def standalone(svg: str) -> str:
    """The plot as a file of its own, with ground and style."""
    size = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
    head, _, body = svg.replace("<svg ", size, 1).partition(">")
    return f'{head}><style>{STYLE}</style><rect width="100%" height="100%" fill="#1a1d22"/>{body}\n'


def _drawn(frame: _Frame, name: str, line: Points, n: int) -> list[str]:
    colour = COLOURS[n % len(COLOURS)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (frame.at(*point) for point in _thinned(line)))
    label = WIDTH - RIGHT - 150 * (n + 1) + 12
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.4"/>',
        f'<rect x="{label}" y="8" width="10" height="10" fill="{colour}"/>',
        f'<text x="{label + 15}" y="17">{escape(name)}</text>',
    ]


def _axes(frame: _Frame, across: str) -> list[str]:
    found = []
    for n in range(5):
        value = frame.y[0] + (frame.y[1] - frame.y[0]) * n / 4
        _, y = frame.at(frame.x[0], value)
        found.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" class="g"/>')
        found.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    for n in range(6):
        value = frame.x[0] + (frame.x[1] - frame.x[0]) * n / 5
        x, _ = frame.at(value, frame.y[0])
        unit = f" {escape(across)}" if n == 5 else ""
        found.append(f'<text x="{x:.1f}" y="{HEIGHT - 10}" text-anchor="middle">{value:.4g}{unit}</text>')
    return found


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high - low > 1e-9 else (low - 0.5, high + 0.5)


def _thinned(line: Points) -> Points:
    """Means of neighbours, so that an hour is no larger than a minute."""
    every = -(-len(line) // MOST_POINTS)
    groups = [line[i : i + every] for i in range(0, len(line), every)] if every > 1 else [[p] for p in line]
    return [(sum(x for x, _ in g) / len(g), sum(y for _, y in g) / len(g)) for g in groups]

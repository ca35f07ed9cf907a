"""A score told as a table, as JSON and as a page that needs no other file."""

import base64
import io
import json
from html import escape
from typing import Any

from PIL import Image

from engine.score import plots
from engine.score.critic import Rgb
from engine.score.measures import TONES
from engine.score.plots import line_plot
from engine.score.results import Score, Verdict

MEANINGS = {
    "critic": "who judges; it was in no loss",
    "clip_score": "2.5 max(cos, 0) of frame and line (Hessel 2021)",
    "clip_score_of_all_choices": "the same with every choice: what any picture would get",
    "accuracy": "share of frames whose line is picked out of all choices",
    "lines_judged": "lines that were seen and have a word that can be drawn",
    "lines_named": "share of these picked for at least half of their time",
    "cue_latency_median_s": "from a cue until its line is preferred to the one before",
    "dynamic_degree": "share of 2 s clips that move (VBench's count, block matching for RAFT)",
    "change_per_frame": "mean absolute difference of neighbouring frames",
    "temporal_flickering": "1 - change_per_frame (VBench); read it beside dynamic_degree",
    "motion_smoothness_linear": "1 - difference from the mean of the neighbours; read it beside dynamic_degree",
    "background_consistency": "cosine with a line's first frame and the one before (VBench), within lines",
    "slope_first": "slope of the radial spectrum; about -2 for photographs, 0 for noise",
}

STYLE = """body{background:#14161a;color:#d8dce2;font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2em auto;
padding:0 1em}h1,h2{font-weight:600}table{border-collapse:collapse;width:100%}td,th{padding:3px 10px 3px 0;
text-align:left;vertical-align:middle;border-bottom:1px solid #2a2e35}td.n{font-variant-numeric:tabular-nums;
white-space:nowrap}svg{width:100%;background:#1a1d22;margin:.5em 0}
img{display:block;border-radius:3px}.dim{color:#8b939f}.no{color:#ff8a65}.yes{color:#aed581}"""


def shown(value: Any) -> str:
    """A figure for people."""
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def as_table(score: Score) -> str:
    """The figures, the lines and the notes, for a terminal."""
    rows = [f"{name:28} {shown(value):>12}  {MEANINGS.get(name, '')}".rstrip() for name, value in score.figures.items()]
    rows += ["", f"{'line':44} {'from':>7} {'named':>6} {'score':>6} {'latency':>8}"]
    rows += [_row(verdict) for verdict in score.verdicts]
    return "\n".join([*rows, "", *score.notes])


def _row(verdict: Verdict) -> str:
    head = f"{verdict.line.text[:44]:44} {verdict.line.start_s:7.1f}"
    if not verdict.is_judged:
        return f"{head}  {_why_not(verdict)}"
    latency = _latency(verdict)
    return f"{head} {verdict.named:6.0%} {verdict.clip_score:6.3f} {latency:>8}"


def _why_not(verdict: Verdict) -> str:
    return "not seen" if verdict.is_drawable else "no word of it can be drawn"


def _latency(verdict: Verdict) -> str:
    if not verdict.is_compared:
        return "–"
    return "never" if verdict.latency_s is None else f"{verdict.latency_s:.2f} s"


def as_json(score: Score) -> str:
    """One JSON object: the figures, flat, and `line_scores` and `notes`."""
    lines = [
        {
            "start_s": verdict.line.start_s,
            "end_s": verdict.line.end_s,
            "text": verdict.line.text,
            "drawable": verdict.is_drawable,
            "named": verdict.named if verdict.is_judged else None,
            "clip_score": verdict.clip_score if verdict.is_judged else None,
            "latency_s": verdict.latency_s,
        }
        for verdict in score.verdicts
    ]
    return json.dumps({**score.figures, "line_scores": lines, "notes": list(score.notes)})


def as_html(score: Score, title: str) -> str:
    """A page with everything in it: no other file, no script, nothing fetched."""
    figures = "".join(
        f'<tr><td>{name}</td><td class="n">{escape(shown(value))}</td><td class="dim">'
        f"{escape(MEANINGS.get(name, ''))}</td></tr>"
        for name, value in score.figures.items()
    )
    notes = "".join(f"<li>{escape(note)}</li>" for note in score.notes)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}{plots.STYLE}</style>"
        f"<h1>{escape(title)}</h1><table>{figures}</table><ul>{notes}</ul>"
        f"<h2>Over time</h2>{''.join(_plots(score))}<h2>Lines</h2>{_lines(score)}</html>\n"
    )


def _plots(score: Score) -> list[str]:
    track, seen = score.track, score.seen
    marks = [verdict.line.start_s for verdict in score.verdicts]
    pairs = {"line sung": track.own, "best other choice": track.best_other}
    agreement = {name: list(zip(track.times.tolist(), values.tolist(), strict=True)) for name, values in pairs.items()}
    changes = [(float(second), float(value)) for second, value, _ in seen.changes]
    found = [
        line_plot("cosine of the frame with the line sung, and with the best of the others", agreement, marks=marks),
        line_plot("change from frame to frame, mean of each second", {"change": changes}, marks=marks),
    ]
    tones = {
        name: list(zip(seen.times.tolist(), seen.tones[:, n].tolist(), strict=True)) for n, name in enumerate(TONES)
    }
    found.append(line_plot("brightness and colour", {name: tones[name] for name in TONES[:3]}, marks=marks))
    found.append(line_plot("slope of the radial spectrum", {"slope": tones["slope"]}, marks=marks))
    return found


def _lines(score: Score) -> str:
    rows = []
    for verdict in score.verdicts:
        still = _still(score, verdict)
        picture = f'<img width="160" alt="" src="{still}">' if still else ""
        line = verdict.line
        if verdict.is_judged:
            kind = "yes" if verdict.named >= 0.5 else "no"
            told = f'<td class="n {kind}">{verdict.named:.0%}</td><td class="n">{verdict.clip_score:.3f}</td>'
            told += f'<td class="n">{_latency(verdict)}</td>'
        else:
            told = f'<td colspan="3" class="dim">{_why_not(verdict)}</td>'
        rows.append(
            f'<tr><td>{picture}</td><td class="n">{line.start_s:.1f} s</td><td>{escape(line.text)}</td>{told}</tr>'
        )
    head = "<tr><th></th><th>from</th><th>line</th><th>named</th><th>score</th><th>latency</th></tr>"
    return f"<table>{head}{''.join(rows)}</table>"


def _still(score: Score, verdict: Verdict) -> str:
    """The last small picture of the line as a data URL; "" where none was kept."""
    inside = [rgb for at, rgb in score.seen.stills if verdict.line.start_s <= at < verdict.line.end_s]
    return png_url(inside[-1]) if inside else ""


def png_url(rgb: Rgb) -> str:
    """The frame as a PNG in a data URL."""
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()

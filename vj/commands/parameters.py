"""`vj parameters`: the table of parameters, as text or as the page docs/parameters.md."""

import argparse

from engine.parameters import GROUPS, PARAMETERS, Parameter


def add(parser: argparse.ArgumentParser) -> None:
    """Plain text, or Markdown."""
    parser.add_argument("--markdown", action="store_true", help="the page docs/parameters.md")


def run(args: argparse.Namespace) -> int:
    """Every parameter with its range, default and what it does."""
    if args.markdown:
        print(page(), end="")
        return 0
    for row in PARAMETERS.values():
        print(f"{row.name:18} {span(row):28} {default(row):10} {row.does}")
    return 0


def page() -> str:
    """The reference of all parameters in Markdown, group by group."""
    lines = ["# Parameters", "", "Made by `vj parameters --markdown > docs/parameters.md`. Each can stand in a preset,"]
    lines += ["be set with `--set`, moved by a mapping, and sent as `/vj/<parameter>` in OSC.", ""]
    for group in GROUPS:
        rows = [row for row in PARAMETERS.values() if row.group == group]
        if rows:
            lines += [f"## {group.capitalize()}", "", "| parameter | range | default | what it does |"]
            lines += ["|---|---|---|---|"]
            lines += [f"| `{row.name}` | {span(row)} | {default(row)} | {row.does} |" for row in rows] + [""]
    return "\n".join(lines)


def span(row: Parameter) -> str:
    """What values a parameter takes, in words."""
    if row.kind == "choice":
        return ", ".join(row.choices)
    if row.kind in ("number", "whole"):
        return f"{row.low:g} to {row.high:g} {row.unit}".strip() + (", whole" if row.kind == "whole" else "")
    return {"switch": "on, off", "trigger": "fires", "text": "text, up to 512 characters"}[row.kind]


def default(row: Parameter) -> str:
    """A parameter's default, in words."""
    if row.kind == "switch":
        return "on" if row.default else "off"
    return "" if row.kind in ("text", "trigger") else str(row.default)

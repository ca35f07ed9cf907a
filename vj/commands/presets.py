"""`vj presets [list|check|save]`: the presets that can be recalled, and the running show's look as a new one."""

import argparse
import json
import re

from engine.parameters import PARAMETERS, SLOTS, Look
from vj import library
from vj.commands.kinds import refuse_other_kind
from vj.errors import UsageError, VjError
from vj.runtime import running_show

# Of the moment, not of a look.
_LEFT_OUT = ("freeze", "blackout")


def add(parser: argparse.ArgumentParser) -> None:
    """list, check or save, and files."""
    parser.add_argument("action", nargs="?", default="list", choices=("list", "check", "save"), help="default: list")
    parser.add_argument(
        "files", nargs="*", metavar="P",
        help="preset by name or path (check without one: all); save: the name that the running show's look is to have",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """A preset that does not read gives exit code 2."""
    if args.action == "save":
        return _save(args.files)
    code = 0
    for name in args.files or library.paths("presets"):
        try:
            path = library.find("presets", name)
            refuse_other_kind("presets", path)
            preset = library.read_preset(path)
        except VjError as err:
            print(err)
            code = 2
            continue
        print(f"{preset.name:16} {preset.title:32} {len(preset.values):3} parameters  {preset.path}")
    return code


def _save(names: list[str]) -> int:
    """Write the running show's look; nothing is written over."""
    if len(names) != 1 or not re.fullmatch(r"[\w-]+", names[0]):
        raise UsageError("presets save: give one name of letters, digits, - and _: vj presets save NAME")
    if names[0] in library.paths("presets"):
        raise UsageError(f"presets save: there is a preset {names[0]!r} already; choose another name")
    folder = running_show()
    text = folder.look().newest() if folder is not None else None
    if text is None:
        raise VjError("presets save: no show is running whose look could be saved")
    path = library.own_folder() / "presets" / f"{names[0]}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(preset_text(Look.from_json(text)), encoding="utf-8")
    print(f"{path}; /vj/preset {names[0]} recalls it, and the dashboard lists it")
    return 0


def preset_text(look: Look) -> str:
    """A look as a preset file: every parameter but triggers, what is of the moment, and slots that are empty."""
    empty = {n for n in range(1, SLOTS + 1) if not look.text(f"prompt_{n}")}
    left_out = {*_LEFT_OUT, *(f"{what}_{n}" for n in empty for what in ("prompt", "weight", "region"))}
    kept = [row for row in PARAMETERS.values() if row.kind != "trigger" and row.name not in left_out]
    rows = [f"{row.name} = {json.dumps(look.values[row.name], ensure_ascii=False)}\n" for row in kept]
    return f"# The look of a show, written by vj presets save.\n[parameters]\n{''.join(rows)}"

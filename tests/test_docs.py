"""What the documents say is what the program does."""

import re
from pathlib import Path

from vj.__main__ import COMMANDS
from vj.commands.parameters import page
from vj.cues import read_cues
from vj.show_file import read_show
from vj.sinks import sink_kinds

ROOT = Path(__file__).resolve().parent.parent


def test_the_page_of_parameters_is_the_table() -> None:
    found = (ROOT / "docs" / "parameters.md").read_text(encoding="utf-8")
    assert found == page(), "run: vj parameters --markdown > docs/parameters.md"


def test_the_readme_names_every_sink() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [kind.spec for kind in sink_kinds() if f"`{kind.spec}`" not in readme] == []


def test_every_command_has_its_file() -> None:
    names = {path.stem for path in (ROOT / "vj" / "commands").glob("*.py")}
    assert set(COMMANDS) <= names


def test_the_readmes_files_read(home: Path) -> None:
    cues, show = re.findall(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)[:2]
    (home / "song.toml").write_text(cues, encoding="utf-8")
    assert read_cues(home / "song.toml").cues[0].label == "chorus"
    (home / "config" / "vj" / "presets").mkdir(parents=True)
    (home / "config" / "vj" / "presets" / "glass.toml").write_text("[parameters]\ntemperature = 30.0\n")
    (home / "ferry.lrc").write_text("[00:01.00]a red rose\n")
    (home / "friday.toml").write_text(show, encoding="utf-8")
    found = read_show(home / "friday.toml")
    assert [song.title for song in found.songs] == ["Night Ferry"] and len(found.bank) == 2

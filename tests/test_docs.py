"""What the documents say is what the program does."""

from pathlib import Path

from vj.__main__ import COMMANDS
from vj.commands.parameters import page
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

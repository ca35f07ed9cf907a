"""The pages the browser sink serves, as text."""

from pathlib import Path


def program_page() -> str:
    """The program page as HTML; it connects to the address it came from, or to its `data-server`."""
    return (Path(__file__).parent / "program.html").read_text(encoding="utf-8")

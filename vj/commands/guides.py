"""`vj guides [list|info G|pull G]`: the models that can lead the picture."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vj.errors import UsageError, VjError

if TYPE_CHECKING:
    from engine.guides.catalogue import Entry
    from engine.guides.download import Progress


def add(parser: argparse.ArgumentParser) -> None:
    """list, info or pull."""
    parser.add_argument("action", nargs="?", default="list", choices=("list", "info", "pull"), help="default: list")
    parser.add_argument("name", nargs="?", default="", metavar="G", help="guide by name, or MODEL:TAG")


def run(args: argparse.Namespace) -> int:
    """The catalogue, or what is known of one guide; `pull` fetches it and exits 1 when it does not come or load."""
    from engine.errors import GuideError
    from engine.guides.catalogue import CATALOGUE

    if args.action == "list":
        for entry in CATALOGUE.values():
            print(_line(entry))
        print("any other open_clip model goes as MODEL:TAG, a checkpoint of yours as MODEL:FILE")
        return 0
    if not args.name:
        raise UsageError(f"which guide? known are {', '.join(CATALOGUE)}, or MODEL:TAG")
    try:
        if args.action == "pull":
            _pull(args.name)
        else:
            _info(args.name)
    except GuideError as err:
        raise VjError(str(err)) from err
    return 0


def _line(entry: "Entry") -> str:
    size = f"{entry.megabytes} MB" if entry.megabytes else "" if not entry.model else "size unknown"
    return f"{entry.name:15} {_here(entry):9} {size:>8}  {_licence(entry)}; {entry.good_at}"


def _here(entry: "Entry") -> str:
    from engine.guides.weights import cached

    return "here" if not entry.model or cached(entry.published()) else "to fetch"


def _licence(entry: "Entry") -> str:
    return f"{entry.licence}: FOR RESEARCH ONLY, no shows" if entry.is_research else entry.licence


def _info(name: str) -> None:
    """What is known of it, without loading anything; then, where it is here, it is loaded to show that it can be."""
    from engine.guides.catalogue import CATALOGUE

    entry = CATALOGUE.get(name) or next((e for e in CATALOGUE.values() if f"{e.model}:{e.tag}" == name), None)
    facts, file = _facts(entry) if entry else _facts_of_another(name)
    facts["here"] = file or f"no; vj guides pull {name}"
    for what, fact in facts.items():
        print(f"{what:8} {fact}")
    if file:
        _load(name)


def _facts(entry: "Entry") -> tuple[dict[str, str], str]:
    """What to know of a named guide, and where it lies, "" for nowhere here."""
    from engine.guides.weights import cached

    published = entry.published() if entry.model else {}
    facts = {
        "from": _origin(entry.model, published) if entry.model else "the package",
        "size": f"{entry.megabytes} MB to fetch, about" if entry.megabytes else "nothing to fetch",
        "licence": _licence(entry),
        "sees": f"{entry.sees}x{entry.sees}",
        "good at": entry.good_at,
    }
    return facts, str(cached(published) or "") if published else "the package"


def _facts_of_another(name: str) -> tuple[dict[str, str], str]:
    """The same of any other open_clip model or file; its licence nobody here knows."""
    from engine.guides.loading import find_source

    source = find_source(name)
    facts = {"from": _origin(source.model, source.published), "size": "unknown", "licence": "unknown"}
    return facts, str(source.file or "")


def _origin(model: str, published: dict[str, str]) -> str:
    where = f"hub: {published['hf_hub'].rstrip('/')}" if published.get("hf_hub") else published.get("url", "")
    return f"{model}, {where or 'a file of yours'}"


def _pull(name: str) -> None:
    from engine.guides.catalogue import CATALOGUE
    from engine.guides.loading import pull

    if name != "shipped":
        entry = CATALOGUE.get(name)
        if entry:
            print(f"{name}: {_licence(entry)}")
        with _bar(name) as progress:
            source = pull(name, progress)
        print(f"{name}: {source.file}")
    _load(name)


@contextmanager
def _bar(name: str) -> Iterator["Progress"]:
    """A bar on stderr that each fetched piece moves on; none until the first one comes."""
    from rich import progress as rich
    from rich.console import Console

    columns = (
        rich.TextColumn("{task.description}"), rich.BarColumn(), rich.DownloadColumn(), rich.TransferSpeedColumn(),
        rich.TimeRemainingColumn(),
    )  # fmt: skip
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None, visible=False)

        def move(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total or None, visible=True)

        yield move


def _load(name: str) -> None:
    from engine.devices import choose_device
    from engine.guides.loading import load_guide

    guide = load_guide(name, choose_device("cpu")[0])
    weights = sum(weight.numel() for weight in guide.model.parameters())
    print(f"{guide.name}: ready; sees {guide.image_size}x{guide.image_size}, {weights / 1e6:.1f} million weights")

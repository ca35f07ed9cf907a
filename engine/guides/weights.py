"""Where a guide's files lie, and how they come here: fetched only when told to, kept where others' copies are seen.

A file that other programs have fetched into the caches of huggingface_hub or open_clip is used from there; what vj
fetches lies in a folder of its own, since those caches begin a broken download anew.
"""

import contextlib
import logging
import re
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import platformdirs

from engine.errors import GuideError, first_line
from engine.guides.download import Progress, Wanted, download

log = logging.getLogger("engine.guides")
T = TypeVar("T")

KNOCK_S = 8.0
"""Longest wait for a server's first word; names that no server resolves take longest."""
WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "open_clip_pytorch_model.bin")


def folder() -> Path:
    """Where vj keeps the guides it fetched."""
    return Path(platformdirs.user_cache_path("vj")) / "guides"


def cached(published: dict[str, Any]) -> Path | None:
    """The weights published with these facts, if they are on this disk; asks no server."""
    repo, filename = _on_the_hub(published)
    if repo:
        return next(filter(None, (cached_file(repo, name) for name in _likely_names(filename))), None)
    return next((path for path in _homes(published) if path.is_file()), None)


def cached_file(repo: str, filename: str) -> Path | None:
    """A file of a repository of the Hugging Face hub, if it is on this disk."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repo, filename)
    if isinstance(found, str):
        return Path(found)
    ours = _home_of(repo, filename)
    return ours if ours.is_file() else None


def fetch(published: dict[str, Any], name: str, progress: Progress) -> Path:
    """Download the weights published with these facts. Raises GuideError when no server brings them."""
    repo, filename = _on_the_hub(published)
    with _told(name):
        if repo:
            return _from_the_hub(repo, _likely_names(filename), progress)
        url = str(published["url"])
        _in_time(_knock, url)
        return download(Wanted(url, _homes(published)[0], sha256=_stated(published)), progress)


def fetch_file(repo: str, filename: str, name: str, progress: Progress) -> Path:
    """Download a further file of a guide from the hub, if it is not here. Raises GuideError."""
    with _told(name):
        return cached_file(repo, filename) or _from_the_hub(repo, (filename,), progress)


@contextlib.contextmanager
def _told(name: str) -> Any:
    try:
        yield
    except (OSError, ValueError) as err:
        log.info("guides: %s was not fetched: %s", name, err)
        raise GuideError(f"guide {name!r} could not be fetched: {first_line(err)}") from err


def _from_the_hub(repo: str, names: Iterable[str], progress: Progress) -> Path:
    """The first of these files that the repository has, checked against the size and hash that the hub states."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError

    def ask(url: str) -> Any:
        try:
            return get_hf_file_metadata(url, timeout=KNOCK_S)
        except EntryNotFoundError:
            return None

    for name in names:
        url = hf_hub_url(repo, name)
        facts = _in_time(ask, url)
        if facts is not None:
            stated = facts.etag if re.fullmatch(r"[0-9a-f]{64}", facts.etag or "") else ""
            return download(Wanted(url, _home_of(repo, name), facts.size or 0, stated), progress)
    raise OSError(f"{repo} has none of {', '.join(names)}")


def _in_time(ask: Callable[[str], T], url: str) -> T:
    """What the server answers. Raises OSError, at the latest after `KNOCK_S`, where it cannot be reached."""
    asked: Future[T] = Future()

    def work() -> None:
        try:
            asked.set_result(ask(url))
        except Exception as err:  # noqa: BLE001 - the hub's client raises what its own HTTP library raises
            asked.set_exception(err)

    # No timeout of a socket covers looking its name up, which may take half a minute.
    threading.Thread(target=work, name="knock", daemon=True).start()
    server = urlsplit(url).hostname
    try:
        err = asked.exception(timeout=KNOCK_S)
    except TimeoutError:
        raise OSError(f"no answer from {server} within {KNOCK_S:g} s; is there a network?") from None
    if getattr(err, "response", None) is not None:  # it was reached, and says no
        raise OSError(f"{server} answers: {first_line(err)}") from err
    if err is not None:
        raise OSError(f"{server} cannot be reached ({first_line(err)}); is there a network?") from err
    return asked.result()


def _knock(url: str) -> None:
    try:
        with urlopen(Request(url, method="HEAD"), timeout=KNOCK_S):
            pass
    except HTTPError:
        pass  # it is there; the download itself says what is wrong
    except URLError as err:
        raise OSError(str(getattr(err.reason, "strerror", "") or err.reason)) from err


def _homes(published: dict[str, Any]) -> list[Path]:
    """Where a file that has only a URL may lie: ours, and open_clip's own place."""
    url = str(published.get("url", ""))
    filename = str(published.get("file") or "") or url.partition("?")[0].rpartition("/")[2]
    return [folder() / filename, Path("~/.cache/clip").expanduser() / filename] if filename else []


def _home_of(repo: str, filename: str) -> Path:
    return folder() / repo.replace("/", "--") / filename


def _on_the_hub(published: dict[str, Any]) -> tuple[str, str]:
    """(repository, file) on the Hugging Face hub; an empty file means open_clip's usual one."""
    repo, _, filename = published.get("hf_hub", "").rpartition("/")
    return repo, filename


def _likely_names(filename: str) -> tuple[str, ...]:
    """The names under which open_clip would have stored it, safetensors first."""
    return (str(Path(filename).with_suffix(".safetensors")), filename) if filename else WEIGHTS


def _stated(published: dict[str, Any]) -> str:
    """The SHA-256 its publisher states, or its beginning: open_clip's releases carry it in the file's name."""
    if published.get("sha256"):
        return str(published["sha256"])
    url = str(published.get("url", ""))
    if "openaipublic" in url:
        return url.split("/")[-2]
    found = re.search(r"mlfoundations/.*-([0-9a-f]{8})\.pth?$", url)
    return found[1] if found else ""

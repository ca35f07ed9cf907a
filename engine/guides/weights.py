"""Where a guide's weights lie: in the caches of open_clip and huggingface_hub, fetched only when told to."""

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from engine.errors import GuideError

log = logging.getLogger("engine.guides")

SILENCE_S = 20.0
"""Longest wait for one answer of a server."""


def cached(published: dict[str, Any]) -> Path | None:
    """The weights open_clip publishes with these facts, if they are on this disk; asks no server."""
    from huggingface_hub import try_to_load_from_cache

    repo, filename = _on_the_hub(published)
    for name in _likely_names(filename) if repo else ():
        found = try_to_load_from_cache(repo, name)
        if isinstance(found, str):
            return Path(found)
    url = published.get("url", "")
    path = Path("~/.cache/clip").expanduser() / url.rpartition("/")[2]
    return path if url and path.is_file() else None


def fetch(published: dict[str, Any], name: str) -> Path:
    """Download the weights open_clip publishes with these facts. Raises GuideError when no server brings them."""
    from open_clip.pretrained import download_pretrained

    try:
        with _short_patience():
            _knock(published)
            return Path(download_pretrained(published))
    except (OSError, RuntimeError, ValueError) as err:
        log.info("guides: %s was not fetched: %s", name, err)
        raise GuideError(f"guide {name!r} could not be fetched: {_first_line(err)}") from err


def _knock(published: dict[str, Any]) -> None:
    """Raise OSError at once where the server cannot be reached; the hub's client would try for a minute."""
    from huggingface_hub import constants

    server = urlsplit(constants.ENDPOINT if _on_the_hub(published)[0] else published.get("url", ""))
    if server.hostname and not getproxies():
        try:
            socket.create_connection((server.hostname, server.port or 443), timeout=5.0).close()
        except OSError as err:
            raise OSError(f"{server.hostname} cannot be reached ({err.strerror or err})") from err


def _on_the_hub(published: dict[str, Any]) -> tuple[str, str]:
    """(repository, file) on the Hugging Face hub; an empty file means open_clip's usual one."""
    repo, _, filename = published.get("hf_hub", "").rpartition("/")
    return repo, filename


def _likely_names(filename: str) -> tuple[str, ...]:
    """The names under which open_clip would have stored it, safetensors first."""
    if not filename:
        return ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "open_clip_pytorch_model.bin")
    return (str(Path(filename).with_suffix(".safetensors")), filename)


@contextmanager
def _short_patience() -> Iterator[None]:
    """Sockets opened inside give up after a while; open_clip's own downloads would wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SILENCE_S)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _first_line(err: BaseException) -> str:
    return (str(err).strip().splitlines() or [type(err).__name__])[0]

"""One file from a server to this disk: a broken download goes on where it broke, and only a checked file is kept."""

import hashlib
import http.client
import logging
import os
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.error import HTTPError
from urllib.request import Request, urlopen

log = logging.getLogger("engine.guides")

Progress = Callable[[int, int], None]
"""Told (bytes here, bytes in all) after each piece; in all is 0 where the server does not say."""

SILENCE_S = 20.0
"""Longest wait for one answer of a server."""
TRIES = 5
"""Connections in a row that may bring nothing new."""
PAUSE_S = 1.0
PIECE = 1 << 18


class RefusedError(OSError):
    """The file cannot be had, and asking again would not help."""


class _Answer(Protocol):
    status: int
    headers: http.client.HTTPMessage

    def read(self, amount: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file on a server, where it belongs here, and what its publisher says of it.

    `size` is in bytes, 0 where unknown; `sha256` is the whole hash in hexadecimal digits, its beginning, or "".
    """

    url: str
    target: Path
    size: int = 0
    sha256: str = ""


def nothing_told(_done: int, _total: int) -> None:
    """A progress nobody looks at."""


def download(wanted: Wanted, progress: Progress = nothing_told) -> Path:
    """Fetch the file to its target, which appears there whole and checked, or not at all.

    What came stays in a `.part` file beside it until then, and the next call goes on from there (RFC 9110, 14).
    Raises OSError in one line.
    """
    from filelock import FileLock, Timeout

    wanted.target.parent.mkdir(parents=True, exist_ok=True)
    part = wanted.target.with_name(wanted.target.name + ".part")
    try:
        with FileLock(f"{part}.lock", timeout=0):
            _fill(part, wanted, progress)
            _check(part, wanted)
            part.replace(wanted.target)
            _mark_of(part).unlink(missing_ok=True)
    except Timeout as err:
        raise OSError(f"{wanted.target.name} is just being fetched by another pull") from err
    return wanted.target


def size_of(path: Path) -> int:
    """Bytes in this file, 0 where there is none."""
    return path.stat().st_size if path.is_file() else 0


def _fill(part: Path, wanted: Wanted, progress: Progress) -> None:
    """Read on, over as many connections as it takes, while each brings something."""
    tries = TRIES
    while True:
        before = size_of(part)
        try:
            why = _read_on(part, wanted, progress)
        except RefusedError:
            raise
        except (OSError, http.client.HTTPException) as err:
            why = str(err) or type(err).__name__
        if not why:
            return
        log.info("download: %s broke off at %d bytes: %s", wanted.target.name, size_of(part), why)
        tries = TRIES if size_of(part) > before else tries - 1
        if not tries:
            raise OSError(f"it broke off after {size_of(part) / 1e6:.1f} MB ({why}); pull again to go on from there")
        time.sleep(PAUSE_S)


def _read_on(part: Path, wanted: Wanted, progress: Progress) -> str:
    """Read until the server ends: "" once everything is here, else why it is not."""
    here = size_of(part)
    try:
        with urlopen(_request(part, wanted, here), timeout=SILENCE_S) as answer:
            return _take(answer, part, here, wanted, progress)
    except HTTPError as err:
        if err.code == 416 and here:  # nothing lies beyond what is here
            if f"*/{here}" in err.headers.get("Content-Range", ""):
                return ""
            part.unlink()
            return "the server's file is another one"
        if err.code in (408, 425, 429) or err.code >= 500:
            raise
        raise RefusedError(f"the server answers {err.code} {err.reason}") from err


def _request(part: Path, wanted: Wanted, here: int) -> Request:
    headers = {"User-Agent": "paint-the-song", "Accept-Encoding": "identity"}
    mark = _mark_of(part).read_text(encoding="ascii") if _mark_of(part).is_file() else ""
    if here and mark:  # the server sends all of it again when its file is no longer this one
        headers |= {"Range": f"bytes={here}-", "If-Range": mark}
    elif here and wanted.sha256:
        headers["Range"] = f"bytes={here}-"
    return Request(wanted.url, headers=headers)


def _take(answer: _Answer, part: Path, here: int, wanted: Wanted, progress: Progress) -> str:
    is_going_on = answer.status == 206 and _start_of(answer) == here
    done = here if is_going_on else 0
    length = int(answer.headers.get("Content-Length") or 0)
    total = done + length if length else wanted.size
    if shutil.disk_usage(part.parent).free < total - done:
        raise RefusedError(f"{(total - done) / 1e6:.0f} MB more are needed in {part.parent}")
    if not is_going_on:
        _keep_mark(part, answer)
    with part.open("ab" if is_going_on else "wb") as file:
        while piece := answer.read(PIECE):
            file.write(piece)
            done += len(piece)
            progress(done, total)
        _settle(file)
    return "" if done >= total else f"{done} of {total} bytes came"


def _start_of(answer: _Answer) -> int:
    found = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return int(found[1]) if found else -1


def _settle(file: BinaryIO) -> None:
    """Have it on the disk before it gets its name: after a power cut a name must not stand for an empty file."""
    file.flush()
    os.fsync(file.fileno())


def _mark_of(part: Path) -> Path:
    return part.with_name(part.name + ".mark")


def _keep_mark(part: Path, answer: _Answer) -> None:
    """Remember which file of the server this is; a weak mark is none, for it allows other bytes."""
    mark = answer.headers.get("ETag", "")
    if not mark or mark.startswith("W/"):
        mark = answer.headers.get("Last-Modified", "")
    _mark_of(part).write_text(mark.encode("ascii", "ignore").decode(), encoding="ascii")


def _check(part: Path, wanted: Wanted) -> None:
    wrong = ""
    if wanted.size and size_of(part) != wanted.size:
        wrong = f"{size_of(part)} bytes came, {wanted.size} were published"
    elif wanted.sha256:
        with part.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if not found.startswith(wanted.sha256.lower()):
            wrong = f"its SHA-256 begins with {found[:12]}, published is {wanted.sha256[:12]}"
    if wrong:
        part.unlink()
        raise OSError(f"what came is not what was published and was thrown away: {wrong}; pull again")

"""Small fixtures that many tests share."""

import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _small_numbers_stay_in_other_tests() -> Iterator[None]:
    """An engine's process drops numbers too small to be normal; this one has other tests to run."""
    yield
    if torch := sys.modules.get("torch"):
        torch.set_flush_denormal(False)


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Gives TCP ports nobody listens on now."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return find


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user of its own: the runtime folder is `home/run`, own presets lie in `home/config/vj/presets`."""
    monkeypatch.setenv("VJ_RUNTIME", str(tmp_path / "run"))
    for name in ("CONFIG", "DATA", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    (tmp_path / "run").mkdir()
    return tmp_path

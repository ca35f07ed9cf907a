"""Small fixtures that many tests share."""

import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

if shutil.which("nvidia-smi") is None:  # Triton's kernels are interpreted then; to be said before it is imported
    os.environ.setdefault("TRITON_INTERPRET", "1")


@pytest.fixture(autouse=True)
def _small_numbers_stay_in_other_tests() -> Iterator[None]:
    """An engine's process drops numbers too small to be normal; this one has other tests to run."""
    yield
    if torch := sys.modules.get("torch"):
        torch.set_flush_denormal(False)


@pytest.fixture(autouse=True, scope="session")
def _kernels() -> None:
    """All tests compute as a show does once it has begun; see test_engine_kernels for computing without them.

    Where numba keeps what it compiled is in the environment from then on, for the processes that tests start.
    """
    from engine.kernels.loading import load

    load()


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


Answer = tuple[int, list[str], list[str]]


@pytest.fixture
def vj(home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Runs a command in this process: exit code, lines on stdout, lines on stderr. An exception fails the test."""

    def run(*words: object) -> Answer:
        from vj.__main__ import main

        capsys.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as end:  # argparse's own way out
            code = end.code if isinstance(end.code, int) else 1
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out.splitlines(), err.splitlines()

    return run


@pytest.fixture
def refused(vj: Callable[..., Answer]) -> Callable[..., list[str]]:
    """The problems that `vj play --headless` with these words names; nothing was started and nothing left behind."""

    def run(*words: object, code: int = 2) -> list[str]:
        found, out, err = vj("play", "--headless", *words)
        assert found == code and out == [] and all(line.startswith("vj: ") for line in err)
        assert list(Path(os.environ["VJ_RUNTIME"]).iterdir()) == []
        return [line.removeprefix("vj: ") for line in err]

    return run

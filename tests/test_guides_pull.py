"""Guides are fetched whole and checked, go on where a download broke off, and say at once that there is no network."""

import hashlib
import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import open_clip
import pytest
import torch
from safetensors.torch import save

from engine.errors import GuideError
from engine.guides import download, weights
from engine.guides.catalogue import Entry
from engine.guides.download import Wanted
from engine.guides.loading import find_source, load_guide, pull

CPU = torch.device("cpu")
CONTENT = bytes(range(256)) * 4096  # 1 MiB
MODEL = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}


class Server:
    """A file server on loopback: knows ranges and marks, and breaks off, lies or hides as it is told."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.mark = '"one"'
        self.knows_ranges = True
        self.breaks_off_after = 0  # bytes of each answer's body; 0 for never
        self.asked: list[str] = []  # "METHOD path range"
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                server.answer(self, is_head=True)

            def do_GET(self) -> None:
                server.answer(self)

            def log_message(self, *_words: object) -> None:
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def answer(self, handler: http.server.BaseHTTPRequestHandler, is_head: bool = False) -> None:
        path, wanted = handler.path.partition("?")[0], handler.headers.get("Range", "")
        self.asked.append(f"{handler.command} {path} {wanted}".strip())
        if path not in self.files:
            handler.send_response(404)
            handler.send_header("X-Error-Code", "EntryNotFound")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        body, start = self.files[path], 0
        if wanted and self.knows_ranges and handler.headers.get("If-Range", self.mark) == self.mark:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
        if start >= len(body):
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(body)}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        handler.send_header("Content-Length", str(len(body) - start))
        handler.send_header("ETag", self.mark)
        handler.send_header("X-Repo-Commit", "0" * 40)
        handler.end_headers()
        if not is_head:
            handler.wfile.write(body[start:][: self.breaks_off_after or None])
            handler.close_connection = True


@pytest.fixture()
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


@pytest.fixture(autouse=True)
def own_folders(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home / "hub"))
    monkeypatch.setattr(download, "PAUSE_S", 0.01)


@pytest.fixture()
def hub(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server as the Hugging Face hub."""
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.url)
    template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
    return server


@pytest.fixture()
def small_model(monkeypatch: pytest.MonkeyPatch) -> str:
    """A model with a published tag that open_clip knows in this test only."""
    configs = dict(open_clip.factory._MODEL_CONFIGS)
    monkeypatch.setattr(open_clip.factory, "_MODEL_CONFIGS", {**configs, "small-test": MODEL})
    tags = {"published": {"hf_hub": "us/small/", "mean": (0.5,) * 3, "std": (0.5,) * 3}}
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "small-test", tags)
    return "small-test"


@pytest.fixture(scope="module")
def small_weights() -> bytes:
    torch.manual_seed(0)
    return save({name: value.clone() for name, value in open_clip.CLIP(**MODEL).state_dict().items()})


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")


def test_a_file_comes_whole_and_the_progress_is_told(server: Server, tmp_path: Path):
    server.files["/guide.pt"] = CONTENT
    told: list[tuple[int, int]] = []
    wanted = Wanted(f"{server.url}/guide.pt", tmp_path / "kept" / "guide.pt", len(CONTENT), sha256(CONTENT))
    found = download.download(wanted, lambda done, total: told.append((done, total)))
    assert found.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT)) and len(told) > 1
    assert leftovers(tmp_path / "kept") == ["guide.pt"]


def test_a_download_that_breaks_off_goes_on_where_it_broke(server: Server, tmp_path: Path):
    server.files["/guide.pt"], server.breaks_off_after = CONTENT, 400_000
    found = download.download(Wanted(f"{server.url}/guide.pt", tmp_path / "guide.pt"))
    assert found.read_bytes() == CONTENT
    assert server.asked == ["GET /guide.pt", "GET /guide.pt bytes=400000-", "GET /guide.pt bytes=800000-"]


def test_the_next_pull_goes_on_where_the_last_one_was_given_up(server: Server, tmp_path: Path):
    """What a killed pull left behind: the part, and which file of the server it is of."""
    server.files["/guide.pt"] = CONTENT
    (tmp_path / "guide.pt.part").write_bytes(CONTENT[:300_000])
    (tmp_path / "guide.pt.part.mark").write_text(server.mark)
    found = download.download(Wanted(f"{server.url}/guide.pt", tmp_path / "guide.pt"))
    assert found.read_bytes() == CONTENT and server.asked == ["GET /guide.pt bytes=300000-"]
    assert leftovers(tmp_path) == ["guide.pt"]


def test_a_part_of_what_the_server_no_longer_has_is_not_mixed_with_the_new(server: Server, tmp_path: Path):
    server.files["/guide.pt"], server.mark = CONTENT, '"two"'
    (tmp_path / "guide.pt.part").write_bytes(b"old" * 1000)
    (tmp_path / "guide.pt.part.mark").write_text('"one"')
    assert download.download(Wanted(f"{server.url}/guide.pt", tmp_path / "guide.pt")).read_bytes() == CONTENT


def test_a_server_without_ranges_sends_it_all_again(server: Server, tmp_path: Path):
    server.files["/guide.pt"], server.knows_ranges = CONTENT, False
    (tmp_path / "guide.pt.part").write_bytes(CONTENT[:300_000])
    (tmp_path / "guide.pt.part.mark").write_text(server.mark)
    assert download.download(Wanted(f"{server.url}/guide.pt", tmp_path / "guide.pt")).read_bytes() == CONTENT


def test_a_part_that_is_whole_already_is_only_checked(server: Server, tmp_path: Path):
    server.files["/guide.pt"] = CONTENT
    (tmp_path / "guide.pt.part").write_bytes(CONTENT)
    (tmp_path / "guide.pt.part.mark").write_text(server.mark)
    assert download.download(Wanted(f"{server.url}/guide.pt", tmp_path / "guide.pt")).read_bytes() == CONTENT


def test_a_server_that_brings_nothing_more_is_given_up_and_what_came_is_kept(server: Server, tmp_path: Path):
    server.files["/guide.pt"], server.breaks_off_after, server.knows_ranges = CONTENT, 400_000, False
    with pytest.raises(OSError, match=r"broke off after 0\.4 MB .* pull again"):
        download.download(Wanted(f"{server.url}/guide.pt", tmp_path / "guide.pt"))
    assert leftovers(tmp_path) == ["guide.pt.part", "guide.pt.part.mark"]


@pytest.mark.parametrize(
    ("size", "stated", "why"),
    [
        (0, "0" * 64, "SHA-256 begins with"),
        (0, "00000000", "SHA-256 begins with"),
        (len(CONTENT) + 1, "", "were published"),
    ],
)
def test_a_wrong_file_is_thrown_away(server: Server, tmp_path: Path, size: int, stated: str, why: str):
    server.files["/guide.pt"] = CONTENT
    with pytest.raises(OSError, match=why) as refused:
        download.download(Wanted(f"{server.url}/guide.pt", tmp_path / "guide.pt", size, stated))
    assert "\n" not in str(refused.value)
    assert not [name for name in leftovers(tmp_path) if not name.endswith(".mark")]


def test_a_file_that_is_not_there_is_asked_for_once(server: Server, tmp_path: Path):
    with pytest.raises(OSError, match="404"):
        download.download(Wanted(f"{server.url}/nowhere.pt", tmp_path / "guide.pt"))
    assert len(server.asked) == 1


def test_two_pulls_of_one_file_do_not_write_into_each_other(server: Server, tmp_path: Path):
    from filelock import FileLock

    with FileLock(tmp_path / "guide.pt.part.lock"), pytest.raises(OSError, match="another pull"):
        download.download(Wanted(f"{server.url}/guide.pt", tmp_path / "guide.pt"))


def test_a_guide_of_the_hub_is_pulled_checked_and_loads(hub: Server, small_model: str, small_weights: bytes):
    hub.files["/us/small/resolve/main/open_clip_model.safetensors"] = small_weights
    hub.mark, hub.breaks_off_after = f'"{sha256(small_weights)}"', len(small_weights) // 2 + 1
    name = f"{small_model}:published"
    with pytest.raises(GuideError, match="vj guides pull"):
        load_guide(name, CPU)
    pulled = pull(name)
    assert pulled.file and pulled.file.is_relative_to(weights.folder())
    assert load_guide(name, CPU).image_size == 32
    asked = len(hub.asked)
    pull(name)
    assert len(hub.asked) == asked  # it is here: nobody is asked


def test_a_hub_that_sends_other_bytes_than_it_states_is_not_believed(
    hub: Server, small_model: str, small_weights: bytes
):
    hub.files["/us/small/resolve/main/open_clip_model.safetensors"] = small_weights
    hub.mark = f'"{"0" * 64}"'
    with pytest.raises(GuideError, match="thrown away"):
        pull(f"{small_model}:published")
    assert find_source(f"{small_model}:published").file is None


def test_a_repository_without_safetensors_gives_its_bin(hub: Server, small_model: str, small_weights: bytes):
    hub.files["/us/small/resolve/main/open_clip_pytorch_model.bin"] = b"weights of old"
    assert pull(f"{small_model}:published").file.read_bytes() == b"weights of old"


def test_what_other_programs_fetched_from_the_hub_is_used(home: Path, small_model: str, small_weights: bytes):
    snapshot = home / "hub" / "models--us--small" / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (snapshot / "open_clip_model.safetensors").write_bytes(small_weights)
    refs = home / "hub" / "models--us--small" / "refs"
    refs.mkdir()
    (refs / "main").write_text("0" * 40)
    assert load_guide(f"{small_model}:published", CPU).image_size == 32


def test_a_guide_with_an_address_of_its_own_is_pulled_from_there(
    server: Server, small_model: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    torch.save({"state_dict": open_clip.CLIP(**MODEL).state_dict()}, tmp_path / "made.pt")
    server.files["/records/1/files/ours.pt"] = (tmp_path / "made.pt").read_bytes()
    url = f"{server.url}/records/1/files/ours.pt"
    entry = Entry("ours", "MIT", 32, "tests", model=small_model, url=url, file="kept-as.pt")
    monkeypatch.setattr("engine.guides.loading.CATALOGUE", {"ours": entry})
    pulled = pull("ours")
    assert pulled.file == weights.folder() / "kept-as.pt"
    assert load_guide("ours", CPU).image_size == 32


def test_a_truncated_download_of_old_is_refused_with_its_place(small_model: str, small_weights: bytes):
    file = weights.folder() / "us--small" / "open_clip_model.safetensors"
    file.parent.mkdir(parents=True)
    file.write_bytes(small_weights[: len(small_weights) // 2])
    with pytest.raises(GuideError, match=r"open_clip_model\.safetensors cannot be read") as refused:
        load_guide(f"{small_model}:published", CPU)
    assert "\n" not in str(refused.value)


def test_a_server_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(weights, "KNOCK_S", 0.3)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/guide.pt"
        with pytest.raises(GuideError, match=r"no answer from 127\.0\.0\.1 within 0\.3 s|cannot be reached"):
            weights.fetch({"url": url}, "ours", download.nothing_told)

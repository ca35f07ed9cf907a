"""From a guide's name to a loaded guide: one way for published, local and shipped ones.

A name is `shipped`, a name of the catalogue, `MODEL:TAG` as open_clip lists them, `MODEL:FILE`, or the path of a
folder (or of a file in it) as open_clip saves them, with an `open_clip_config.json`. Files are safetensors, or
`.pt`, `.pth` and `.bin` read with weights-only loading: no code from a file ever runs.
"""

import contextlib
import difflib
import pickle
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from engine.errors import GuideError, MissingGuideError, first_line
from engine.guides import tokens, weights
from engine.guides.catalogue import CATALOGUE
from engine.guides.download import Progress, nothing_told
from engine.guides.guide import Guide
from engine.guides.precision import quickened

SUFFIXES = (".safetensors", ".pt", ".pth", ".bin")
CONFIG = "open_clip_config.json"
OPENAI_EXTRAS = ("input_resolution", "context_length", "vocab_size")
"""Sizes that OpenAI's own state dicts carry among the weights."""

ASK_FOR = "ask for it as safetensors"

_FOREIGN = (
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    OSError,
    EOFError,
    ImportError,
    pickle.UnpicklingError,
)
"""What open_clip, torch and safetensors raise on files and settings that do not fit."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a name stands for: open_clip's name of the model, published facts, the file of its weights if it is here."""

    name: str
    model: str
    published: dict[str, Any]
    file: Path | None


def load_guide(name: str, device: torch.device) -> Guide:
    """The guide of this name on this device. Asks no server.

    Raises GuideError, in one line, for a name nobody knows, weights that are not here (with the command that gets
    them) and files that are no guide.
    """
    if name == "shipped":
        return quickened(_shipped(device))
    source = find_source(name)
    if source.file is None:
        raise MissingGuideError(f"guide {name!r} is not on this machine; get it with: vj guides pull {name}")
    held = check_file(source.file, name)
    try:
        with _plain_values():
            loaded = _loaded(source, source.file, device, is_openai=set(OPENAI_EXTRAS) <= held)
            return quickened(loaded, is_transformer=True)
    except (GuideError, *_FOREIGN) as err:
        raise GuideError(f"guide {name!r} cannot be loaded from {source.file}: {first_line(err)}") from err


def find_source(name: str) -> Source:
    """Where the guide of this name comes from; asks no server. Raises GuideError for a name nobody knows."""
    path = Path(name).expanduser()
    if name and (path.is_dir() or path.is_file()):
        return _saved(name, path)
    entry = CATALOGUE.get(name)
    if entry and entry.url:
        published = {**_published(entry.model, ""), **entry.published()}
        return Source(name, entry.model, published, weights.cached(published))
    model, _, rest = (entry.model, ":", entry.tag) if entry else name.partition(":")
    _check_model(name, model, rest)
    local = Path(rest).expanduser()
    if local.suffix in SUFFIXES or "/" in rest or "\\" in rest:
        if not local.is_file():
            raise GuideError(f"guide {name!r}: no such file: {local}")
        return Source(name, model, _published(model, ""), local)
    published = _published(model, rest)
    if not published:
        raise GuideError(f"guide {name!r}: {model} has no tag {rest!r}{_nearest(rest, _tags(model))}")
    return Source(name, model, published, weights.cached(published))


def pull(name: str, progress: Progress = nothing_told) -> Source:
    """Fetch what the guide of this name needs and is not here. Raises GuideError in one line."""
    source = find_source(name)
    if source.file is None:
        source = replace(source, file=weights.fetch(source.published, name, progress))
    repo = "" if source.model.startswith("local-dir:") else tokens.repository(source.model)
    for filename in tokens.FILES if repo else ():
        weights.fetch_file(repo, filename, name, progress)
    return source


def check_file(file: Path, name: str) -> set[str]:
    """Read a file of weights once, safely; the names in it.

    Raises GuideError if it is broken or holds anything but weights and plain values.
    """
    from safetensors import SafetensorError, safe_open

    if file.suffix not in SUFFIXES:
        raise GuideError(f"guide {name!r}: {file.name} is none of {', '.join(SUFFIXES)}")
    if _is_torchscript(file):
        raise GuideError(f"guide {name!r}: {file.name} is a TorchScript archive, which holds code; {ASK_FOR}")
    try:
        if file.suffix == ".safetensors":
            with safe_open(file, framework="pt") as opened:
                return set(opened.keys())
        with _plain_values():
            # Mapped, a checkpoint of a gigabyte is looked through in no time; files of old are no archives.
            held = torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
        return set(held.get("state_dict", held))
    except pickle.UnpicklingError as err:
        raise GuideError(
            f"guide {name!r}: {file.name} holds more than weights, or is broken, and was not opened; {ASK_FOR}"
        ) from err
    except (SafetensorError, *_FOREIGN) as err:
        raise GuideError(f"guide {name!r}: {file.name} cannot be read: {first_line(err)}") from err


def _is_torchscript(file: Path) -> bool:
    """Whether it is an archive as torch.jit saves it, such as OpenAI's own downloads."""
    if file.suffix == ".safetensors" or not zipfile.is_zipfile(file):
        return False
    with zipfile.ZipFile(file) as archive:
        return any(Path(name).name == "constants.pkl" for name in archive.namelist())


@contextlib.contextmanager
def _plain_values() -> Any:
    """Let weights-only reading take numbers of numpy and lists of settings, as training scripts leave them beside.

    Neither runs code. CLIPAG's published file has the former.
    """
    import argparse

    import numpy
    from numpy import dtypes
    from numpy._core.multiarray import scalar

    kinds = (dtypes.Float64DType, dtypes.Float32DType, dtypes.Int64DType, dtypes.Int32DType, dtypes.BoolDType)
    old_name = (scalar, "numpy.core.multiarray.scalar")  # before numpy 2
    with torch.serialization.safe_globals([argparse.Namespace, numpy.dtype, scalar, old_name, *kinds]):
        yield


def _loaded(source: Source, file: Path, device: torch.device, is_openai: bool) -> Guide:
    import open_clip

    facts = {key: source.published[key] for key in ("mean", "std") if key in source.published}
    model = open_clip.create_model(
        source.model,
        load_weights=False,
        pretrained_text=False,
        force_quick_gelu=is_openai or bool(source.published.get("quick_gelu")),
        force_preprocess_cfg=facts,
    )
    model.register_load_state_dict_pre_hook(_without_sizes)
    open_clip.load_checkpoint(model, str(file), weights_only=True)
    wanted = model.visual.preprocess_cfg
    size = wanted["size"]
    return Guide(
        name=source.name,
        model=model.to(device),
        tokenizer=tokens.read_tokenizer(source.model, file),
        mean=tuple(wanted["mean"]),
        std=tuple(wanted["std"]),
        image_size=size if isinstance(size, int) else max(size),
        device=device,
    )


def _without_sizes(_model: Any, state: dict[str, Any], prefix: str, *_rest: Any) -> None:
    for name in OPENAI_EXTRAS if not prefix else ():
        state.pop(name, None)


def _shipped(device: torch.device) -> Guide:
    from engine.guides.shipped import load_shipped

    try:
        found = load_shipped(device=device)
    except (FileNotFoundError, ValueError) as err:
        raise GuideError(f"guide 'shipped' is missing or broken, install vj again: {first_line(err)}") from err
    facts = found.model, found.tokenizer, found.mean, found.std, found.image_size, device
    return Guide("shipped", *facts, knows=lambda text: bool(found.tokenizer([text]).any()))


def _saved(name: str, path: Path) -> Source:
    """A folder as open_clip saves it, or one file of such a folder."""
    folder = path if path.is_dir() else path.parent
    if not (folder / CONFIG).is_file():
        raise GuideError(f"guide {name!r}: {folder} has no {CONFIG}; write MODEL:FILE to name the model")
    if path.is_file():
        return Source(name, f"local-dir:{folder}", {}, path)
    files = sorted((p for p in folder.iterdir() if p.suffix in SUFFIXES), key=lambda p: SUFFIXES.index(p.suffix))
    if not files:
        raise GuideError(f"guide {name!r}: no weights ({', '.join(SUFFIXES)}) in {folder}")
    return Source(name, f"local-dir:{folder}", {}, files[0])


def _check_model(name: str, model: str, rest: str) -> None:
    import open_clip

    known = open_clip.list_models()
    if model not in known:
        raise GuideError(f"no guide called {name!r}{_nearest(model, [*CATALOGUE, *known])}")
    if not rest:
        raise GuideError(f"guide {name!r} needs a tag: {model}:TAG{_nearest('', _tags(model))}")


def _tags(model: str) -> list[str]:
    import open_clip

    return list(open_clip.list_pretrained_tags_by_model(model))


def _published(model: str, tag: str) -> dict[str, Any]:
    """What open_clip knows of these weights; without a tag, what all weights of this model have in common."""
    from open_clip.pretrained import get_pretrained_cfg

    if tag:
        return dict(get_pretrained_cfg(model, tag))
    every = [get_pretrained_cfg(model, known) for known in _tags(model)]
    shared = every[0] if every else {}
    return {
        key: shared[key]
        for key in ("mean", "std")
        if all(one.get(key) == shared.get(key) for one in every) and key in shared
    }


def _nearest(wanted: str, known: list[str]) -> str:
    near = difflib.get_close_matches(wanted, known, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; known are {', '.join(known)}" if 0 < len(known) <= 24 else ""

"""How precisely a guide looks at pictures: in half the bits where the device is quicker with them."""

import time
from dataclasses import replace
from functools import lru_cache

import torch

from engine.guides.guide import Guide


def quickened(guide: Guide, is_transformer: bool = False) -> Guide:
    """The guide with its image tower in bfloat16 where its device computes with it natively; else as it is.

    On CUDA for every guide. On a CPU for convolutions only: the shipped guide's gradients point the same way (cosine
    1.000) and a step takes two thirds of the time, but a transformer takes four times as long: ViT-B-32 with 4 views on
    an EPYC with AVX512-BF16, 13.1 s a step beside 4.0 s in single precision, on one thread of a busy machine. Texts
    stay in single precision. Changes the guide's own model.
    """
    if guide.device.type == "cuda":
        is_quick = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        is_quick = guide.device.type == "cpu" and not is_transformer and computes_in_bfloat16()
    if not is_quick:
        return guide
    guide.thaw()
    guide.model.visual.to(torch.bfloat16)
    return replace(guide, image_dtype=torch.bfloat16)


def in_single(guide: Guide) -> Guide:
    """The guide with its image tower in single precision again. Changes the guide's own model."""
    if guide.image_dtype == torch.float32:
        return guide
    guide.thaw()
    guide.model.visual.float()
    return replace(guide, image_dtype=torch.float32)


def autocast(device: torch.device) -> torch.autocast:
    """Half the bits for what is computed within, where the device is quicker with them."""
    is_quick = device.type != "cpu" or computes_in_bfloat16()
    return torch.autocast(device.type, torch.bfloat16, enabled=is_quick)


@lru_cache(maxsize=1)
def computes_in_bfloat16() -> bool:
    """Whether this CPU is built for half the bits and takes less time with them, tried once; 20 ms.

    Some have the instructions and are slow with them: a Xeon with AVX512-BF16 but without AMX takes twice as long for
    a product of matrices, an EPYC half as long.
    """
    # Torch tells this in no public way; a torch without these names gets single precision.
    tells = (getattr(torch.cpu, f"_is_{kind}_supported", None) for kind in ("avx512_bf16", "amx_tile"))
    if not any(tell() for tell in tells if tell is not None):
        return False
    single = torch.ones(256, 512), torch.ones(512, 512)
    return _seconds(*(each.bfloat16() for each in single)) < _seconds(*single)


def _seconds(one: torch.Tensor, other: torch.Tensor) -> float:
    """The shortest time of several that their product takes."""
    times = []
    for _ in range(8):
        began = time.perf_counter()
        one @ other
        times.append(time.perf_counter() - began)
    return min(times)

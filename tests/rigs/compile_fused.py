"""Compile every fused kernel as a step of a small picture starts it, for an H200, which need not be there.

Prints the name of each with the size of its machine code.
"""

from collections.abc import Iterator
from typing import Any

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from engine.fused import agreement, attention, moments, norms, sights, terms

TARGET = GPUTarget("cuda", 90, 32)
KINDS = {torch.float32: "*fp32", torch.bfloat16: "*bf16"}


def kinds(arguments: tuple[Any, ...]) -> Iterator[str]:
    for each in arguments:
        yield KINDS[each.dtype] if isinstance(each, torch.Tensor) else "i32" if isinstance(each, int) else "fp32"


def compiled(kernel: Any, _grid: tuple[int, ...], *arguments: Any, **constants: Any) -> None:
    """In place of starting it."""
    names = kernel.arg_names
    signature = dict(zip(names, kinds(arguments), strict=False)) | dict.fromkeys(constants, "constexpr")
    fixed = {(names.index(name),): value for name, value in constants.items()}
    made = triton.compile(ASTSource(kernel, signature=signature, constexprs=fixed), target=TARGET)
    print(kernel.fn.__name__, len(made.asm["cubin"]))  # noqa: T201 - read by the test


def main() -> None:
    for module in (agreement, attention, moments, norms, sights, terms):
        module.start = compiled  # type: ignore[attr-defined]
    zeros = torch.zeros
    picture, number, rows = zeros(1, 3, 36, 64), zeros(()), zeros(8, 768).bfloat16()
    levels = [zeros(1, 3, 9, 16), zeros(1, 3, 18, 32), picture.clone()]
    terms.add_terms(picture, picture, number, number, picture)
    for turned in (False, True):
        chances, tilt = (zeros(4, 4), zeros(4, 4, 2)), number if turned else None
        sights.sights(chances, zeros(2, 5), (number,) * 6, 2, (36, 64), 32, turned, tilt)
        agreement.agreed(zeros(4, 512), zeros(4, 3, 512), zeros(3), zeros(4, 3), turned, (0.1, 0.2))
    attention.attend(zeros(100, 2304).bfloat16(), 2, 50, 12)
    attention.attend_back(zeros(100, 2304).bfloat16(), zeros(100, 768).bfloat16(), 2, 50, 12)
    norms.norm_of_sum(rows, rows, rows[0], rows[0], 1e-5)
    norms.norm_back_and_sum(rows, rows, rows[0], zeros(8, 1), zeros(8, 1), rows)
    moments.move(picture, picture.clone(), levels, levels, zeros(3), (1.0, 0.5, 0.15), (0.85, 0.97), number)


if __name__ == "__main__":
    main()

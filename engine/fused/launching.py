"""How kernels are started, and how long blocks are."""

from typing import Any

import triton


def start(kernel: Any, grid: tuple[int, ...], *arguments: Any, **constants: Any) -> None:
    """Start it so many times over, on the device of its tensors, which is not waited for.

    With TRITON_INTERPRET=1 in the environment Triton's interpreter runs it, on a processor too: slow, for tests.
    """
    kernel[grid](*arguments, **constants)


def blocks(length: int, block: int) -> int:
    """How many blocks it takes."""
    return int(triton.cdiv(length, block))


def power_of_two(length: int) -> int:
    """The next power of two, as blocks must be long."""
    return int(triton.next_power_of_2(length))

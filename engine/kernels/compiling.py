"""How passes are compiled: by numba, once, and kept beside the source (or in the user's cache) for later starts."""

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Pass = TypeVar("Pass", bound=Callable[..., Any])

ROW, ROWS = "float32[::1]", "float32[:,::1]"
"""Types of arrays of one and of two dimensions."""
PICTURE, VIEWS = "float32[:,:,::1]", "float32[:,:,:,::1]"
"""Types of arrays (c, h, w), and of three dimensions of any kind, and (n, c, h, w)."""

# Sums may be taken in any order; numbers that are none stay what they are, as a broken picture must be found out.
ORDER_IS_FREE = {"contract", "reassoc", "arcp", "nsz"}


def compiled(*types: str, result: str = "void") -> Callable[[Pass], Pass]:
    """Compile a pass for arguments of these types when it is defined: nothing is compiled while a show runs."""
    signature = f"{result}({', '.join(types)})"
    made: Any = numba.njit(signature, cache=True, nogil=True, fastmath=ORDER_IS_FREE, error_model="numpy")
    found: Callable[[Pass], Pass] = made
    return found


def inlined(function: Pass) -> Pass:
    """Compile what passes are made of, together with them."""
    made: Any = numba.njit(function, cache=True, nogil=True, fastmath=ORDER_IS_FREE, error_model="numpy")
    found: Pass = made
    return found

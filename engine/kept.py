"""What steps compute with and never changes, made once and kept for good; a kilobyte each.

Copying it to a GPU anew would hold each step up, and recorded steps read it where it lies. Torch's compiler, which
looks into what it compiles, takes what is kept here as it is; it would make anew what functools keeps.
"""

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

Asked = TypeVarTuple("Asked")
Made = TypeVar("Made")


def kept(make: Callable[[*Asked], Made]) -> Callable[[*Asked], Made]:
    """Make it when it is first asked for by these arguments, which are given by place and can be told apart."""
    made: dict[tuple[object, ...], Made] = {}

    def find(*asked: *Asked) -> Made:
        if asked not in made:
            made[asked] = make(*asked)
        return made[asked]

    find.__doc__ = make.__doc__
    return find

"""The state a show begins with, read from the files of its plan."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from engine.parameters import Look
from vj import library
from vj.bank import EMPTY, Bank, own_file, read_bank, show_file
from vj.cues import read_cues
from vj.errors import UsageError
from vj.runtime import Plan
from vj.songs import read_song_or_note
from vj.state import ShowState

Found = TypeVar("Found")


def opening_state(plan: Plan, notes: list[str] | None = None) -> ShowState:
    """The state a show begins with: defaults, preset, the first song, values from the command line, cue list.

    The files were checked before the show. One that was spoiled since is left out with a note: a desk that comes
    back in mid-show must not fail because its preset is just being edited.
    """
    notes = [] if notes is None else notes
    preset = read_or_note(lambda: library.read_preset(library.find("presets", plan.preset)), notes)
    songs = tuple(read_song_or_note(planned, notes) for planned in plan.songs)
    first = songs[0] if songs else None
    look = Look().with_values({**(preset.values if preset else {}), **(first.values if first else {}), **plan.values})
    name = (first and first.preset) or (preset.name if preset else "")
    given = given_bank(plan, notes)
    stored = read_or_note(lambda: read_bank(show_file(plan.show)), notes) or EMPTY
    bank = MappingProxyType({**given, **stored})
    state = ShowState(look, look, preset=name, opening_preset=name, bank=bank)
    if first:
        return replace(state, songs=songs, song=1, cues=first.cues)
    cues = read_or_note(lambda: read_cues(Path(plan.cues)), notes) if plan.cues else None
    return replace(state, cues=cues)


def given_bank(plan: Plan, notes: list[str] | None = None) -> Bank:
    """The stored prompts a show begins with, without those stored during it: the user's own and the show file's."""
    notes = [] if notes is None else notes
    own = (read_or_note(lambda: read_bank(own_file()), notes) or EMPTY) if plan.show else EMPTY
    return MappingProxyType({**own, **{n: text for n, text in enumerate(plan.bank, 1) if text}})


def read_or_note(read: Callable[[], Found], notes: list[str]) -> Found | None:
    """What was read, or None and why not in the notes."""
    try:
        return read()
    except UsageError as err:
        notes.append(str(err))
        return None

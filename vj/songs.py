"""The songs of a show: read from their files, and which one a control calls for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from engine.parameters import ParameterError, Value
from vj import library
from vj.changes import Change
from vj.cues import CueList, read_cues
from vj.errors import UsageError, did_you_mean
from vj.runtime import PlannedSong


@dataclass(frozen=True, slots=True)
class Song:
    """One song ready to be played: its cue list, and the parameters of the preset it begins with.

    `cues` is None where the file could not be read when the desk came back in mid-show.
    """

    planned: PlannedSong
    cues: CueList | None = None
    preset: str = ""
    values: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def title(self) -> str:
        """What the show file calls it."""
        return self.planned.title


def read_song(planned: PlannedSong) -> Song:
    """Read the files of a song. Raises FileProblems or UsageError."""
    cues = read_cues(Path(planned.cues))
    if not planned.preset:
        return Song(planned, cues)
    preset = library.read_preset(library.find("presets", planned.preset))
    return Song(planned, cues, preset.name, preset.values)


def read_song_or_note(planned: PlannedSong, notes: list[str], before: Song | None = None) -> Song:
    """As `read_song`; what cannot be read joins the notes and is as it was `before`, or left out."""
    try:
        return read_song(planned)
    except UsageError as err:
        notes += str(err).splitlines()
    return before or Song(planned)


def called_for(songs: tuple[Song, ...], at: int, change: Change) -> int:
    """The place (from 1) of the song that a change asks for while the one at `at` is on. Raises ParameterError."""
    if not songs:
        raise ParameterError("this show has no songs; give them in a show file: vj play SHOW")
    if change.action == "song_back":
        return max(1, at - 1)
    if change.action == "song_next":
        if at >= len(songs):
            raise ParameterError(f"{songs[-1].title!r} is the last song")
        return at + 1
    if change.value is None:
        return max(1, at)
    wanted = str(change.value).casefold() if isinstance(change.value, str) else str(int(change.value))
    titles = (n for n, song in enumerate(songs, 1) if song.title.casefold() == wanted)
    places = (n for n in range(1, len(songs) + 1) if str(n) == wanted)
    found = next(titles, None) or next(places, None)
    if found is None:
        titled = did_you_mean(str(change.value), [song.title for song in songs])
        raise ParameterError(f"no song {change.value!r} among the {len(songs)} of this show{titled}")
    return found

"""OSC addresses and what they ask for. Pure: address and arguments in, changes out.

    /vj/prompt s [f]                       crossfade to this prompt over `fade`, or over f seconds
    /vj/prompt/{1-8}/text s                /vj/prompt/{1-8}/weight f
    /vj/{parameter} <value>                in its own unit; a choice takes its name, a switch a number (from 0.5 up: on)
    /vj/{parameter}/norm f                 the same as 0..1
    /vj/cue/go [i|s]                       start, or go to a cue by number, label or words; next, back, stop, pause;
                                           seek f, nudge f: seconds
    /vj/song/go [i|s]                      begin the song again, or another by number or title; next, back
    /vj/bank/{1-128}                       crossfade to this stored prompt; /slot i puts it into slot i, /text s stores
    /vj/lyric s [s]                        this line, the next; an empty line holds
    /vj/tap   /vj/resync                   a beat of the tempo; the beat begins now
    /vj/preset s   /vj/panic   /vj/undo    /vj/blackout i, /vj/freeze i, /vj/reroll, /vj/kick are parameters
    /vj/subscribe [i], /vj/unsubscribe [i] feedback on these addresses, to this port (see feedback.py)

Aliases for show software: /go, /back, /panic, /cue/{label}/start, /prompt, /lyric, /temperature, /weight/{1-8}.
i, f, d, h, T and F are numbers. What only fires does so without an argument or with one other than 0, and ignores 0:
pads send 1, then 0. To /vj/cue/go a number is a cue, so a pad sends /go. Numbers out of range are clamped.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from engine.parameters import PARAMETERS, SLOTS, TEXT_LIMIT, Parameter
from vj.changes import BANK_PLACES, Change
from vj.controls.packets import Argument
from vj.errors import did_you_mean

LONGEST_SEEK_S = 86_400.0
LONGEST_NUDGE_S = 3_600.0

Args = tuple[Argument, ...]
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Refused(Exception):
    """A message that asks for nothing this instrument can do; the text says why."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one message asks for. No changes: it was understood and asks for none, as the 0 of a pad let go."""

    changes: tuple[Change, ...] = ()
    is_clamped: bool = False


def translate(address: str, args: Args) -> Asked:
    """What a message asks for. Raises Refused for an unknown address, a wrong kind or count, NaN and infinity."""
    fixed = _FIXED.get(address)
    if fixed is not None:
        return fixed(args)
    if found := re.fullmatch(r"/cue/(.+)/start", address):
        return _fire(args, Change("cue_go", _clean(found[1])))
    if found := re.fullmatch(rf"/vj/prompt/([1-{SLOTS}])/(text|weight)", address):
        name = "prompt" if found[2] == "text" else "weight"
        return _set(PARAMETERS[f"{name}_{found[1]}"], args)
    if found := re.fullmatch(rf"/weight/([1-{SLOTS}])", address):
        return _set(PARAMETERS[f"weight_{found[1]}"], args)
    if found := re.fullmatch(r"/vj/bank/(\d{1,6})(/slot|/text)?", address):
        return _bank(int(found[1]), found[2] or "", args)
    if found := re.fullmatch(r"/vj/(\w+)(/norm)?", address):
        row = PARAMETERS.get(found[1])
        if row is not None:
            return _norm(row, args) if found[2] else _set(row, args)
    raise Refused(f"no such address{_hint(address)}")


def address_of(parameter: str) -> str:
    """The address a parameter is set and echoed on."""
    name, _, slot = parameter.rpartition("_")
    if slot.isdecimal() and name in ("prompt", "weight"):
        return f"/vj/prompt/{slot}/{'text' if name == 'prompt' else 'weight'}"
    return f"/vj/{parameter}"


@lru_cache(maxsize=128)  # finding the nearest address takes longer than all the rest, and wrong ones come again
def _hint(address: str) -> str:
    if len(address) > 64:
        return ""
    known = (*_FIXED, *map(address_of, PARAMETERS), *_NUMBERED, "/vj/subscribe", "/vj/unsubscribe")
    return did_you_mean(address, known)


def _set(row: Parameter, args: Args) -> Asked:
    if row.kind == "trigger":
        return _fire(args, Change("fire", parameter=row.name))
    if row.kind == "text":
        text, is_cut = _text(_one(args))
        return Asked((Change("set", text, row.name),), is_cut)
    value = _one(args)
    if row.kind == "choice":
        if not isinstance(value, str) or value not in row.choices:
            raise Refused(f"takes one of {', '.join(row.choices)}, not {value!r}; /norm takes 0 to 1")
        return Asked((Change("set", value, row.name),))
    number = _number(value)
    if row.kind == "switch":
        return Asked((Change("set", number >= 0.5, row.name),))
    number, is_clamped = _clamped(number, row.low, row.high)
    return Asked((Change("set", round(number) if row.kind == "whole" else number, row.name),), is_clamped)


def _norm(row: Parameter, args: Args) -> Asked:
    if row.kind == "trigger":
        return _fire(args, Change("fire", parameter=row.name))
    if row.kind == "text":
        raise Refused(f"{row.name} is a text and has no place from 0 to 1")
    number, is_clamped = _clamped(_number(_one(args)), 0.0, 1.0)
    return Asked((Change("norm", number, row.name),), is_clamped)


def _fire(args: Args, change: Change) -> Asked:
    if len(args) > 1:
        raise Refused(f"takes at most one argument, not {len(args)}")
    if args and _number(args[0]) == 0:
        return Asked()
    return Asked((change,))


def _firing(action: str) -> Callable[[Args], Asked]:
    return lambda args: _fire(args, Change(action))


def _going(action: str, what: str) -> Callable[[Args], Asked]:
    """Go on, or to one by its number from 1 or by its name."""

    def go(args: Args) -> Asked:
        if not args or args[0] is True:
            return _fire(args, Change(action))
        target = _one(args)
        if isinstance(target, str):
            name, is_cut = _text(target)
            return Asked((Change(action, name),), is_cut)
        number = _number(target)
        if number < 0 or number != round(number) or number > 1e6:
            raise Refused(f"takes {what}, not {target!r}")
        return Asked((Change(action, round(number)),)) if number else Asked()

    return go


def _bank(place: int, what: str, args: Args) -> Asked:
    """A stored prompt: fired, put into a slot, or stored."""
    if not 1 <= place <= BANK_PLACES:
        raise Refused(f"the bank has places 1 to {BANK_PLACES}")
    if not what:
        return _fire(args, Change("bank", place))
    if what == "/text":
        text, is_cut = _text(_one(args))
        if not text:
            raise Refused("an empty text is no prompt")
        return Asked((Change("bank_text", (place, text)),), is_cut)
    slot = _number(_one(args))
    if not (1 <= slot <= SLOTS and slot == round(slot)):
        raise Refused(f"takes a slot from 1 to {SLOTS}, not {args[0]!r}")
    return Asked((Change("bank_slot", (place, round(slot))),))


def _timing(action: str, low: float, high: float) -> Callable[[Args], Asked]:
    def timed(args: Args) -> Asked:
        seconds, is_clamped = _clamped(_number(_one(args)), low, high)
        return Asked((Change(action, seconds),), is_clamped)

    return timed


def _prompt(args: Args) -> Asked:
    if len(args) not in (1, 2):
        raise Refused(f"takes a text and perhaps seconds, not {len(args)} arguments")
    text, is_cut = _text(args[0])
    if not text:
        raise Refused("an empty text is no prompt")
    if len(args) == 1:
        return Asked((Change("prompt", text),), is_cut)
    fade = PARAMETERS["fade"]
    seconds, is_clamped = _clamped(_number(args[1]), fade.low, fade.high)
    return Asked((Change("prompt", text, seconds=seconds),), is_cut or is_clamped)


def _lyric(args: Args) -> Asked:
    if len(args) not in (1, 2):
        raise Refused(f"takes a line and perhaps the next, not {len(args)} arguments")
    texts = [_text(arg) for arg in args]
    if not texts[0][0]:
        return Asked()  # show software clears its slide: the picture holds
    lines = tuple(text for text, _ in texts)
    return Asked((Change("lyric", lines),), any(is_cut for _, is_cut in texts))


def _preset(args: Args) -> Asked:
    name, is_cut = _text(_one(args))
    if not name or is_cut:
        raise Refused("takes the name of a preset")
    return Asked((Change("preset", name),))


def _one(args: Args) -> Argument:
    if len(args) != 1:
        raise Refused(f"takes one argument, not {len(args)}")
    return args[0]


def _number(value: Argument) -> float:
    if isinstance(value, str):
        raise Refused(f"takes a number, not {value[:40]!r}")
    if not math.isfinite(value):
        raise Refused(f"takes a finite number, not {value!r}")
    return float(value)


def _text(value: Argument) -> tuple[str, bool]:
    """The text, cleaned and at most 512 letters long, and whether it had to be cut."""
    if not isinstance(value, str):
        raise Refused(f"takes a text, not {value!r}")
    text = _clean(value)
    return text[:TEXT_LIMIT], len(text) > TEXT_LIMIT


def _clean(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", text).split())


def _clamped(number: float, low: float, high: float) -> tuple[float, bool]:
    return min(high, max(low, number)), not low <= number <= high


_NUMBERED = ("/vj/bank/1", "/vj/bank/1/slot", "/vj/bank/1/text", "/weight/1")
_FIXED: dict[str, Callable[[Args], Asked]] = {
    "/vj/prompt": _prompt,
    "/vj/lyric": _lyric,
    "/vj/preset": _preset,
    "/vj/cue/go": _going("cue_go", "the number of a cue from 1, its label or its words"),
    "/vj/cue/next": _firing("cue_next"),
    "/vj/cue/back": _firing("cue_back"),
    "/vj/cue/stop": _firing("cue_stop"),
    "/vj/cue/pause": _firing("cue_pause"),
    "/vj/cue/seek": _timing("cue_seek", 0.0, LONGEST_SEEK_S),
    "/vj/cue/nudge": _timing("cue_nudge", -LONGEST_NUDGE_S, LONGEST_NUDGE_S),
    "/vj/song/go": _going("song_go", "the number of a song from 1, or its title"),
    "/vj/song/next": _firing("song_next"),
    "/vj/song/back": _firing("song_back"),
    "/vj/tap": _firing("tap"),
    "/vj/resync": _firing("resync"),
    "/vj/panic": _firing("panic"),
    "/vj/undo": _firing("undo"),
    "/go": _firing("cue_go"),
    "/back": _firing("cue_back"),
    "/panic": _firing("panic"),
    "/prompt": _prompt,
    "/lyric": _lyric,
    "/temperature": lambda args: _set(PARAMETERS["temperature"], args),
}

"""The keys of the dashboard: one table, from which the bindings, the help and the hints at the foot are derived."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its names in Textual, the action of the dashboard it starts, and its words.

    `hint` is what the foot of the screen says of it; "" keeps it to the help.
    """

    names: str
    action: str
    shown: str
    does: str
    hint: str = ""

    @property
    def hinted(self) -> str:
        """The key as the foot names it."""
        return "[ ]" if self.hint == "temp" else self.shown.split()[0]


# Letters are bound in both cases, so that a caps lock does not silence the keyboard; T and t differ on purpose.
KEYS = (
    Key("space", "go", "space", "go: start the show, then the next cue", "go"),
    Key("backspace,b,B", "send('cue_back')", "b", "back to the cue before", "back"),
    Key("c,C", "send('cue_pause')", "c , .", "pause the cues, or go on; their clock 0.1 s earlier, later"),
    Key("comma", "cue_clock(-0.1)", "", ""),
    Key("full_stop", "cue_clock(0.1)", "", ""),
    Key("greater_than_sign", "send('song_next', True)", "> <", "the next song, the song before"),
    Key("less_than_sign", "send('song_back', True)", "", ""),
    Key("m,M", "send('tap')", "m s", "tap the tempo; sync: the beat begins now"),
    Key("s,S", "send('resync')", "", ""),
    Key("f,F", "switch('freeze')", "f", "freeze the program, or let it run", "freeze"),
    Key("k,K", "switch('blackout')", "k", "blackout, or back from it", "black"),
    Key("u,U", "send('undo')", "u", "undo: the look before the last move", "undo"),
    Key("exclamation_mark", "send('panic')", "!", "panic: the look the show began with"),
    Key("r,R", "fire('reroll')", "r", "reroll: the canvas afresh from noise, mirrored"),
    Key("p,P,slash,enter", "prompt", "p / enter", "type a new prompt", "prompt"),
    Key("1,2,3,4,5,6,7,8", "slot(KEY)", "1-8", "choose a slot and type into it (esc: choose it only)", "slot"),
    Key("plus,equals_sign", "weigh(0.1)", "+ -", "more or less weight to the chosen slot"),
    Key("minus", "weigh(-0.1)", "", ""),
    Key("left_square_bracket,t", "nudge_of('temperature', -1)", "[ ] t T", "temperature down, up", "temp"),
    Key("right_square_bracket,T", "nudge_of('temperature', 1)", "", ""),
    Key("up", "cursor(-1)", "↑ ↓", "choose a parameter (page up, down: ten at once)"),
    Key("down", "cursor(1)", "", ""),
    Key("pageup", "cursor(-10)", "", ""),
    Key("pagedown", "cursor(10)", "", ""),
    Key("left", "nudge(-1)", "← →", "move the chosen parameter (shift: ten times as far)"),
    Key("right", "nudge(1)", "", ""),
    Key("shift+left", "nudge(-10)", "", ""),
    Key("shift+right", "nudge(10)", "", ""),
    Key("o,O", "presets", "o", "list of presets", "presets"),
    Key("tab", "pane", "tab", "on a small screen: slots, inputs or log"),
    Key("question_mark,h,H", "help", "?", "this list", "keys"),
    Key("d,D", "detach", "d", "close this window; the show goes on", "close"),
    Key("q,Q", "end", "q q", "end the show (asks once more)", "end"),
)

# What a narrow foot leaves out first; the help has it all.
_LEFT_OUT = ("temp", "slot", "presets", "back", "undo", "freeze")


def hints(width: int) -> list[tuple[str, str]]:
    """Pairs of key and word for the foot of a screen of this width."""
    found = [(key.hinted, key.hint) for key in KEYS if key.hint]
    for left_out in _LEFT_OUT:
        if sum(len(shown) + len(word) + 3 for shown, word in found) <= width + 2:
            break
        found = [(shown, word) for shown, word in found if word != left_out]
    return found

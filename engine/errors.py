"""What the engine cannot do, said to the person at the desk."""


def first_line(err: BaseException | None) -> str:
    """What an error says, in one line; its kind where it says nothing."""
    return (str(err).strip().splitlines() or [type(err).__name__])[0]


class EngineError(Exception):
    """The picture cannot be painted."""


class GuideError(EngineError):
    """A guide cannot be had; the message names the guide, why, and the command or file that mends it."""


class MissingGuideError(GuideError):
    """A guide's files are not on this machine, but can be fetched."""

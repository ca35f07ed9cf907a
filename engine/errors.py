"""What the engine cannot do, said to the person at the desk."""


class EngineError(Exception):
    """The picture cannot be painted."""


class GuideError(EngineError):
    """A guide cannot be had; the message names the guide, why, and the command or file that mends it."""


class MissingGuideError(GuideError):
    """A guide's files are not on this machine, but can be fetched."""

"""The instrument around the picture: controls, show state, program, sinks and dashboard."""

__version__ = "0.1.0"

"""Sinks: where the program goes, each in a process of its own."""

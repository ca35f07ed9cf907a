"""Cue lists: one reader per file format."""

"""Denoisers behind one signature."""

"""Measuring what was painted: a judge that no loss has seen, and the figures made of its answers."""

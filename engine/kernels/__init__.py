"""Passes over a picture that are compiled for the processor the show runs on.

Torch computes the same in a dozen operations each, and on a processor's small pictures an operation is mostly its call
and its way through memory. Everything here is an ingredient: what it is for is said where it is used.
"""

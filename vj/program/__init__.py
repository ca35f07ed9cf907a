"""The program: what the audience gets, at a steady rate."""

"""The picture: everything that touches torch. Knows nothing of the show around it."""

"""Guides: image-text models that say how well a picture and a prompt agree."""

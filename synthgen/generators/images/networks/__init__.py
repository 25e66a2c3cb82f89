"""Generators and critics for images of 8 to 128 pixels, square or not."""

"""A small fast image classifier, its training, and features of images."""

"""Labelled images: what is read, how they are held, split and written back."""

"""Generative adversarial networks for images, put together from five parts: networks, adversarial
loss, penalty, conditioning, augmentation. One algorithm a file; ``gan.py`` and its neighbours are
the well-known combinations by name."""

"""Metrics of sets of images, each beside the same metric of real images of the same number.

Everything here is a function of tensors: features (n, d), pixels (n, c, h, w) or probabilities.
The formulae of Fréchet distance, kernel distance and Inception score are our own dozen lines and
not torchmetrics': there each is an object around one network that has seen images one batch after
another, and takes no features; its Fréchet distance takes square roots of the eigenvalues of a
matrix that is not symmetric, and its subsets come from the global generator. Tests hold ours
against it.
"""

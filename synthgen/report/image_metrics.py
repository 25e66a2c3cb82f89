"""What the metrics of sets of images mean (:mod:`synthgen.metrics.images`)."""

from __future__ import annotations

from synthgen.report.metrics import Explained

_SHARE = (0.0, 1.0)
_NEIGHBOURS = (("k", "neighbours"),)

IMAGE_METRICS = {
    "frechet": Explained(
        "number",
        None,
        "Distance between the features of synthetic and of real images, by their means and "
        "covariances (published as FID where the features are Inception's); the fewer the images, "
        "the larger.",
        (("features", "features"),),
    ),
    "frechet_per_class": Explained(
        "number",
        None,
        "The Fréchet distance within each class, mean over the classes: it sees images of the "
        "wrong class, which a distance over all of them cannot.",
        (("features", "features"),),
    ),
    "kernel": Explained(
        "number",
        None,
        "Squared distance between the features of synthetic and of real images, by a cubic kernel "
        "(published as KID where the features are Inception's); around 0, or just below, where "
        "they are alike.",
        (
            ("deviation", "standard deviation over the subsets"),
            ("floor_deviation", "of the reference"),
        ),
    ),
    "sliced_wasserstein": Explained(
        "number",
        None,
        "Distance between the features of synthetic and of real images, mean over random "
        "directions; the reference says what chance makes of it.",
        (("directions", "directions"),),
    ),
    "pyramid_distance": Explained(
        "number",
        None,
        "Distance between small patches of synthetic and of real images, mean over several scales; "
        "pixels are compared, and no network is asked.",
        (("directions", "directions"),),
    ),
    "inception_score": Explained(
        "number",
        None,
        "Whether a classifier takes each image for one class and all classes occur: 1 at worst, "
        "the number of its classes at best. It looks at no real image.",
        (("deviation", "standard deviation over the parts"),),
    ),
    "precision": Explained(
        "share",
        _SHARE,
        "Synthetic images that lie among the real ones: low where they do not look real.",
        _NEIGHBOURS,
    ),
    "recall": Explained(
        "share",
        _SHARE,
        "Real images that lie among the synthetic ones: low where a part of the variety is "
        "missing.",
        _NEIGHBOURS,
    ),
    "density": Explained(
        "number",
        None,
        "Real images in whose neighbourhood a synthetic one lies, over the number expected: 1 "
        "where they are alike, more where they crowd in the middle.",
        _NEIGHBOURS,
    ),
    "coverage": Explained(
        "share",
        _SHARE,
        "Real images with a synthetic one in their neighbourhood: low where a part of the variety "
        "is missing.",
        _NEIGHBOURS,
    ),
    "classification_accuracy": Explained(
        "points",
        _SHARE,
        "Accuracy on real test images of a classifier that was trained on synthetic images alone; "
        "the reference is the same training on as many real images.",
        (),
    ),
    "memorisation": Explained(
        "share",
        _SHARE,
        "Synthetic images closer to a training image than nearly all unseen images are: as many as "
        "the reference if nothing was memorised, towards 100 % if training images are repeated.",
        (("p_value", "p"), ("median_ratio", "ratio of the median distances")),
    ),
    "image_copies": Explained(
        "share",
        None,
        "Synthetic images that are a training image again: equal, mirrored, moved by a pixel or "
        "slightly brightened; the reference is the share of unseen images that are.",
        (),
    ),
}

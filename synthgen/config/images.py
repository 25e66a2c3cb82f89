"""The configuration of a run on labelled images."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from synthgen.benchmark.images.settings import ImageSettings
from synthgen.config.sections import Config, SampleConfig, Source, SplitConfig
from synthgen.data.images.options import ImageOptions
from synthgen.generators.images import AnyImageGenerator
from synthgen.generators.images.cdcgan import CDCGAN


class ImageSource(Source):
    """What is read, and how its images come to one size and colour."""

    source: str = Field(
        "",
        description="A folder of images by class, a folder or ZIP with labels.csv or metadata.csv, "
        "an image Parquet, or sklearn:digits. Empty for images that were handed over in memory.",
    )
    target: str = Field("label", description="The column of labels, where the source has columns.")
    test: str | None = Field(
        None, description="A source of test images; None: a part of the source is set aside."
    )
    read: ImageOptions = Field(ImageOptions(), description="Size, colour and limits.")
    near_duplicates: Literal["group", "ignore"] = Field(
        "group",
        description="Images that are nearly the same picture: kept on one side of a split, or "
        "taken for images like any other.",
    )


class ImageSplitConfig(SplitConfig):
    """The sealed test part."""

    test_share: float = Field(
        0.2, gt=0, lt=1, description="Share of the images that is set aside and never trained on."
    )
    rows_per_class: int | None = Field(
        None,
        ge=4,
        description="Training images of each class at most, drawn at random once the test images "
        "are set aside: what would few of them do? null: all of them.",
    )


class ImageSampleConfig(SampleConfig):
    """What is drawn from the final model."""

    copies: Literal["drop", "allow"] = Field(
        "drop",
        description="What happens to synthetic images that equal a training image, be it mirrored, "
        "moved by a pixel or slightly brightened.",
    )


class ImageConfig(Config):
    """A run on labelled images, completely described."""

    modality: Literal["images"] = Field(
        "images", description="table or images; told from the source if left out."
    )
    data: ImageSource = ImageSource()
    generator: AnyImageGenerator = Field(
        CDCGAN(name="cdcgan"), description="The generator and its hyper-parameters."
    )
    split: ImageSplitConfig = ImageSplitConfig()
    decide: ImageSettings = ImageSettings()
    sample: ImageSampleConfig = ImageSampleConfig()
    inception: str | None = Field(
        None,
        description="A file with the weights of Inception-v3, or 'download', for figures as they "
        "are published; null: only features of a classifier of the training images.",
    )

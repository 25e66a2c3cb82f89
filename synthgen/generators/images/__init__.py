"""Generators of labelled images: one algorithm a file, made of parts that are files of their own,
and :data:`AnyImageGenerator`, the union of them all."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from synthgen.generators.images.acgan import ACGAN
from synthgen.generators.images.cdcgan import CDCGAN
from synthgen.generators.images.cgan import CGAN
from synthgen.generators.images.dcgan import DCGAN
from synthgen.generators.images.gan import GAN
from synthgen.generators.images.r3gan import R3GAN
from synthgen.generators.images.sngan import SNGAN
from synthgen.generators.images.wgan import WGAN
from synthgen.generators.images.wgan_gp import WGANGP

AnyImageGenerator: TypeAlias = Annotated[
    CDCGAN | GAN | CGAN | DCGAN | ACGAN | WGAN | WGANGP | SNGAN | R3GAN,
    Field(discriminator="name"),
]

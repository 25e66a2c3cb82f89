"""One algorithm a file, and :data:`AnyGenerator`, the union of them all."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from synthgen.generators.arn import ARN
from synthgen.generators.auto import Auto
from synthgen.generators.ctgan import CTGAN
from synthgen.generators.ctgan_paper import CTGANPaper
from synthgen.generators.dp_ctgan import DPCTGAN
from synthgen.generators.mixture import Mixture
from synthgen.generators.resample import Resample
from synthgen.generators.sdv import SDVCTGAN, SDVTVAE, SDVCopulaGAN, SDVGaussianCopula
from synthgen.generators.smote import Smote
from synthgen.generators.tvae import TVAE

AnyGenerator: TypeAlias = Annotated[
    CTGAN
    | CTGANPaper
    | ARN
    | Mixture
    | TVAE
    | DPCTGAN
    | Auto
    | SDVCTGAN
    | SDVTVAE
    | SDVGaussianCopula
    | SDVCopulaGAN
    | Smote
    | Resample,
    Field(discriminator="name"),
]

"""synthgen tells whether synthetic data would make your classifier better, and if so hands you the
augmented data set with the evidence.

>>> import synthgen
>>> run = synthgen.augment(frame, target="income")   # doctest: +SKIP
>>> run.verdict.sentence, run.augmented, run.report  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synthgen.data.images.read import read_images
    from synthgen.gan_sampler import GANSampler
    from synthgen.generators.arn import ARN
    from synthgen.generators.auto import Auto
    from synthgen.generators.ctgan import CTGAN
    from synthgen.generators.ctgan_paper import CTGANPaper
    from synthgen.generators.dp_ctgan import DPCTGAN
    from synthgen.generators.images.acgan import ACGAN
    from synthgen.generators.images.cdcgan import CDCGAN
    from synthgen.generators.images.cgan import CGAN
    from synthgen.generators.images.dcgan import DCGAN
    from synthgen.generators.images.gan import GAN
    from synthgen.generators.images.r3gan import R3GAN
    from synthgen.generators.images.sngan import SNGAN
    from synthgen.generators.images.wgan import WGAN
    from synthgen.generators.images.wgan_gp import WGANGP
    from synthgen.generators.mixture import Mixture
    from synthgen.generators.resample import Resample
    from synthgen.generators.sdv import SDVCTGAN, SDVTVAE, SDVCopulaGAN, SDVGaussianCopula
    from synthgen.generators.smote import Smote
    from synthgen.generators.tvae import TVAE
    from synthgen.notebook import AugmentedRun, augment, read
    from synthgen.pipeline.shards import sample_shards

# Importing synthgen must not import torch or pandas: the command line asks for --help here too.
_HOME = {
    "augment": "synthgen.notebook",
    "read": "synthgen.notebook",
    "AugmentedRun": "synthgen.notebook",
    "sample_shards": "synthgen.pipeline.shards",
    "GANSampler": "synthgen.gan_sampler",
    "ARN": "synthgen.generators.arn",
    "Auto": "synthgen.generators.auto",
    "CTGAN": "synthgen.generators.ctgan",
    "CTGANPaper": "synthgen.generators.ctgan_paper",
    "DPCTGAN": "synthgen.generators.dp_ctgan",
    "Mixture": "synthgen.generators.mixture",
    "TVAE": "synthgen.generators.tvae",
    "Smote": "synthgen.generators.smote",
    "Resample": "synthgen.generators.resample",
    "SDVCTGAN": "synthgen.generators.sdv",
    "SDVTVAE": "synthgen.generators.sdv",
    "SDVGaussianCopula": "synthgen.generators.sdv",
    "ACGAN": "synthgen.generators.images.acgan",
    "CDCGAN": "synthgen.generators.images.cdcgan",
    "CGAN": "synthgen.generators.images.cgan",
    "DCGAN": "synthgen.generators.images.dcgan",
    "GAN": "synthgen.generators.images.gan",
    "R3GAN": "synthgen.generators.images.r3gan",
    "SNGAN": "synthgen.generators.images.sngan",
    "WGAN": "synthgen.generators.images.wgan",
    "WGANGP": "synthgen.generators.images.wgan_gp",
    "read_images": "synthgen.data.images.read",
    "SDVCopulaGAN": "synthgen.generators.sdv",
}

__all__ = [
    "ACGAN",
    "ARN",
    "CDCGAN",
    "CGAN",
    "CTGAN",
    "DCGAN",
    "DPCTGAN",
    "GAN",
    "R3GAN",
    "SDVCTGAN",
    "SDVTVAE",
    "SNGAN",
    "TVAE",
    "WGAN",
    "WGANGP",
    "AugmentedRun",
    "Auto",
    "CTGANPaper",
    "GANSampler",
    "Mixture",
    "Resample",
    "SDVCopulaGAN",
    "SDVGaussianCopula",
    "Smote",
    "augment",
    "read",
    "read_images",
    "sample_shards",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'synthgen' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

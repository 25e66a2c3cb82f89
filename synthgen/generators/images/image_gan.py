"""What all GANs for images share: five parts that can be combined at will, one training, one kind
of model."""

from __future__ import annotations

import hashlib
import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Self

import torch
from pydantic import Field, model_validator
from torch import nn

from synthgen.data.images.images import Class, Images
from synthgen.errors import DataError
from synthgen.generators.base import Generator
from synthgen.generators.description import damaged
from synthgen.generators.images.augmentation import AugmentationName
from synthgen.generators.images.augmentation.ada import ADA
from synthgen.generators.images.augmentation.diffaugment import DiffAugment
from synthgen.generators.images.batches import ImageBatches
from synthgen.generators.images.begin import begin_, freeze_
from synthgen.generators.images.game import Augmentation, Game
from synthgen.generators.images.losses import LOSSES, LossName
from synthgen.generators.images.networks.build import (
    PLAIN,
    CriticNetwork,
    NetworkName,
    build_critic,
    build_generator,
)
from synthgen.generators.images.networks.conditioning import ToldCritic, ToldGenerator
from synthgen.generators.images.networks.normalisation import CriticNorm
from synthgen.generators.images.networks.shape import ImageShape
from synthgen.generators.images.penalties import PenaltyName
from synthgen.generators.images.progress import keep_progress, moments
from synthgen.generators.images.sampler import WEIGHTS, ImageSampler
from synthgen.generators.images.watch import ImageWatch, Judge
from synthgen.runs import sha256
from synthgen.training.checkpoints import Stateful
from synthgen.training.context import Context
from synthgen.training.ema import Ema
from synthgen.training.loop import loop
from synthgen.training.randomness import derive, initialisation, stream
from synthgen.vision.train import train_classifier

JUDGE_STEPS = 300
"""Of the classifier whose features evaluations take, and that says what images show."""


class ImageGAN(Generator):
    """Hyper-parameters. Each algorithm by name is a combination of parts and their settings."""

    network: NetworkName
    """Multi-layer perceptrons, strided convolutions, residual networks, or those of R3GAN."""
    critic_norm: CriticNorm = "none"
    """What normalises the critic of dcgan and resnet."""
    loss: LossName
    """What critic and generator play for."""
    penalty: PenaltyName = "none"
    """What keeps the critic from being too steep."""
    penalty_weight: float = Field(default=10.0, gt=0)
    """Of a gradient penalty, R1 or R2; with clip, the bound of the critic's weights."""
    penalty_every: int = Field(default=1, ge=1)
    """The penalty is counted in every so many steps, with so many times its weight."""
    told_generator: ToldGenerator = "none"
    """How the generator is told the class: beside the noise, or by its normalisation."""
    told_critic: ToldCritic = "none"
    """How the critic is told the class, or whether it has to tell it (auxiliary)."""
    auxiliary_weight: float = Field(default=1.0, gt=0)
    """Of the auxiliary classifier's loss."""
    augmentation: AugmentationName = "none"
    """Of what the critic sees: for few training images."""
    mirrored: bool = False
    """Whether an image and its mirror image are as good (not so for digits and letters)."""
    latent_dim: int = Field(default=128, ge=1)
    """Size of the noise."""
    width: int = Field(default=64, ge=1)
    """What the networks' numbers of features are multiples of."""
    batch_size: int = Field(default=64, ge=2)
    """Images per step."""
    parts: int = Field(default=1, ge=1)
    """A batch goes through the networks in so many parts, where memory is short."""
    steps: int = Field(default=20_000, ge=1)
    """Updates of the generator."""
    critic_steps: int = Field(default=1, ge=1)
    """Updates of the critic for each of the generator."""
    generator_lr: float = Field(default=2e-4, gt=0)
    """Learning rate of the generator's Adam."""
    critic_lr: float = Field(default=2e-4, gt=0)
    """Learning rate of the critic's Adam."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Of both."""
    ema: float | None = Field(default=0.999, gt=0, lt=1)
    """Decay of an exponential moving average of the generator's weights, which is then what
    samples; None: the weights themselves."""
    evaluations: int = Field(default=20, ge=0)
    """How often in a training the images are looked at, to keep the best generator and to turn back
    when the game is lost; 0: never, and the last generator is kept."""
    begin: str | None = None
    """A saved model (or a run) whose weights training begins with; classes go by their names. null:
    from nothing."""
    frozen: int = Field(default=0, ge=0)
    """So many stages of the critic, from the image on, keep the weights they begin with."""
    time_limit: float | None = Field(default=None, gt=0)
    """Seconds after which training ends. How far it comes in that time depends on the machine: once
    the limit cuts a training short, the same seed no longer gives the same bytes."""

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        if self.told_generator == "normalisation" and self.network in PLAIN:
            raise ValueError(f"told_generator is normalisation, but {self.network} has none")
        if self.critic_norm != "none" and self.network in PLAIN:
            raise ValueError(f"critic_norm is {self.critic_norm}, but {self.network} has none")
        if self.told_critic != "none" and self.told_generator == "none":
            raise ValueError(
                "told_critic without told_generator: the critic would judge by a class "
                "of which the generator knows nothing"
            )
        if self.penalty in ("gradient-penalty", "r1", "r1-r2") and self.critic_norm == "batch":
            raise ValueError(
                f"penalty {self.penalty} is of single images, which critic_norm batch "
                "makes depend on each other"
            )
        if self.batch_size % self.parts or self.batch_size // self.parts < 2:
            raise ValueError(
                f"batch_size {self.batch_size} is not {self.parts} parts of two or more"
            )
        return self

    @property
    def conditional(self) -> bool:
        """Whether the generator is told the class."""
        return self.told_generator != "none"

    def fit(self, train: Images, context: Context) -> ImageSampler:  # type: ignore[override]
        """Train on these images only. Raises :class:`~synthgen.errors.TrainingError`, and
        :class:`~synthgen.errors.DataError` without two images."""
        if len(train) < 2:
            raise DataError(
                f"{len(train)} training images are nothing to learn from",
                "give two at least, and a hundred for something worth looking at",
            )
        seed, device = context.seed, context.device
        shape = ImageShape(*train.pixels.shape[1:])
        classes = len(train.classes)
        with initialisation(derive(seed, "weights")):
            generator = self._generator(shape, classes).to(device)
            critic = self._critic(shape, classes).to(device)
        begun = self._begin(generator, critic, shape, train.classes)
        generator_adam = self._adam(generator, self.generator_lr)
        critic_adam = self._adam(critic, self.critic_lr)
        augmentation = self._augmentation(device)
        ema = Ema(generator, self.ema) if self.ema is not None else None
        network = ema.module if ema else generator
        game = Game(
            generator=generator,
            critic=critic,
            generator_adam=generator_adam,
            critic_adam=critic_adam,
            batches=ImageBatches.of(train, device, mirrored=self.mirrored),
            loss=LOSSES[self.loss],
            penalty=self.penalty,
            penalty_weight=self.penalty_weight,
            penalty_every=self.penalty_every,
            auxiliary_weight=self.auxiliary_weight,
            augmentation=augmentation,
            latent_dim=self.latent_dim,
            batch=self.batch_size,
            parts=self.parts,
            critic_steps=self.critic_steps,
            apart=self.critic_norm == "batch",
        )
        draws = derive(seed, "steps")
        pictured = moments(self.steps) if context.progress and context.ranks.first else ()

        def step(number: int) -> dict[str, torch.Tensor]:
            losses = game.step(number, stream(draws, number, device))
            if ema:
                ema.update(number)
            # Before a checkpoint of this step can be written: none is missing after it.
            if number in pictured:
                keep_progress(context, sampler(), number)
            return losses

        judge = self._judge(train, context)
        changed: dict[str, Stateful] = {
            "generator": generator,
            "critic": critic,
            "generator_adam": generator_adam,
            "critic_adam": critic_adam,
        }
        if ema:
            changed["ema"] = ema
        if isinstance(augmentation, ADA):
            changed["ada"] = augmentation

        def sampler() -> ImageSampler:
            return ImageSampler.of(self, deepcopy(network).cpu().eval(), train, judge.classifier)

        watch = None
        if self.evaluations:
            watch = ImageWatch(
                judge=judge,
                pixels=torch.from_numpy(train.pixels),
                labels=torch.from_numpy(train.labels),
                conditional=self.conditional,
                draw=lambda n, seed: sampler().drawn(n, seed),
                critique=game.critique,
                parts=changed,
                steps=self.steps,
                context=context,
            )
        loop(
            step,
            steps=self.steps,
            parts={**changed, "watch": watch} if watch else changed,
            context=context,
            fingerprint=self._fingerprint(train, seed, begun),
            examine=watch.examine if watch else None,
            examine_every=max(1, self.steps // self.evaluations) if watch else 1,
            time_limit=self.time_limit,
        )
        if watch:
            watch.select()
        return replace(sampler(), critic={k: v.cpu() for k, v in critic.state_dict().items()})

    def load(self, path: Path) -> ImageSampler:  # type: ignore[override]
        """Read what :meth:`ImageSampler.save` wrote; its hyper-parameters are the file's own.

        Raises :class:`~synthgen.errors.DataError` where that is not a whole model of this kind.
        """
        return ImageSampler.load(path, type(self), ImageGAN._generator)

    def _judge(self, train: Images, context: Context) -> Judge:
        """Needed for evaluations, and where the generator knows no classes. The classifier takes
        square images only; without one, evaluations look at pixels."""
        height, width = train.pixels.shape[2:]
        needed = not self.conditional or (self.evaluations and height == width)
        if int((train.counts() > 0).sum()) < 2 or not needed:
            return Judge(None)
        return Judge(
            train_classifier(
                torch.from_numpy(train.pixels),
                torch.from_numpy(train.labels),
                len(train.classes),
                steps=JUDGE_STEPS,
                seed=derive(context.seed, "judge"),
            )
        )

    def _begin(
        self,
        generator: nn.Module,
        critic: CriticNetwork,
        shape: ImageShape,
        classes: tuple[Class, ...],
    ) -> str:
        """Weights of the model to begin with, if there is one; returns its digest."""
        freeze_(critic.stages(), self.frozen)
        if self.begin is None:
            return ""
        other = self.load(Path(self.begin))
        if other.critic is None:
            raise damaged(Path(self.begin), type(self), FileNotFoundError())
        begin_(
            generator,
            other.network.state_dict(),
            lambda n: self._generator(shape, n),
            classes,
            other.classes,
        )
        begin_(critic, other.critic, lambda n: self._critic(shape, n), classes, other.classes)
        return sha256(Path(self.begin) / WEIGHTS)

    def _critic(self, shape: ImageShape, classes: int) -> CriticNetwork:
        return build_critic(
            self.network, shape, classes, self.width, self.told_critic, self.critic_norm
        )

    def _generator(self, shape: ImageShape, classes: int) -> nn.Module:
        return build_generator(
            self.network, shape, classes, self.latent_dim, self.width, self.told_generator
        )

    def _augmentation(self, device: str) -> Augmentation:
        match self.augmentation:
            case "ada":
                return ADA().to(device)
            case "diffaugment":
                return DiffAugment()
            case "none":
                return None

    def _adam(self, network: nn.Module, lr: float) -> torch.optim.Adam:
        learned = [p for p in network.parameters() if p.requires_grad]
        return torch.optim.Adam(learned, lr=lr, betas=self.betas, fused=True)

    def _fingerprint(self, train: Images, seed: int, begun: str) -> str:
        settings = json.dumps([self.model_dump(mode="json"), train.pixels.shape, seed, begun])
        digest = hashlib.sha256(settings.encode())
        digest.update(train.pixels.tobytes())
        digest.update(train.labels.tobytes())
        return digest.hexdigest()

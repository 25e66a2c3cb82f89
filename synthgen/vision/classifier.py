"""A trained image classifier: probabilities, features, and its files."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from synthgen.errors import ConfigError, DataError
from synthgen.training.randomness import initialisation
from synthgen.vision.networks import build, placed
from synthgen.vision.pixels import check_images, normalised

WEIGHTS = "classifier.safetensors"
DESCRIPTION = "classifier.json"
FORMAT = 1
_BATCH = 256


class Classifier:
    """A network with all it takes to use it.

    ``mean`` and ``deviation`` are those of each channel of its training images, (channels, 1, 1);
    ``path`` is the import path of a network that is not the default one.
    """

    def __init__(
        self,
        network: nn.Module,
        mean: Tensor,
        deviation: Tensor,
        *,
        size: int,
        classes: int,
        path: str | None = None,
    ) -> None:
        self.network = network.eval()
        self.mean, self.deviation = mean, deviation
        self.size, self.classes, self.path = size, classes, path

    @property
    def channels(self) -> int:
        return len(self.mean)

    def probabilities(self, pixels: Tensor) -> Tensor:
        """float32 (n, classes), rows summing to 1, of uint8 images (n, channels, size, size); on
        the classifier's device, whichever theirs is."""
        return torch.cat([logits.softmax(1) for logits in self._logits(pixels)])

    def features(self, pixels: Tensor) -> Tensor:
        """float32 (n, d): what the network's last linear layer is given.

        Raises :class:`~synthgen.errors.ConfigError` if the network has no linear layer.
        """
        return self.features_and_probabilities(pixels)[0]

    def features_and_probabilities(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """What :meth:`features` and :meth:`probabilities` return, for the price of one."""
        layer = _last_linear(self.network)
        if layer is None:
            raise ConfigError(
                f"network {self.path!r} has no linear layer whose input could be its features",
                "end it with a torch.nn.Linear",
            )
        seen: list[Tensor] = []
        hook = layer.register_forward_pre_hook(lambda _, given: seen.append(given[0].flatten(1)))
        try:
            told = [logits.softmax(1) for logits in self._logits(pixels)]
        finally:
            hook.remove()
        return torch.cat(seen), torch.cat(told)

    @torch.no_grad()
    def _logits(self, pixels: Tensor) -> list[Tensor]:
        check_images(pixels)
        expected = (self.channels, self.size, self.size)
        if pixels.shape[1:] != expected:
            raise DataError(
                f"images of shape {tuple(pixels.shape[1:])} for a classifier of {expected}",
                "give images with the channels and the size that it was trained on",
            )
        return [
            self.network(normalised(batch.to(self.mean.device), self.mean, self.deviation))
            for batch in torch.split(pixels, _BATCH)
        ]

    def save(self, folder: Path) -> None:
        """Write ``classifier.safetensors`` and ``classifier.json`` into the existing folder."""
        tensors = {f"network.{name}": t for name, t in self.network.state_dict().items()}
        tensors |= {"mean": self.mean, "deviation": self.deviation}
        save_file({name: t.cpu().contiguous() for name, t in tensors.items()}, folder / WEIGHTS)
        description = {
            "format": FORMAT,
            "network": self.path,
            "channels": self.channels,
            "size": self.size,
            "classes": self.classes,
        }
        text = json.dumps(description, indent=1)
        (folder / DESCRIPTION).write_text(text + "\n", encoding="utf-8")

    @staticmethod
    def load(folder: Path, device: str = "cpu", network: str | None = None) -> Classifier:
        """What :meth:`save` wrote.

        The import path of a network of one's own is given anew: a file that named it would be a
        file that runs code. Raises :class:`~synthgen.errors.ConfigError` where the two differ, and
        :class:`~synthgen.errors.DataError` for what is not a whole classifier.
        """
        try:
            told = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
            path, channels, size, classes = (
                told[key] for key in ("network", "channels", "size", "classes")
            )
            tensors = load_file(folder / WEIGHTS, device)
            mean, deviation = tensors.pop("mean"), tensors.pop("deviation")
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise _damaged(folder, error) from error
        if path != network:
            raise ConfigError(
                f"the classifier in {folder} was made with network {path!r}, not {network!r}",
                f"load it with network={path!r} if you trust that module",
            )
        try:
            with initialisation(0):
                module = build(network, channels, size, classes)
            module.load_state_dict({n.removeprefix("network."): t for n, t in tensors.items()})
        except (TypeError, ValueError, RuntimeError) as error:
            raise _damaged(folder, error) from error
        placed(module, device)
        return Classifier(module, mean, deviation, size=size, classes=classes, path=path)


def _last_linear(network: nn.Module) -> nn.Linear | None:
    layers = [module for module in network.modules() if isinstance(module, nn.Linear)]
    return layers[-1] if layers else None


def _damaged(folder: Path, error: Exception) -> DataError:
    return DataError(
        f"{folder} does not hold a whole classifier ({type(error).__name__})",
        f"name a folder with the {WEIGHTS} and {DESCRIPTION} of one save",
    )

"""Features by Inception-v3, the extractor of published Fréchet inception distances."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from synthgen.errors import ConfigError, DataError, MachineError
from synthgen.training.randomness import initialisation
from synthgen.vision.inception import DIMENSION, SIDE, InceptionV3
from synthgen.vision.networks import placed
from synthgen.vision.pixels import check_images

URL = (
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
    "pt_inception-2015-12-05-6726825d.pth"
)
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
_BATCH = 32
_CHUNK = 1 << 20


class InceptionFeatures:
    """pool3 of Inception-v3, 2048 numbers per image.

    Images are resized to 299 x 299 as TensorFlow 1 resized them, and scaled as its graph did:
    (value - 128) / 128. Grey images count as RGB of three equal channels. ``version`` is the
    beginning of the weights' SHA-256.
    """

    name = "inception-v3-2015-12-05"
    resize = "bilinear to 299 x 299 as TensorFlow 1, no antialiasing"
    dimension = DIMENSION

    def __init__(self, weights: Path, device: str = "cpu") -> None:
        """``weights``: a ``.safetensors`` file, or one of ``torch.save``, of the layout
        ``pt_inception-2015-12-05``. Raises as :func:`read_weights` does."""
        with initialisation(0):
            self._network = InceptionV3()
        state = read_weights(weights)
        # Older files do not count batches, which only training reads.
        unset = set(self._network.state_dict()) ^ set(state)
        wrong = sorted(name for name in unset if not name.endswith("num_batches_tracked"))
        try:
            if wrong:
                raise KeyError(wrong[0])
            self._network.load_state_dict(state, strict=False)
        except (KeyError, RuntimeError) as error:
            raise _unusable(weights, error) from error
        placed(self._network, device).eval()
        self._network.requires_grad_(False)
        self._device = device
        self.version = sha256(weights)[:16]

    def probabilities(self, pixels: Tensor) -> Tensor:
        """float32 (n, 1008), rows summing to 1, for the Inception score; without the last layer's
        bias, as its published program had it."""
        return self.features_and_probabilities(pixels)[1]

    @torch.no_grad()
    def features_and_probabilities(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Both, for the price of one."""
        features = self(pixels)
        return features, (features @ self._network.fc.weight.T).softmax(1)

    @torch.no_grad()
    def __call__(self, pixels: Tensor) -> Tensor:
        """float32 (n, 2048) of uint8 images (n, 1 or 3, side, side), on the extractor's device."""
        check_images(pixels)
        parts = []
        for batch in torch.split(pixels, _BATCH):
            images = resize(batch.to(self._device).float(), SIDE)
            scaled = ((images - 128) / 128).expand(-1, 3, -1, -1)
            parts.append(self._network(scaled.contiguous(memory_format=torch.channels_last)))
        return torch.cat(parts)


def resize(images: Tensor, side: int) -> Tensor:
    """Floating images (n, c, h, w) at ``side`` x ``side`` by TensorFlow 1's ``ResizeBilinear``.

    Pixel i of the result lies at i * h / side of the image, so both begin at the same place; other
    libraries let the middles agree, which shifts every figure. The last pixels are repeated.
    """
    for axis in (2, 3):
        length = images.shape[axis]
        places = torch.arange(side, device=images.device, dtype=images.dtype) * (length / side)
        before = places.floor().long().clamp_max(length - 1)
        after = (before + 1).clamp_max(length - 1)
        shape = [1, 1, 1, 1]
        shape[axis] = side
        images = torch.lerp(
            images.index_select(axis, before),
            images.index_select(axis, after),
            (places - before).view(shape),
        )
    return images


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a weights file. No code of a file is run.

    Raises :class:`~synthgen.errors.ConfigError` where there is none, and
    :class:`~synthgen.errors.DataError` for what is no such file.
    """
    if not path.is_file():
        raise ConfigError(
            f"the weights of Inception-v3 are not at {path}",
            f"download {URL} to it (91 MB), or use the default extractor, which needs no download",
        )
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
        return {name: tensor for name, tensor in state.items() if isinstance(tensor, Tensor)}
    except Exception as error:  # the unpickler of a torn file raises whatever it stumbles over
        raise _unusable(path, error) from error


def download_weights(path: Path) -> None:
    """Fetch the published weights to ``path`` unless they are there; 91 MB.

    The file appears only when it is whole and has the known SHA-256. Raises
    :class:`~synthgen.errors.MachineError`.
    """
    if path.is_file() and sha256(path) == SHA256:
        return
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(URL, timeout=60) as source, partial.open("wb") as file:
            while chunk := source.read(_CHUNK):
                file.write(chunk)
        found = sha256(partial)
        if found != SHA256:
            raise MachineError(
                f"{URL} has SHA-256 {found}, not {SHA256}",
                "try again; if it stays so, do not use the file",
            )
        partial.replace(path)
    except (urllib.error.URLError, OSError) as error:
        raise MachineError(
            f"the weights of Inception-v3 cannot be downloaded to {path}: {error}",
            f"download {URL} by other means and name the file",
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def sha256(path: Path) -> str:
    """Of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unusable(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path} does not hold the weights of Inception-v3 ({type(error).__name__}: {error})",
        f"use the file at {URL}, or the same tensors as .safetensors",
    )

"""What is trained in one row of a table: a denoiser or a descriptor, with all its settings, as data.

A row of one's own is one of these; `hk.reports`, `hk.models`, `hk.losses` and `hk.batches` have the names.

    mine = Descriptor("mine", loss="HyNetLoss", optimizer="Nadam")
    hk.experiments.run(mine, "results/mine", data="photos", scale="quick")
"""

import re
from dataclasses import dataclass, field

import keras

from hpatches_kit import losses
from hpatches_kit._support.errors import UserError
from hpatches_kit.experiments import report_settings as reports

OF_DESCRIPTORS = {  # losses, and the batches that each reads
    name: getattr(losses, name).batches
    for name in losses.__all__
    if hasattr(getattr(losses, name), "batches")
}
OF_DENOISERS = [name for name in losses.__all__ if name not in OF_DESCRIPTORS]


def _check(value, known, what):
    if value not in known:
        raise UserError(f"Unknown {what} {value!r}: expected one of {', '.join(known)}.")


def _check_name(name):
    if not re.fullmatch(r"\w[\w.+-]*", name):
        raise UserError(f"Name {name!r}: expected letters, digits, and any of . + - _ behind them.")


@dataclass(frozen=True)
class Denoiser:
    """A denoiser and its training; the defaults are report A's baseline (section 3.2)."""

    name: str
    network: str = "unet"  # of `hk.models`
    network_options: dict = field(default_factory=dict)
    optimizer: str = "SGD"  # of `hk.experiments.DENOISER_OPTIMIZERS`
    learning_rate: float | None = None  # instead of that optimiser's
    cosine_decay: bool = False  # the rate falls to 0 along a cosine
    loss: str = "mae"  # of Keras or `hk.losses`
    batch_size: int = 50
    batch_options: dict = field(default_factory=dict)  # of `hk.batches.NoisyClean`
    epochs: int = 50
    patches_per_epoch: int | None = 40_000  # an epoch, drawn anew in each; None for all there are
    validation_patches: int | None = 30_000
    sequences: int | None = None  # report B: how many random ones to train on; one validates

    networks = "unet", "unet_plus_plus", "framing_unet"
    optimizers = reports.DENOISER_OPTIMIZERS
    scaled_by = ("epochs", "denoiser_patches", "validation_patches")

    def __post_init__(self):
        _check_name(self.name)
        _check(self.network, self.networks, "network of denoisers")
        _check(self.optimizer, self.optimizers, "optimiser")
        if self.loss not in OF_DENOISERS:
            keras.losses.get(self.loss)


@dataclass(frozen=True)
class Descriptor:
    """A descriptor and its training; the defaults are report A's improved one (section 5.2)."""

    name: str
    network: str = "l2net"  # of `hk.models`
    network_options: dict = field(default_factory=dict)
    optimizer: str = "Adam"  # of `hk.experiments.DESCRIPTOR_OPTIMIZERS`
    learning_rate: float | None = None
    cosine_decay: bool = False
    loss: str = "HardNegativeTriplet"  # of `hk.losses`
    loss_options: dict = field(default_factory=dict)
    batch_class: str = "Pairs"  # of `hk.batches`
    batch_size: int = 128  # pairs or triplets in a batch
    batch_options: dict = field(default_factory=dict)
    epochs: int = 50
    samples: int = 12_800  # pairs or triplets an epoch
    length_factor: int = 1  # times as many of them, at every scale
    kind: str = "clean"  # what it is trained on
    scored_on: str | None = None  # what it is scored on; None: the same
    denoiser: Denoiser | None = None  # makes the denoised patches
    init_from: "Descriptor | None" = None  # whose weights it begins with
    end_to_end: bool = False  # trained end to end: the gradient reaches the denoiser

    networks = "l2net", "tfeat", "hynet"
    optimizers = reports.DESCRIPTOR_OPTIMIZERS
    scaled_by = ("epochs", "descriptor_patches", "train_points", "test_points")

    def __post_init__(self):
        _check_name(self.name)
        _check(self.network, self.networks, "network of descriptors")
        _check(self.optimizer, self.optimizers, "optimiser")
        _check(self.loss, OF_DESCRIPTORS, "loss of descriptors")
        _check(self.batch_class, (OF_DESCRIPTORS[self.loss],), f"kind of batches for {self.loss}")
        for kind in (self.kind, self.scored_on or self.kind):
            _check(kind, ("clean", "noisy", "denoised"), "kind of patches")
        if self.denoiser is None and (self.end_to_end or "denoised" in (self.kind, self.scored_on)):
            raise UserError(f"{self.name} needs a denoiser=: it is trained or scored with one.")
        if self.init_from and self.init_from.end_to_end:
            raise UserError(f"{self.name} begins with two networks in one: expected a descriptor.")

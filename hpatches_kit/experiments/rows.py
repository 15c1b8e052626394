"""Rows of the tables: the settings of one denoiser or one descriptor.

Settings are names in `hk.models`, `hk.losses`, `hk.batches` and `hk.experiments`:

    wider = Descriptor("wider-margin", loss_options={"margin": 1.0}, optimizer="Nadam")
    hk.experiments.run(wider, "results/reports", data="photos", scale="quick")
"""

import re
from dataclasses import dataclass, field

import keras

from hpatches_kit import losses
from hpatches_kit._support.errors import UserError
from hpatches_kit.experiments.report_settings import DENOISER_OPTIMIZERS, DESCRIPTOR_OPTIMIZERS

DESCRIPTOR_LOSSES = {  # name: the class of batches that the loss needs
    name: getattr(losses, name).batch_class
    for name in losses.__all__
    if hasattr(getattr(losses, name), "batch_class")
}
DENOISER_LOSSES = [name for name in losses.__all__ if name not in DESCRIPTOR_LOSSES]


def check_choice(value, choices, meaning):
    """Raise UserError when a value is not one of the choices."""
    if value not in choices:
        raise UserError(f"Unknown {meaning} {value!r}: expected one of {', '.join(choices)}.")


def check_name(name):
    """Raise UserError for a name that cannot be the name of a folder on every system."""
    if not re.fullmatch(r"\w[\w.+-]*", name):
        raise UserError(
            f"Name {name!r}: expected letters and digits; after the first also . + - and _."
        )


@dataclass(frozen=True)
class Denoiser:
    """A denoiser and its training; the defaults are report A's baseline (section 3.2)."""

    name: str
    network: str = "unet"  # in `hk.models`
    network_options: dict = field(default_factory=dict)
    optimizer: str = "SGD"  # in `hk.experiments.DENOISER_OPTIMIZERS`
    learning_rate: float | None = None  # None: that of the optimiser
    cosine_decay: bool = False  # of the learning rate, to 0
    loss: str = "mae"  # in `hk.losses`, or known to Keras
    batch_size: int = 50
    batch_options: dict = field(default_factory=dict)  # of `hk.batches.NoisyClean`
    epochs: int = 50
    patches_per_epoch: int | None = 40_000  # drawn again in each epoch; None: all
    validation_patches: int | None = 30_000
    sequences: int | None = None  # report B: train on this number of random ones, validate on one

    networks = "unet", "unet_plus_plus", "framing_unet", "nafnet"
    optimizers = DENOISER_OPTIMIZERS
    scaled_by = "epochs", "denoiser_patches", "validation_patches"  # fields of `Scale`

    def __post_init__(self):
        check_name(self.name)
        check_choice(self.network, self.networks, "network of denoisers")
        check_choice(self.optimizer, self.optimizers, "optimiser")
        if self.loss not in DENOISER_LOSSES:
            try:
                keras.losses.get(self.loss)
            except ValueError as error:
                known = ", ".join(DENOISER_LOSSES)
                raise UserError(
                    f"Unknown loss of denoisers {self.loss!r}: expected {known}, or one of Keras."
                ) from error


@dataclass(frozen=True)
class Descriptor:
    """A descriptor and its training; the defaults are report A's improved one (section 5.2)."""

    name: str
    network: str = "l2net"  # in `hk.models`
    network_options: dict = field(default_factory=dict)
    optimizer: str = "Adam"  # in `hk.experiments.DESCRIPTOR_OPTIMIZERS`
    learning_rate: float | None = None
    cosine_decay: bool = False
    ema_momentum: float | None = None  # average the weights over steps; the log is without it
    loss: str = "HardNegativeTriplet"  # in `hk.losses`
    loss_options: dict = field(default_factory=dict)
    batch_class: str = "Pairs"  # in `hk.batches`
    batch_size: int = 128  # pairs or triplets per batch
    batch_options: dict = field(default_factory=dict)
    epochs: int = 50
    samples: int = 12_800  # pairs or triplets per epoch
    length_factor: int = 1  # multiplies the samples, at every scale
    kind: str = "clean"  # of the patches for training
    scored_on: str | None = None  # kind of the patches for scoring; None: the same
    scored_on_noisy_too: bool = False  # also score the same network on noisy patches
    denoiser: Denoiser | None = None  # makes the denoised patches
    init_from: "Descriptor | None" = None  # its trained weights are the initial weights
    end_to_end: bool = False  # also train the denoiser, by the descriptor's loss
    teacher: "Descriptor | None" = None  # its descriptors are targets, see `Distillation`
    reduced_dim: int | None = None  # at the end, reduce the descriptor by PCA to this dimension

    networks = "l2net", "tfeat", "hynet"
    optimizers = DESCRIPTOR_OPTIMIZERS
    scaled_by = "epochs", "descriptor_patches", "train_points", "test_sequences", "scored_side"

    def __post_init__(self):
        check_name(self.name)
        check_choice(self.network, self.networks, "network of descriptors")
        check_choice(self.optimizer, self.optimizers, "optimiser")
        check_choice(self.loss, DESCRIPTOR_LOSSES, "loss of descriptors")
        needed = DESCRIPTOR_LOSSES[self.loss]
        check_choice(self.batch_class, [needed], f"batch class for {self.loss}")
        for kind in (self.kind, self.scored_on or self.kind):
            check_choice(kind, ("clean", "noisy", "denoised"), "kind of patches")
        if self.denoiser is None and (self.end_to_end or "denoised" in (self.kind, self.scored_on)):
            raise UserError(f"{self.name} is trained or scored with a denoiser: set denoiser=.")
        if self.init_from and self.init_from.end_to_end:
            raise UserError(
                f"{self.name} has init_from={self.init_from.name!r}, which is a denoiser and a"
                " descriptor in one network: expected a descriptor alone."
            )
        if self.teacher and self.batch_class != "Pairs":
            raise UserError(f"{self.name} has a teacher: expected batches of Pairs.")
        if self.ema_momentum is not None and not 0 < self.ema_momentum < 1:
            raise UserError(f"{self.name} has ema_momentum={self.ema_momentum}: expected 0 to 1.")
        dim = self.network_options.get("dim", 128)
        if self.reduced_dim is not None and not 1 <= self.reduced_dim < dim:
            raise UserError(
                f"{self.name} has reduced_dim={self.reduced_dim}: expected 1 to {dim - 1}, less than"
                f" the {dim} of its network."
            )

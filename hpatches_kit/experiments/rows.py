"""What is trained in one row of a table: a denoiser or a descriptor, with all its settings, as data.

A row of one's own is one of these; `hk.reports`, `hk.models`, `hk.losses` and `hk.batches` have the names.

    mine = Descriptor("mine", loss="HybridSimilarity", optimizer="Nadam")
    hk.experiments.run(mine, "results/mine", data="photos", scale="quick")
"""

import hashlib
import json
import re
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import keras

from hpatches_kit import losses, reports
from hpatches_kit.datasets import KNOWN

OF_DESCRIPTORS = {  # losses, and the batches that each reads
    name: getattr(losses, name).batches
    for name in losses.__all__
    if hasattr(getattr(losses, name), "batches")
}
OF_DENOISERS = [name for name in losses.__all__ if name not in OF_DESCRIPTORS]
NARROWED = ("6-layer", "8-layer")  # report B's nets, whose decoders widen towards the full size


def _check(value, known, what):
    if value not in known:
        raise ValueError(f"Unknown {what} {value!r}: expected one of {', '.join(known)}.")


def _check_name(name):
    if not re.fullmatch(r"\w[\w.+-]*", name):
        raise ValueError(
            f"Name {name!r}: expected letters, digits, and any of . + - _ behind them."
        )


@dataclass(frozen=True)
class Denoiser:
    """A denoiser and its training; the defaults are report A's baseline (section 3.2)."""

    name: str
    network: str = "unet"  # of `hk.models`
    network_options: dict = field(default_factory=dict)
    optimizer: str = "SGD"  # of `hk.reports.DENOISER_OPTIMIZERS`
    rate: float | None = None  # instead of that optimiser's
    decay: bool = False  # the rate falls to 0 along a cosine
    loss: str = "mae"  # of Keras or `hk.losses`
    batch_size: int = 50
    batch_options: dict = field(default_factory=dict)  # of `hk.batches.NoisyClean`
    epochs: int = 50
    patches: int | None = 40_000  # an epoch, drawn anew in each; None for all there are
    validation: int | None = 30_000
    sequences: int | None = None  # report B: how many random ones to train on; one validates

    networks = "unet", "unet_plus_plus", "framing_unet"
    optimizers = reports.DENOISER_OPTIMIZERS
    scaled_by = ("epochs", "denoiser_patches", "validation")

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
    optimizer: str = "Adam"  # of `hk.reports.DESCRIPTOR_OPTIMIZERS`
    rate: float | None = None
    decay: bool = False
    loss: str = "HardMining"  # of `hk.losses`
    loss_options: dict = field(default_factory=dict)
    batches: str = "Pairs"  # of `hk.batches`
    size: int = 128  # pairs or triplets in a batch
    batch_options: dict = field(default_factory=dict)
    epochs: int = 50
    samples: int = 12_800  # pairs or triplets an epoch
    longer: int = 1  # times as many of them, at every scale
    patches: str = "clean"  # what it is trained on
    scored_on: str | None = None  # what it is scored on; None: the same
    denoiser: Denoiser | None = None  # makes the denoised patches
    start: "Descriptor | None" = None  # whose weights it begins with
    through: bool = False  # trained end to end: the gradient reaches the denoiser

    networks = "l2net", "tfeat", "hynet"
    optimizers = reports.DESCRIPTOR_OPTIMIZERS
    scaled_by = ("epochs", "descriptor_patches", "train_points", "test_points")

    def __post_init__(self):
        _check_name(self.name)
        _check(self.network, self.networks, "network of descriptors")
        _check(self.optimizer, self.optimizers, "optimiser")
        _check(self.loss, OF_DESCRIPTORS, "loss of descriptors")
        _check(self.batches, (OF_DESCRIPTORS[self.loss],), f"kind of batches for {self.loss}")
        for kind in (self.patches, self.scored_on or self.patches):
            _check(kind, ("clean", "noisy", "denoised"), "kind of patches")
        if self.denoiser is None and (self.through or "denoised" in (self.patches, self.scored_on)):
            raise ValueError(f"{self.name} needs a denoiser=: it is trained or scored with one.")
        if self.start and self.start.through:
            raise ValueError(f"{self.name} begins with two networks in one: expected a descriptor.")


@dataclass(frozen=True)
class Scale:
    """How long rows are trained and how much they are scored on; None leaves what the row says.

    At `quick`, rows of one table see the same number of patches, so that they can be compared.
    """

    name: str
    epochs: int | None = None
    denoiser_patches: int | None = None  # in all epochs together
    descriptor_patches: int | None = None
    validation: int | None = None
    train_points: int | None = None  # that descriptors learn from
    test_points: int | None = None  # that descriptors are scored on
    narrow: int = 1  # decoders of report B's deeper nets have this part of their filters

    def __post_init__(self):
        _check_name(self.name)


REPORT = Scale("report")
QUICK = Scale(
    "quick",
    epochs=5,
    denoiser_patches=5 * 4_096,  # whole batches of every size but report A's 50
    descriptor_patches=64_000,
    validation=1_600,
    train_points=3_000,
    test_points=1_000,
    narrow=8,
)
LONG = Scale(  # at which the weights that come with the kit were trained
    "long",
    epochs=20,
    denoiser_patches=640_000,
    descriptor_patches=640_000,
    validation=1_600,
    test_points=2_000,
    narrow=8,
)
SMOKE = Scale(
    "smoke",
    epochs=2,
    denoiser_patches=1_600,
    descriptor_patches=2_048,
    validation=200,
    train_points=200,
    test_points=100,
    narrow=64,
)
SCALES = {scale.name: scale for scale in (QUICK, LONG, REPORT, SMOKE)}


@dataclass(frozen=True)
class Run:
    """One row, on some data, at some scale, with one seed: what one folder holds.

    Data of one's own are known by their path: patches that change get another path, or their runs
    are deleted. Raises ValueError for data, a scale or a policy that does not exist.
    """

    row: Denoiser | Descriptor
    data: str
    scale: Scale | str
    seed: int
    policy: str = "float32"

    def __post_init__(self):
        def settle(name, value):
            object.__setattr__(self, name, value)  # the way of frozen dataclasses

        if isinstance(self.scale, str):
            _check(self.scale, SCALES, "scale")
            settle("scale", SCALES[self.scale])
        if self.data not in KNOWN:  # a path, whole: workers may have another working folder
            path = Path(self.data).expanduser().resolve()
            if not path.exists():
                known = ", ".join(KNOWN)
                raise ValueError(f"Unknown data {self.data!r}: expected a path, or one of {known}.")
            settle("data", str(path))
        keras.dtype_policies.get(self.policy)

    @property
    def needs(self):
        """The runs that have to be complete before this one."""
        parts = [getattr(self.row, part, None) for part in ("denoiser", "start")]
        return [replace(self, row=part) for part in parts if part]

    @property
    def settings(self):
        """What decides how it goes, in words that JSON knows; what is as it always was is left out."""
        row = {
            one.name: getattr(self.row, one.name)
            for one in fields(self.row)
            if one.name not in ("denoiser", "start") and one.name in _changed(self.row)
        }
        scale = {key: getattr(self.scale, key) for key in self.row.scaled_by}
        if narrowed(self.row):
            scale["narrow"] = self.scale.narrow
        settings = {
            "kind": type(self.row).__name__,
            "row": row,
            "needs": [need.folder for need in self.needs],
            "data": self.data,
            "scale": {key: value for key, value in scale.items() if value is not None},
            "seed": self.seed,
            "policy": self.policy,
        }
        return json.loads(json.dumps(settings))

    @property
    def folder(self):
        """Where it is kept: changed settings are another folder, so that nothing is lost."""
        text = json.dumps(self.settings, sort_keys=True)
        letters = hashlib.sha256(text.encode()).hexdigest()[:8]
        data = Path(self.data).name
        return f"{self.row.name}/{data}-{self.scale.name}-seed{self.seed}-{letters}"

    def __str__(self):
        return f"{self.row.name}, seed {self.seed}"


def in_order(runs):
    """Each run once, after those it needs."""
    found = {}

    def add(run):
        for need in run.needs:
            add(need)
        found.setdefault(run.folder, run)

    for run in runs:
        add(run)
    return list(found.values())


def narrowed(row):
    """Whether a scale may take filters from its decoder."""
    return row.network_options.get("preset") in NARROWED


def _changed(row):
    """The names of all settings of a row that differ from the defaults, and its name."""
    default = type(row)("default")
    return {"name"} | {
        one.name for one in fields(row) if getattr(row, one.name) != getattr(default, one.name)
    }

"""experiments.scales."""

from dataclasses import dataclass

from hpatches_kit.experiments.rows import _check_name


@dataclass(frozen=True)
class Scale:
    """How long rows are trained and how much they are scored on; None leaves what the row says.

    At `quick`, rows of one table see the same number of patches, so that they can be compared.
    """

    name: str
    epochs: int | None = None
    denoiser_patches: int | None = None  # in all epochs together
    descriptor_patches: int | None = None
    validation_patches: int | None = None
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
    validation_patches=1_600,
    train_points=3_000,
    test_points=1_000,
    narrow=8,
)


LONG = Scale(  # at which the weights that come with the kit were trained
    "long",
    epochs=20,
    denoiser_patches=640_000,
    descriptor_patches=640_000,
    validation_patches=1_600,
    test_points=2_000,
    narrow=8,
)


SMOKE = Scale(
    "smoke",
    epochs=2,
    denoiser_patches=1_600,
    descriptor_patches=2_048,
    validation_patches=200,
    train_points=200,
    test_points=100,
    narrow=64,
)


SCALES = {scale.name: scale for scale in (QUICK, LONG, REPORT, SMOKE)}

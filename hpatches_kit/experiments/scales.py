"""Scales: how long the rows are trained, and how many sequences they are scored on."""

from dataclasses import dataclass

from hpatches_kit.experiments.rows import check_choice, check_name


@dataclass(frozen=True)
class Scale:
    """Limits on training and scoring; None keeps the setting of the row.

    Patches are counted over all epochs, so that rows of one table see about the same number of patches.
    """

    name: str
    epochs: int | None = None
    denoiser_patches: int | None = None
    descriptor_patches: int | None = None
    validation_patches: int | None = None
    train_points: int | None = None  # this and the next one limit descriptors only
    test_sequences: int | None = None  # whole ones, because sparse points score too high
    scored_side: str | None = None  # `"validation"`, for choices; None: test

    def __post_init__(self):
        check_name(self.name)
        if self.scored_side is not None:
            check_choice(self.scored_side, ("validation",), "side for scores")


QUICK = Scale(
    "quick",
    epochs=5,
    denoiser_patches=5 * 2_048,  # whole batches of every size except 50
    descriptor_patches=5 * 30 * 2 * 128,  # 30 batches of 128 pairs per epoch
    validation_patches=1_600,
    train_points=2_000,
    test_sequences=3,
)
MEDIUM = Scale(  # of the pretrained networks without a GPU: hours of one core
    "medium",
    epochs=20,
    denoiser_patches=20 * 32_000,
    descriptor_patches=20 * 10_240,  # 40 batches of 128 pairs per epoch
    validation_patches=4_800,
)
LONG = Scale(  # of the pretrained networks, with a GPU
    "long",
    epochs=50,
    denoiser_patches=50 * 64_000,
    descriptor_patches=50 * 25_600,  # 100 batches of 128 pairs per epoch
    validation_patches=4_800,
)
SEARCH = Scale(  # to choose a recipe, which the test side must not do
    "search",
    epochs=10,
    denoiser_patches=10 * 3_200,
    descriptor_patches=10 * 16 * 2 * 128,  # 16 batches of 128 pairs per epoch
    validation_patches=4_800,
    test_sequences=2,
    scored_side="validation",
)
REPORT = Scale("report")  # epochs and sample sizes of the reports
SMOKE = Scale(  # for tests
    "smoke",
    epochs=2,
    denoiser_patches=640,
    descriptor_patches=2_048,
    validation_patches=100,
    train_points=200,
    test_sequences=2,
)
SCALES = {scale.name: scale for scale in (QUICK, MEDIUM, LONG, SEARCH, REPORT, SMOKE)}

"""Scales: how long the rows are trained, and how many sequences they are scored on."""

from dataclasses import dataclass

from hpatches_kit.experiments.rows import check_name


@dataclass(frozen=True)
class Scale:
    """Limits on training and scoring; None keeps the setting of the row.

    Patches are counted over all epochs, so that rows of one table see the same number of patches.
    """

    name: str
    epochs: int | None = None
    denoiser_patches: int | None = None
    descriptor_patches: int | None = None
    validation_patches: int | None = None
    train_points: int | None = None  # this and the next one limit descriptors only
    test_sequences: int | None = None  # whole ones, because sparse points score too high
    decoder_divisor: int = 1  # divides the filters of the wide decoders of report B

    def __post_init__(self):
        check_name(self.name)


QUICK = Scale(
    "quick",
    epochs=5,
    denoiser_patches=5 * 4_096,  # whole batches of every size except report A's 50
    descriptor_patches=64_000,
    validation_patches=1_600,
    train_points=3_000,
    test_sequences=4,
    decoder_divisor=8,
)
LONG = Scale(  # of the pretrained networks
    "long",
    epochs=20,
    denoiser_patches=640_000,
    descriptor_patches=640_000,
    validation_patches=1_600,
    decoder_divisor=8,
)
REPORT = Scale("report")  # epochs and sample sizes of the reports
SMOKE = Scale(  # for tests
    "smoke",
    epochs=2,
    denoiser_patches=1_600,
    descriptor_patches=2_048,
    validation_patches=200,
    train_points=200,
    test_sequences=2,
    decoder_divisor=64,
)
SCALES = {scale.name: scale for scale in (QUICK, LONG, REPORT, SMOKE)}

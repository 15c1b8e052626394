"""The smallest rows that can be trained, for tests of runs and tables."""

from dataclasses import replace

from hpatches_kit.experiments import Denoiser, Descriptor, Scale

TINY = Scale(
    "tiny",
    epochs=2,
    denoiser_patches=200,
    descriptor_patches=96,
    validation_patches=50,
    train_points=20,
    test_sequences=2,
)
FILTERS = {"encoder": (2, 2), "decoder": (2,), "residual": True}
UNET = Denoiser("tiny-unet", network_options=FILTERS, optimizer="Adam")
HARDNET = {"margin": 1.0, "negative": "minimum"}
TFEAT = Descriptor("tiny-tfeat", network="tfeat", loss_options=HARDNET, batch_size=8, kind="noisy")
DENOISED_TFEAT = replace(TFEAT, kind="denoised", denoiser=UNET)

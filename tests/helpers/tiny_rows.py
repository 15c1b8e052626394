"""The smallest rows that train, for tests of what is done with rows."""

from hpatches_kit.experiments import Denoiser, Descriptor, Scale

TINY = Scale(
    "tiny",
    epochs=2,
    denoiser_patches=200,
    descriptor_patches=96,
    validation_patches=50,
    train_points=20,
    test_points=12,
    narrow=64,
)
NET = {"encoder": (2, 2), "decoder": (2,), "residual": True}
UNET = Denoiser("tiny-unet", network_options=NET, optimizer="Adam")
HARDNET = {"margin": 1.0, "negative": "minimum"}
FLAT = Descriptor("tiny-tfeat", network="tfeat", loss_options=HARDNET, batch_size=8, kind="noisy")

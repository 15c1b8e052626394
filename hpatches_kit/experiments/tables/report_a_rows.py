"""Rows of report A: a U-Net trains for 50 epochs, or with Adam for 25, and an L2-Net for 50."""

from dataclasses import replace

from hpatches_kit.experiments.report_settings import PERCENTILES
from hpatches_kit.experiments.rows import Denoiser, Descriptor

A_SHALLOW = Denoiser("a-shallow-sgd")
A_SHALLOW_ADAM = Denoiser("a-shallow-adam", optimizer="Adam", epochs=25)
A_DEEP_ADAM = Denoiser(
    "a-deep-adam", network_options={"preset": "deep"}, optimizer="Adam", epochs=25
)
A_DEEP_SGD = replace(A_DEEP_ADAM, name="a-deep-sgd", optimizer="SGD")
A_DEEP_SGD_SLOWER = replace(A_DEEP_SGD, name="a-deep-sgd-slower", learning_rate=3e-6)
A_DEEPER_ADAM = replace(A_DEEP_ADAM, name="a-deeper-adam", network_options={"preset": "deeper"})

A_BASELINE = Descriptor(
    "a-baseline-clean",
    network_options={"normalise": False},
    optimizer="SGD",
    loss="TripletMargin",
    batch_class="Triplets",
    batch_size=50,
    samples=100_000,
)
A_BASELINE_DENOISED = replace(
    A_BASELINE, name="a-baseline-denoised", kind="denoised", denoiser=A_SHALLOW
)
A_CLEAN = Descriptor("a-improved-clean")
A_DENOISED = replace(A_CLEAN, name="a-improved-denoised", kind="denoised", denoiser=A_DEEP_ADAM)
A_NOISY = replace(A_CLEAN, name="a-improved-noisy", kind="noisy")
A_TUNED = replace(A_DENOISED, name="a-fine-tuned", init_from=A_CLEAN)
A_LONGER = replace(  # sees as many patches as A_TUNED
    A_DENOISED, name="a-improved-denoised-twice", length_factor=2
)
A_PERCENTILES = {
    q: replace(A_CLEAN, name=f"a-percentile-{q}", loss_options={"percentile": q}) if q else A_CLEAN
    for q in PERCENTILES
}

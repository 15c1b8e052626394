"""Rows of report B: 20 epochs; 3 random sequences train a U-Net, 1 validates it."""

from dataclasses import replace

from hpatches_kit.experiments.report_settings import (
    BATCH_SIZES,
    DENOISER_OPTIMIZERS,
    DESCRIPTOR_OPTIMIZERS,
    INITIALIZERS,
)
from hpatches_kit.experiments.rows import Denoiser
from hpatches_kit.experiments.tables.report_a_rows import A_BASELINE

B_UNET = Denoiser(
    "b-unet-sgd", epochs=20, patches_per_epoch=None, validation_patches=None, sequences=3
)
B_UNETS = {
    name: replace(B_UNET, name=f"b-unet-{name.lower()}", optimizer=name)
    for name in DENOISER_OPTIMIZERS
}
B_DEPTHS = {
    name: replace(B_UNET, name=f"b-unet-{name}", network_options={"preset": name})
    for name in ("6-layer", "6-layer-wide", "8-layer")
}
B_FINAL_UNET = replace(
    B_DEPTHS["8-layer"],
    name="b-final-unet",
    network_options={"preset": "8-layer", "kernel_initializer": "lecun_uniform"},
    optimizer="Nadam",
    batch_size=32,
)
B_L2NET = replace(A_BASELINE, name="b-l2net-sgd", epochs=20, kind="denoised", denoiser=B_UNET)
B_L2NETS = {
    name: replace(B_L2NET, name=f"b-l2net-{name.lower()}", optimizer=name)
    for name in DESCRIPTOR_OPTIMIZERS
}
B_L2NET_CLEAN = replace(B_L2NET, name="b-l2net-clean", kind="clean", scored_on="denoised")
B_FINAL_L2NET = replace(
    B_L2NET,
    name="b-final-l2net",
    optimizer="Adamax",
    network_options={"normalise": False, "kernel_initializer": "glorot_uniform"},
    denoiser=B_FINAL_UNET,
)
# What of the final model makes it better: its denoiser alone, and with its optimiser.
B_FINAL_DENOISER = replace(B_L2NET, name="b-final-denoiser", denoiser=B_FINAL_UNET)
B_FINAL_ADAMAX = replace(B_FINAL_DENOISER, name="b-final-denoiser-adamax", optimizer="Adamax")
# The report tuned the learning rates of Adam and Nadam upwards, and gives no numbers.
B_TUNED = {
    f"{name}, learning rate {rate}": replace(
        B_L2NETS[name], name=f"b-l2net-{name.lower()}-{rate}", learning_rate=rate
    )
    for name in ("Adam", "Nadam")
    for rate in (0.003, 0.01)
}


def with_initializers(row, names):
    """`{name: row}`: the row, which has He normal, and a copy with each of these initialisers."""
    rows = {"He normal": row}
    for name in names:
        initializer = INITIALIZERS[name]
        options = {**row.network_options, "kernel_initializer": initializer}
        rows[name] = replace(row, name=f"{row.name}-{initializer}", network_options=options)
    return rows


B_INITIALIZERS = "LeCun uniform", "Xavier normal", "Orthogonal"
B_BATCHES = {
    size: B_UNET if size == 50 else replace(B_UNET, name=f"b-unet-batch-{size}", batch_size=size)
    for size in BATCH_SIZES
}

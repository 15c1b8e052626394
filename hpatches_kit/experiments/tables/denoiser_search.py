"""The search for the shipped denoiser: the noise map, and another network of about the same cost."""

from dataclasses import replace

from hpatches_kit.experiments.tables.recipe import RECIPE_UNET
from hpatches_kit.experiments.tables.table import Table, better

NAFNET = replace(RECIPE_UNET, name="search-nafnet", network="nafnet", network_options={})


def _with_noise_map(row, name):
    return replace(row, name=name, network_options=row.network_options | {"noise_map": True})


TABLES = {
    "denoiser-search": Table(
        "the denoiser: noise map and network",
        {
            "Validation PSNR": ("val_psnr", 1),
            "Validation MAE": ("val_mae", 1),
            "Parameters": ("parameters", 1),
            "Core-seconds": ("core_seconds", 1),
        },
        {
            "U-Net": RECIPE_UNET,
            "U-Net, noise map": _with_noise_map(RECIPE_UNET, "search-unet-map"),
            "NAFNet": NAFNET,
            "NAFNet, noise map": _with_noise_map(NAFNET, "search-nafnet-map"),
        },
        {},
        [
            better(text, row, than, ("Validation PSNR",))
            for text, row, than in (
                ("the U-Net is better with a noise map", "U-Net, noise map", "U-Net"),
                ("NAFNet is better with a noise map", "NAFNet, noise map", "NAFNet"),
                ("NAFNet is better than the U-Net", "NAFNet", "U-Net"),
            )
        ],
        note="For `--scale search`, 32,000 patches a row. All rows predict the noise and subtract it."
        " With a noise map the network is told the sigma of the noise, which nobody knows for a"
        " photograph of one's own.",
    ),
}

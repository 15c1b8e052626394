"""Rows of the pretrained descriptors: the base of the recipe search without dropout."""

from dataclasses import replace

from hpatches_kit.experiments.tables.recipe import RECIPE_UNET
from hpatches_kit.experiments.tables.recipe_search import SEARCH_BASE

PRETRAINED_DESCRIPTOR = replace(
    SEARCH_BASE,
    name="pretrained-descriptor",
    network_options=SEARCH_BASE.network_options | {"dropout": 0.0},
    length_factor=4,
)
PRETRAINED_NOISY = replace(
    PRETRAINED_DESCRIPTOR,
    name="pretrained-noisy-descriptor",
    kind="noisy",
    batch_options={"fresh_noise": True},  # of N-HPatches, as for the denoiser
    scored_on_noisy_too=False,  # it is scored on noisy patches anyway
    denoiser=RECIPE_UNET,
    init_from=PRETRAINED_DESCRIPTOR,
    end_to_end=True,
    length_factor=1,
)

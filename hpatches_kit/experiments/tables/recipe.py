"""The recipe: the best settings of the notebooks, with as many patches as report A's rows."""

from dataclasses import replace

from hpatches_kit.benchmark.task_names import TASKS
from hpatches_kit.experiments.rows import Denoiser, Descriptor
from hpatches_kit.experiments.tables.report_a_rows import A_CLEAN, A_DENOISED, A_NOISY, A_TUNED
from hpatches_kit.experiments.tables.report_b_rows import B_FINAL_L2NET
from hpatches_kit.experiments.tables.table import Table, better, score_columns

RECIPE_UNET = Denoiser(
    "recipe-unet",
    network_options={"encoder": (32, 64, 128, 256), "decoder": (128, 64, 32), "residual": True},
    optimizer="Adam",
    cosine_decay=True,
    batch_size=32,
    batch_options={"augment": True, "fresh_noise": True},
    epochs=25,
)
RECIPE_CLEAN = Descriptor(
    "recipe-clean",
    network_options={"standardise": True, "affine": False, "final_batch_norm": True},
    learning_rate=2e-3,
    cosine_decay=True,
    loss_options={"margin": 1.0, "negative": "minimum"},
)
RECIPE_AUGMENTED = replace(
    RECIPE_CLEAN, name="recipe-clean-augmented", batch_options={"augment": True}
)
RECIPE_NOISY = replace(
    RECIPE_CLEAN, name="recipe-noisy", kind="noisy", denoiser=RECIPE_UNET, end_to_end=True
)
RECIPE_TUNED = replace(RECIPE_NOISY, name="recipe-clean-then-noisy", init_from=RECIPE_CLEAN)

TABLES = {
    "recipe": Table(
        "one recipe against the best rows of both reports",
        score_columns(*TASKS),
        {
            "A: improved, clean": A_CLEAN,
            "A: improved, noisy": A_NOISY,
            "A: improved, denoised": A_DENOISED,
            "A: clean then denoised": A_TUNED,
            "B: final model": B_FINAL_L2NET,
            "Recipe, clean": RECIPE_CLEAN,
            "Recipe, clean, flips and rotations": RECIPE_AUGMENTED,
            "Recipe, noisy": RECIPE_NOISY,
            "Recipe, clean then noisy": RECIPE_TUNED,
        },
        {},
        [
            better("the recipe is better on clean patches", "Recipe, clean", "A: improved, clean"),
            *(
                better(f"the recipe for noisy patches is better than {row}", "Recipe, noisy", row)
                for row in ("A: improved, noisy", "A: improved, denoised", "B: final model")
            ),
            better(
                "clean first, then noisy, it is better than A: clean then denoised",
                "Recipe, clean then noisy",
                "A: clean then denoised",
            ),
            better(
                "the recipe is better without flips and rotations",
                "Recipe, clean",
                "Recipe, clean, flips and rotations",
            ),
        ],
        note="The recipe's settings were chosen in version 0.1, on photographs of which three are"
        " test photographs now; nothing was chosen by the real sequences. Rows with a"
        " denoiser also use the patches that trained it; A: improved, noisy has none. Rows with `then`"
        " see twice as many patches as the others: compare them with each other.",
    ),
}

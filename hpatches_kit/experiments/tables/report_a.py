"""Tables 1 and 2 and figure 3 of report A."""

from dataclasses import replace

from hpatches_kit.benchmark.task_names import TASKS
from hpatches_kit.experiments.report_settings import PERCENTILES
from hpatches_kit.experiments.rows import Denoiser, Descriptor
from hpatches_kit.experiments.tables.table import Claim, Table, score_columns

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

PSNR = ("Validation PSNR",)

TABLES = {
    "A-table-1": Table(
        "denoising, by architecture and optimiser",
        {"Validation PSNR": ("val_psnr", 1)},
        {
            "Baseline": A_SHALLOW,
            "Baseline + Adam": A_SHALLOW_ADAM,
            "Deep U-Net + SGD": A_DEEP_SGD,
            "Deep U-Net + SGD, slower": A_DEEP_SGD_SLOWER,
            "Deep U-Net + Adam": A_DEEP_ADAM,
            "Deeper U-Net + Adam": A_DEEPER_ADAM,
        },
        {
            "Baseline": (30.5,),
            "Baseline + Adam": (32.16,),
            "Deep U-Net + SGD": (30.73,),
            "Deep U-Net + Adam": (32.32,),
            "Deeper U-Net + Adam": (32.47,),
        },
        [
            Claim("Adam is better than SGD", "Baseline + Adam", "Baseline", PSNR),
            Claim("... of the deep net, too", "Deep U-Net + Adam", "Deep U-Net + SGD", PSNR),
            Claim(
                "the deep net is better than the shallow one, with SGD",
                "Deep U-Net + SGD",
                "Baseline",
                PSNR,
            ),
            Claim("... and with Adam", "Deep U-Net + Adam", "Baseline + Adam", PSNR),
            Claim(
                "the deeper net is better still", "Deeper U-Net + Adam", "Deep U-Net + Adam", PSNR
            ),
            Claim(
                "SGD teaches the deep net more at a third of the rate (not in the report)",
                "Deep U-Net + SGD, slower",
                "Deep U-Net + SGD",
                PSNR,
            ),
        ],
        note="The report drew one sample of 40,000 patches for all epochs; here each epoch draws"
        " its own. SGD has Nesterov momentum here; the report does not mention it. The deep net"
        " has 3.8 million parameters, by the report's own list of layers. The report does not list"
        " the layers of the deeper net; here it has one more level.",
    ),
    "A-table-2": Table(
        "description, by patches",
        score_columns(*TASKS),
        {
            "Baseline, clean": A_BASELINE,
            "Baseline, denoised": A_BASELINE_DENOISED,
            "Improved, clean": A_CLEAN,
            "Improved, denoised": A_DENOISED,
            "Improved, noisy": A_NOISY,
            "Improved, clean then denoised": A_TUNED,
            "Improved, denoised, twice as long": A_LONGER,
        },
        {
            "Baseline, clean": (0.857, 0.341, 0.662),
            "Baseline, denoised": (0.829, 0.251, 0.561),
            "Improved, clean": (0.913, 0.509, 0.758),
            "Improved, denoised": (0.860, 0.344, 0.620),
            "Improved, noisy": (0.851, 0.342, 0.607),
            "Improved, clean then denoised": (0.863, 0.346, 0.624),
        },
        [
            Claim(
                "hard mining is better than random triplets, on clean patches",
                "Improved, clean",
                "Baseline, clean",
            ),
            Claim("... and on denoised ones", "Improved, denoised", "Baseline, denoised"),
            Claim(
                "clean patches are easier than denoised ones",
                "Improved, clean",
                "Improved, denoised",
            ),
            Claim(
                "noisy and denoised patches are alike, within 0.02",
                "Improved, denoised",
                "Improved, noisy",
                within=0.02,
            ),
            Claim(
                "clean patches are easier than denoised ones for the baseline, too",
                "Baseline, clean",
                "Baseline, denoised",
            ),
            Claim(
                "clean first, then denoised is slightly better than denoised alone",
                "Improved, clean then denoised",
                "Improved, denoised",
            ),
            Claim(
                "... and than denoised for as long (not in the report)",
                "Improved, clean then denoised",
                "Improved, denoised, twice as long",
            ),
        ],
        note="The report does not say which U-Net made its denoised patches: here it is the deep"
        " one with Adam for the improved rows, and the baseline for the baseline rows. The last"
        " two rows see twice as many patches. In the baseline that the report was given, test"
        " photographs were also trained on; in its own rows, and in all rows here, they were not.",
    ),
    "A-figure-3": Table(
        "description, by percentile of the negatives",
        score_columns(*TASKS),
        {f"q = {q}": row for q, row in A_PERCENTILES.items()},
        {},
        [
            Claim(f"q = 0 is better than q = {q}", "q = 0", f"q = {q}", ("Matching", "Retrieval"))
            for q in PERCENTILES[1:]
        ],
        note="The report shows a figure without numbers.",
    ),
}

"""Beyond the reports: the effect of mining alone, and what report B proposes in section 5."""

from dataclasses import replace

from hpatches_kit.benchmark.task_names import TASKS
from hpatches_kit.experiments.tables.report_a_rows import A_CLEAN
from hpatches_kit.experiments.tables.report_b_rows import B_L2NET, B_UNETS
from hpatches_kit.experiments.tables.table import Table, better, score_columns

MARGINS = ((0.01, "average"), (1.0, "average"), (1.0, "minimum"))


def _mining(loss, margin, negative):
    name = f"{'hard' if loss == 'HardNegativeTriplet' else 'random'}-{margin:g}-{negative}"
    return replace(
        A_CLEAN, name=name, loss=loss, loss_options={"margin": margin, "negative": negative}
    )


RANDOM = {settings: _mining("RandomNegativeTriplet", *settings) for settings in MARGINS}
HARD = {
    settings: _mining("HardNegativeTriplet", *settings) if settings[0] == 1.0 else A_CLEAN
    for settings in MARGINS
}
LABELS = {settings: f"margin {settings[0]:g}, {settings[1]}" for settings in MARGINS}
HARDNET = HARD[1.0, "minimum"]
UNET = B_UNETS["Adam"]

LOSSES = {
    "HardNet": HARDNET,
    "SOSNet without second-order term": replace(
        A_CLEAN, name="sosnet-loss-first-order", loss="SOSNetLoss", loss_options={"weight": 0.0}
    ),
    "SOSNet": replace(A_CLEAN, name="sosnet-loss", loss="SOSNetLoss"),
    "HyNet without regulariser": replace(A_CLEAN, name="hynet-loss-alone", loss="HyNetLoss"),
    "HyNet": replace(
        A_CLEAN, name="hynet-loss", loss="HyNetLoss", network_options={"norm_regularizer": 0.1}
    ),
}
FINAL_BATCH_NORM = ", final batch normalisation"


def with_final_batch_norm(rows):
    """The same rows with batch normalisation after the last convolution."""
    return {
        label: replace(
            row,
            name=f"{row.name}-batch-norm",
            network_options={**row.network_options, "final_batch_norm": True},
        )
        for label, row in rows.items()
    }


TABLES = {
    "beyond-mining": Table(
        "hard and random negatives of the same batch, with the same margin and combination",
        score_columns(*TASKS),
        {
            f"{mining}, {LABELS[settings]}": rows[settings]
            for settings in MARGINS
            for mining, rows in (("Random", RANDOM), ("Hard", HARD))
        },
        {},
        [
            better(
                f"hard negatives are better than random ones: {label}",
                f"Hard, {label}",
                f"Random, {label}",
            )
            for label in LABELS.values()
        ]
        + [
            better(
                "with hard negatives, a margin of 1 is better than 0.01",
                "Hard, margin 1, average",
                "Hard, margin 0.01, average",
            ),
            better(
                "... and the minimum of two hard negatives is better than their average",
                "Hard, margin 1, minimum",
                "Hard, margin 1, average",
            ),
        ],
        note="All rows are report A's improved descriptor on clean patches; within a pair of rows,"
        " only the choice of the negatives differs. Each pair of patches has one random negative"
        " of its batch for the anchor and one for the positive, or the hardest ones.",
    ),
    "beyond-B": Table(
        "report B, section 5: anchor swapping",
        score_columns(*TASKS),
        {
            "Report B's baseline": B_L2NET,
            "... anchor swapping as report B describes it": replace(
                B_L2NET,
                name="b-l2net-anchor-swap",
                loss="AnchorSwapTriplet",
                batch_class="Pairs",
                batch_size=76,  # 152 patches per batch; 50 triplets are 150
                samples=150_000,  # as many patches as in 100,000 triplets
            ),
            "... anchor swapping, BMVC 2016": replace(
                B_L2NET, name="b-l2net-swap", loss_options={"swap": True}
            ),
        },
        {},
        [
            better(
                "anchor swapping as report B describes it helps",
                "... anchor swapping as report B describes it",
                "Report B's baseline",
            ),
            better(
                "anchor swapping as in BMVC 2016 helps",
                "... anchor swapping, BMVC 2016",
                "Report B's baseline",
            ),
        ],
        note="The report proposes it and did not try it. The rows are report B's baseline on"
        " denoised patches. Report B's anchor swapping makes two triplets of four patches: from as"
        " many patches as the baseline it has 1.5 times as many triplets.",
    ),
    "beyond-B-losses": Table(
        "report B, section 5: other losses",
        score_columns(*TASKS),
        {
            f"{loss}{end}": row
            for end, rows in (("", LOSSES), (FINAL_BATCH_NORM, with_final_batch_norm(LOSSES)))
            for loss, row in rows.items()
        },
        {},
        [
            better(f"{name}{end}", f"{row}{end}", f"{other}{end}")
            for end in ("", FINAL_BATCH_NORM)
            for name, row, other in (
                ("SOSNet's second-order term helps", "SOSNet", "SOSNet without second-order term"),
                ("HyNet's regulariser helps", "HyNet", "HyNet without regulariser"),
                ("SOSNet's loss is better than HardNet's", "SOSNet", "HardNet"),
                ("HyNet's loss is better than HardNet's", "HyNet", "HardNet"),
            )
        ]
        + [
            better(
                f"final batch normalisation helps with {loss}'s loss",
                f"{loss}{FINAL_BATCH_NORM}",
                loss,
            )
            for loss in ("HardNet", "SOSNet", "HyNet")
        ],
        note="The report proposes other losses, names none and did not try them. All rows are"
        " report A's improved descriptor on clean patches, and differ in the loss, with the margin"
        " of its paper, and where it says so in the last layer: HardNet, SOSNet and HyNet end with"
        " batch normalisation, the reports' L2-Net does not.",
    ),
    "beyond-B-denoisers": Table(
        "report B, section 5: other U-Nets",
        {
            "MAE": ("mae", 1),
            "Validation MAE": ("val_mae", 1),
            "Parameters": ("parameters", 1),
            "Core-seconds": ("core_seconds", 1),
        },
        {
            "U-Net": UNET,
            "U-Net, 8 layers": replace(
                UNET, name="b-unet-8-layer-adam", network_options={"preset": "8-layer"}
            ),
            "U-Net++": replace(UNET, name="b-unet-plus-plus", network="unet_plus_plus"),
            "Framing U-Net": replace(UNET, name="b-framing-unet", network="framing_unet"),
        },
        {},
        [
            better(
                f"{name} is better than a U-Net of about its size",
                name,
                "U-Net, 8 layers",
                ("Validation MAE",),
            )
            for name in ("U-Net++", "Framing U-Net")
        ],
        note="The report proposes these and did not try them. All rows are trained like its U-Net"
        " with Adam, on three random sequences. U-Net++ has four levels, as the U-Net"
        " with 8 layers; Framing U-Net has three. Core-seconds are the processor time of all"
        " epochs.",
    ),
}

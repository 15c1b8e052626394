"""Tables 1, 3, 5, 6 and 8 of report B: U-Nets."""

from hpatches_kit.experiments.tables.report_b_rows import (
    B_BATCHES,
    B_DEPTHS,
    B_INITIALIZERS,
    B_UNET,
    B_UNETS,
    with_initializers,
)
from hpatches_kit.experiments.tables.table import (
    Table,
    better,
    improves,
)

BASELINE_TWICE = (
    "The report has two results of its baseline: 5.40 and 7.83 in tables 1 and 3, 5.52 and 7.95 in"
    " tables 6 and 8."
)
NOT_REPORTED = float("nan")
ERRORS = {"MAE": ("mae", 1), "Validation MAE": ("val_mae", 1)}
EPOCHS = {
    f"{label}, {when}": (key, fraction)
    for when, fraction in (("first epoch", 0), ("half way", 0.5), ("last epoch", 1))
    for label, (key, _) in ERRORS.items()
}

TABLES = {
    "B-table-1": Table(
        "the baseline denoiser",
        {name: key for name, key in EPOCHS.items() if "half" not in name},
        {"Baseline U-Net": B_UNET},
        {"Baseline U-Net": (10.4112, 9.9026, 5.4023, 7.8345)},
        [
            improves(
                "the training error falls from the first to the last epoch",
                "Baseline U-Net",
                "MAE, last epoch",
                "MAE, first epoch",
            ),
            improves(
                "no overfitting: the validation error falls from the first to the last epoch",
                "Baseline U-Net",
                "Validation MAE, last epoch",
                "Validation MAE, first epoch",
            ),
        ],
        note=BASELINE_TWICE,
    ),
    "B-table-3": Table(
        "optimisers of the U-Net",
        ERRORS,
        {"Nesterov SGD": B_UNET, **{name: row for name, row in B_UNETS.items() if name != "SGD"}},
        {
            "Nesterov SGD": (5.4023, 7.8345),
            "RMSProp": (5.9342, 5.0569),
            "Adamax": (5.1239, 4.7734),
            "Adam": (5.0137, 4.4422),
            "Nadam": (5.19, 3.9239),
        },
        [
            better(f"{name} is better than SGD", name, "Nesterov SGD", ("Validation MAE",))
            for name in ("RMSProp", "Adamax", "Adam", "Nadam")
        ]
        + [
            better(f"Nadam is better than {name}", "Nadam", name, ("Validation MAE",))
            for name in ("RMSProp", "Adamax", "Adam")
        ]
        + [better("Adam is better than RMSProp", "Adam", "RMSProp", ("Validation MAE",))],
        note=f"{BASELINE_TWICE} It gives no numbers for Adadelta.",
    ),
    "B-table-5": Table(
        "depth of the U-Net",
        EPOCHS,
        {
            "Baseline": B_UNET,
            "2 additional layers": B_DEPTHS["6-layer"],
            "2 additional layers, wide": B_DEPTHS["6-layer-wide"],
            "4 additional layers": B_DEPTHS["8-layer"],
        },
        {
            "Baseline": (10.4112, 9.9026, NOT_REPORTED, NOT_REPORTED, 5.4023, 7.8345),
            "2 additional layers": (10.0617, 6.2488, 7.0368, 6.0642, 6.3434, 5.1044),
            "4 additional layers": (9.8688, 6.0589, 6.3544, 5.1031, 6.1205, 4.9463),
        },
        [
            better(
                "two additional layers are better than none",
                "2 additional layers",
                "Baseline",
                ("Validation MAE, last epoch",),
            ),
            better(
                "four additional layers are better than two",
                "4 additional layers",
                "2 additional layers",
                ("MAE, last epoch", "Validation MAE, last epoch"),
            ),
            better(
                "a decoder that widens towards the full size is better (not in the report)",
                "2 additional layers, wide",
                "2 additional layers",
                ("Validation MAE, last epoch",),
            ),
        ],
        note="The report gives no filters. Our reading is a decoder that mirrors the encoder, with"
        " four times its filters at each level, as in the baseline: 320,193 and 1,361,217"
        " parameters, the baseline 59,777. The wide decoder doubles its filters with each step up:"
        " 1,001,217 parameters. The numbers of the baseline are those of table 1.",
    ),
    "B-table-6": Table(
        "initialisers of the U-Net",
        ERRORS,
        with_initializers(B_UNET, B_INITIALIZERS),
        {
            "He normal": (5.5203, 7.9548),
            "LeCun uniform": (6.0254, 4.4490),
            "Xavier normal": (6.5736, 5.3054),
            "Orthogonal": (6.5274, 5.2632),
        },
        [
            claim
            for name in B_INITIALIZERS
            for claim in (
                better(
                    f"{name} is better than He normal on validation patches",
                    name,
                    "He normal",
                    ("Validation MAE",),
                ),
                better(
                    f"He normal is better than {name} on training patches",
                    "He normal",
                    name,
                    ("MAE",),
                ),
            )
        ],
        note=BASELINE_TWICE,
    ),
    "B-table-8": Table(
        "batch sizes of the U-Net",
        ERRORS,
        {f"Batch of {size}": row for size, row in B_BATCHES.items()},
        {
            "Batch of 32": (5.8123, 4.7206),
            "Batch of 50": (5.5203, 7.9548),
            "Batch of 128": (6.4137, 5.2803),
            "Batch of 512": (8.4627, 6.2543),
            "Batch of 2048": (9.1573, 10.2080),
        },
        [
            better(
                "smaller batches are better: 32 before 128",
                "Batch of 32",
                "Batch of 128",
                tuple(ERRORS),
            ),
            better(
                "smaller batches are better: 128 before 512",
                "Batch of 128",
                "Batch of 512",
                tuple(ERRORS),
            ),
            better(
                "smaller batches are better: 512 before 2048",
                "Batch of 512",
                "Batch of 2048",
                tuple(ERRORS),
            ),
        ],
        note=f"{BASELINE_TWICE} Its result for 50, which its text does not mention, does not fit"
        " the order. All rows see about the same number of patches, so smaller batches take more"
        " steps.",
    ),
}

"""Figures of a training."""

import matplotlib.pyplot as plt
import numpy as np

from hpatches_kit.plots.patches import closed


def curves(histories, quantities=("loss",), labels=None):
    """Training and validation curves, one panel a quantity, one colour a run.

    Args:
        histories: a Keras `History`, what `hk.training_log` reads, or a dictionary of lists by name; or several of
            them by label.
        quantities: names as in `history.history`; `val_` curves are drawn solid beside them.
        labels: axis labels by quantity.
    """
    several = isinstance(histories, dict) and not isinstance(next(iter(histories.values())), list)
    histories = histories if several else {"": histories}
    labels = {"loss": "loss", "psnr": "PSNR in dB"} | (labels or {})
    figure, axes = plt.subplots(
        1,
        len(quantities),
        figsize=(4.6 * len(quantities), 3.2),
        squeeze=False,
        layout="constrained",
    )
    for axis, quantity in zip(axes[0], quantities):
        for colour, (run, history) in zip(
            plt.rcParams["axes.prop_cycle"].by_key()["color"], histories.items()
        ):
            for key, style, side in (
                (quantity, "--", "train"),
                (f"val_{quantity}", "-", "validation"),
            ):
                numbers = getattr(history, "history", history)
                if key in numbers:
                    values = numbers[key]
                    epochs = np.arange(1, len(values) + 1)
                    axis.plot(
                        epochs,
                        values,
                        style,
                        marker="o",
                        ms=3,
                        color=colour,
                        label=f"{run} {side}".strip(),
                    )
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set(xlabel="epoch", ylabel=labels.get(quantity, quantity))
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
    return closed(figure)

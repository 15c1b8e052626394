"""Figures of whole images, and of how scores fall from easy to tough."""

from hpatches_kit._support.escaping import figure_text
from hpatches_kit.patches.views import LEVELS
from hpatches_kit.plots import style


def images(pictures, columns=5):
    """Draw grey images in a grid.

    Args:
        pictures: `{title: image}`, each `(height, width)`, grey levels 0..255.
        columns: images per row.
    """
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    height, width = next(iter(pictures.values())).shape
    size = 2.5 * columns, (2.5 * height / width + 0.35) * rows
    figure, axes = style.axes_grid(rows, columns, size)
    for axis in axes.flat:
        axis.axis("off")
    for axis, (title, image) in zip(axes.flat, pictures.items()):
        axis.imshow(image, **style.GREY)
        axis.set_title(figure_text(title), fontsize=9)
    return style.finish(figure)


def levels(scores, ylabel="matching mAP"):
    """Draw scores by level, one panel per descriptor: do two test sets agree?

    `scores` is `{descriptor: {test set: (easy, hard, tough)}}`.
    """
    figure, axes = style.axes_grid(1, len(scores), (3.2 * len(scores), 3), sharey=True)
    for axis, (descriptor, sets) in zip(axes[0], scores.items()):
        for (name, values), colour, marker in zip(
            sets.items(), style.RUN_COLOURS, style.RUN_MARKERS
        ):
            axis.plot(list(LEVELS.values()), values, color=colour, marker=marker, label=name)
        axis.set(title=descriptor, ylim=(0, 1))
        axis.grid(alpha=0.3)
    axes[0, 0].set_ylabel(ylabel)
    axes[0, 0].legend(fontsize=8)
    return style.finish(figure)

"""Data by name or by folder: `load("mini")`."""

from pathlib import Path

from hpatches_kit import hpatches, mini
from hpatches_kit.files import data_home
from hpatches_kit.patches import META, PatchSet, cached


def load(name, folder=None):
    """Open a data set; the first time it is built and cached, later it opens at once.

    Args:
        name: `"mini"` (built-in photographs, over 7,000 points), `"photos"` (the same photographs,
            over 20,000 points), or a path: a folder that `PatchSet.save` wrote, or one in the
            HPatches or N-HPatches layout.
        folder: where the built-in data is cached. Default: `data/` of a checkout, or the user's
            cache folder, or `$HPATCHES_KIT_DATA`.

    Returns:
        A `PatchSet`; `load("mini").split()` gives train and test.
    """
    if name in mini.RECIPES:
        home = Path(folder) if folder else data_home()
        return cached(home / name, lambda: mini.build(mini.RECIPES[name]), **mini.about(name))
    path = Path(name).expanduser()
    if (path / META).exists():
        return PatchSet.open(path)
    if path.is_dir():
        return hpatches.read(path)
    raise ValueError(
        f"Unknown data set {str(name)!r}: expected {', '.join(map(repr, mini.RECIPES))} or the path"
        " of a folder with patches."
    )

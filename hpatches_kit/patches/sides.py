"""The three sides of a split: fit on train, choose by validation, report test."""

from hpatches_kit._support.errors import UserError

SIDES = ("train", "validation", "test")


def check_splits(splits, where):
    """Raise UserError unless splits, read from a file, are `{split: {side: [names]}}`."""
    is_valid = isinstance(splits, dict) and all(
        isinstance(sides, dict)
        and all(isinstance(names, list) for names in sides.values())
        and all(isinstance(name, str) for names in sides.values() for name in names)
        for sides in splits.values()
    )
    if not is_valid:
        raise UserError(f"{where}: the splits have to be lists of names of sequences.")


def names_of_sides(splits, name, available):
    """Return three lists of sequence names, one per side, in the order of the split.

    Args:
        splits: of a `PatchSet`.
        name: of the split; None for the first one.
        available: names of the sequences in the set. The others are left out.

    Raises UserError as `PatchSet.split` does, which calls it.
    """
    if not splits:
        raise UserError("These patches have no split: use select(names).")
    name = name or next(iter(splits))
    if name not in splits:
        raise UserError(f"Unknown split {name!r}: expected one of {', '.join(splits)}.")
    if missing := [side for side in SIDES if side not in splits[name]]:
        raise UserError(
            f"Split {name!r} has no {' and no '.join(missing)} side: expected train, validation and"
            " test. Splits of earlier versions of hpatches_kit have two sides: build the patches"
            " again, add the side to `splits`, or choose sequences with select(names)."
        )
    sides = []
    for side in SIDES:
        in_split = splits[name][side]
        sides.append([sequence for sequence in in_split if sequence in available])
        if in_split and not sides[-1]:
            names = list(available)
            listed = ", ".join(names[:5]) + ", ..." * (len(names) > 5)
            raise UserError(
                f"Split {name!r} has no {side} sequence among {listed}. Choose sequences with"
                " select(names)."
            )
    return sides

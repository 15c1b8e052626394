"""Task lists as files, named and laid out as the official ones: `verif_pos_split-a.csv` and so on."""

from pathlib import Path

import numpy as np
import pandas as pd

from hpatches_kit._support.atomic import atomic_file
from hpatches_kit._support.errors import UserError
from hpatches_kit.benchmark.tasks import POOLS, PairList, Tasks

PAIR_FILES = {"positive": "verif_pos", "intra": "verif_neg_intra", "inter": "verif_neg_inter"}
POINT_FILES = {"queries": "retr_queries", "distractors": "retr_distractors"}
PAIR_COLUMNS, POINT_COLUMNS = ["s1", "t1", "idx1", "s2", "t2", "idx2"], ["s", "idx"]


def load_tasks(folder, split, points):
    """Read the lists of a split.

    Args:
        folder: holds `verif_pos_split-a.csv`, `verif_neg_intra_..`, `verif_neg_inter_..`,
            `retr_queries_..` and `retr_distractors_..`.
        split: the last part of these names.
        points: `Descriptors` or a `PatchSet` that the lists are about.

    Returns:
        `Tasks`, with the official sizes of pools. A task whose lists are all missing has none.

    Raises FileNotFoundError when there are no lists or some of a task are missing, UserError for
    other columns, a sequence or a row that the points do not have, or an image other than 0 to 5;
    each names the file, and the row where there is one.
    """
    folder, found = Path(folder), {}
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder of task lists.")
    for files in (PAIR_FILES, POINT_FILES):
        there = {kind: folder / f"{name}_split-{split}.csv" for kind, name in files.items()}
        missing = [file.name for file in there.values() if not file.exists()]
        if len(missing) < len(there):
            if missing:
                raise FileNotFoundError(f"{folder} lacks {', '.join(missing)}.")
            found |= there
    if not found:
        other = sorted({f.stem.rpartition("_split-")[2] for f in folder.glob("*_split-*.csv")})
        raise FileNotFoundError(
            f"{folder} holds no lists of split {split!r}"
            + (f", only of {', '.join(other)}." if other else ", such as verif_pos_split-a.csv.")
        )
    pairs = {kind: _read_pairs(found[kind], points) for kind in PAIR_FILES if kind in found}
    none = np.array([], int)
    rows = {kind: _read_points(found[kind], points) if kind in found else none for kind in POINT_FILES}  # fmt: skip
    provenance = f"lists of split {split} in {folder.resolve().name}"
    nothing = PairList(none, none, none, none)
    pairs = pairs or dict.fromkeys(PAIR_FILES, nothing)
    return Tasks(**pairs, **rows, pools=POOLS, provenance=provenance, points=len(points))


def save_tasks(tasks, folder, split, lengths):
    """Write the lists; those of the official rule come out byte for byte as published.

    A list that is empty is not written.

    Args:
        tasks: `Tasks`.
        folder: made when missing.
        split: for the names.
        lengths: `{sequence: points}`, in the order in which the tasks were drawn.
    """
    name = pd.Categorical.from_codes(np.repeat(range(len(lengths)), list(lengths.values())), list(lengths))  # fmt: skip
    index = np.concatenate([np.arange(length) for length in lengths.values()])
    for kind, stem in PAIR_FILES.items():
        p = getattr(tasks, kind)
        if not len(p):
            continue
        columns = [name[p.first], p.first_image, index[p.first]]
        columns += [name[p.second], p.second_image, index[p.second]]
        _write(Path(folder) / f"{stem}_split-{split}.csv", dict(zip(PAIR_COLUMNS, columns)))
    for kind, stem in POINT_FILES.items():
        rows = getattr(tasks, kind)
        if not len(rows):
            continue
        columns = dict(zip(POINT_COLUMNS, (name[rows], index[rows])))
        _write(Path(folder) / f"{stem}_split-{split}.csv", columns)


def _write(file, columns):
    with atomic_file(file) as partial:
        pd.DataFrame(columns).to_csv(partial, index=False, lineterminator="\n")


def _read_pairs(file, points):
    table = _table(file, PAIR_COLUMNS)
    for column in ("t1", "t2"):
        wrong = ~table[column].between(0, 5)
        if wrong.any():
            row = int(wrong.argmax())
            raise UserError(
                f"{file}, line {row + 2}: {column} is {table[column][row]}, expected an image 0 to 5."
            )
    rows = [_rows(file, table[f"s{k}"], table[f"idx{k}"], points) for k in (1, 2)]
    images = [table[f"t{k}"].to_numpy(np.int8) for k in (1, 2)]
    return PairList(rows[0], images[0], rows[1], images[1])


def _read_points(file, points):
    table = _table(file, POINT_COLUMNS)
    return _rows(file, table["s"], table["idx"], points)


def _table(file, columns):
    names = {name: str for name in columns if name[0] == "s"}
    types = dict.fromkeys(columns, np.int64) | names
    try:  # names stay text, also `1`, `True` and `NA`
        table = pd.read_csv(file, dtype=types, na_filter=False, index_col=False)
    except (ValueError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise UserError(f"{file} is no task list with columns {','.join(columns)}: {error}") from error  # fmt: skip
    if list(table.columns) != columns or not len(table):
        raise UserError(
            f"{file} has columns {','.join(map(str, table.columns))} and {len(table)} rows:"
            f" expected {','.join(columns)} and at least one row."
        )
    return table.astype(dict.fromkeys(names, "category"))


def _rows(file, names, index, points):
    """Row of each point among all points."""
    known = names.cat.categories.isin(points.names)
    if not known.all():
        unknown = names.cat.categories[~known][0]
        line = int((names == unknown).to_numpy().argmax()) + 2
        raise UserError(
            f"{file}, line {line}: there are no points of sequence {str(unknown)!r},"
            f" only of {', '.join(points.names)}."
        )
    codes, index = names.cat.codes.to_numpy(), index.to_numpy()
    lengths = pd.Series(points.lengths)  # in the order in which the sequences stand
    length = lengths[names.cat.categories].to_numpy()[codes]
    start = (lengths.cumsum() - lengths)[names.cat.categories].to_numpy()[codes]
    outside = (index < 0) | (index >= length)
    if outside.any():
        row = int(outside.argmax())
        raise UserError(
            f"{file}, line {row + 2}: row {index[row]} of {names[row]}, which has {length[row]} points."
        )
    return (start + index).astype(np.int32)

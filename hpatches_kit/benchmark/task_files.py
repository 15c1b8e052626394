"""Read and write task lists in the official layout: `verif_pos_split-a.csv` and four others."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd

from hpatches_kit._support.atomic import atomic_file
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.regular_files import open_regular, read_stream
from hpatches_kit.benchmark.tasks import POOLS, PairList, Tasks

PAIR_FILES = {"positive": "verif_pos", "intra": "verif_neg_intra", "inter": "verif_neg_inter"}
POINT_FILES = {"queries": "retr_queries", "distractors": "retr_distractors"}
LARGEST = 1 << 29  # bytes of a list; the largest official one has 37 MB
PAIR_COLUMNS, POINT_COLUMNS = ["s1", "t1", "idx1", "s2", "t2", "idx2"], ["s", "idx"]


def load_tasks(folder, split, points):
    """Read the task lists of a split.

    Args:
        folder: contains `verif_pos_split-a.csv`, `verif_neg_intra_..`, `verif_neg_inter_..`,
            `retr_queries_..` and `retr_distractors_..`.
        split: the last part of these names.
        points: the `Descriptors` or the `PatchSet` to which the lists refer.

    Returns `Tasks` with the official pool sizes. A task is empty when all its lists are missing.

    Raises FileNotFoundError when there are no lists or when some lists of a task are missing;
    UserError for other columns, for a sequence or a point that `points` does not have, for an image
    other than 0 to 5, and for a positive pair of two different places. Messages name the file, and
    the line where possible.
    """
    folder, files = Path(folder), {}
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder of task lists.")
    for names in (PAIR_FILES, POINT_FILES):
        expected = {kind: folder / f"{name}_split-{split}.csv" for kind, name in names.items()}
        missing = [file.name for file in expected.values() if not file.exists()]
        if len(missing) < len(expected):
            if missing:
                raise FileNotFoundError(f"{folder} lacks {', '.join(missing)}.")
            files |= expected
    if not files:
        splits = sorted({f.stem.rpartition("_split-")[2] for f in folder.glob("*_split-*.csv")})
        raise FileNotFoundError(
            f"{folder} contains no task lists of split {split!r}"
            + (f", only of {', '.join(splits)}." if splits else ", such as verif_pos_split-a.csv.")
        )
    empty = np.array([], int)
    pairs = {kind: _read_pairs(files[kind], points) for kind in PAIR_FILES if kind in files}
    if pairs:
        _check_positive(pairs["positive"], points, files["positive"])
    pairs = pairs or dict.fromkeys(PAIR_FILES, PairList(empty, empty, empty, empty))
    rows = dict.fromkeys(POINT_FILES, empty)
    rows |= {kind: _read_points(files[kind], points) for kind in POINT_FILES if kind in files}
    provenance = f"lists of split {split} in {folder.resolve().name}"
    return Tasks(**pairs, **rows, pools=POOLS, provenance=provenance, points=len(points))


def save_tasks(tasks, folder, split, lengths):
    """See `Tasks.save`."""
    numbers = np.repeat(range(len(lengths)), list(lengths.values()))
    name = pd.Categorical.from_codes(numbers, list(lengths))
    index = np.concatenate([np.arange(length) for length in lengths.values()])
    for kind, stem in PAIR_FILES.items():
        pairs = getattr(tasks, kind)
        columns = [name[pairs.first], pairs.first_image, index[pairs.first]]
        columns += [name[pairs.second], pairs.second_image, index[pairs.second]]
        if len(pairs):
            _write(Path(folder) / f"{stem}_split-{split}.csv", dict(zip(PAIR_COLUMNS, columns)))
    for kind, stem in POINT_FILES.items():
        rows = getattr(tasks, kind)
        if len(rows):
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
                f"{file}, line {row + 2}: {column} is {table[column][row]},"
                " expected an image 0 to 5."
            )
    rows = [_rows(file, table[f"s{k}"], table[f"idx{k}"], points) for k in (1, 2)]
    images = [table[f"t{k}"].to_numpy(np.int8) for k in (1, 2)]
    return PairList(rows[0], images[0], rows[1], images[1])


def _check_positive(pairs, points, file):
    """Raise UserError for a pair of patches that do not show one place."""
    wrong = points.label[pairs.first] != points.label[pairs.second]
    if wrong.any():
        raise UserError(
            f"{file}, line {wrong.argmax() + 2}: the two patches do not show the same place, as"
            " those of a positive pair do."
        )


def _read_points(file, points):
    table = _table(file, POINT_COLUMNS)
    return _rows(file, table["s"], table["idx"], points)


def _table(file, columns):
    names = {name: str for name in columns if name[0] == "s"}
    types = dict.fromkeys(columns, np.int64) | names
    try:  # names such as `1`, `True` and `NA` remain text
        with open_regular(file) as stream:
            table = pd.read_csv(BytesIO(read_stream(stream, LARGEST)), dtype=types, na_filter=False)
    except (ValueError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise UserError(
            f"{file} is not a task list with columns {','.join(columns)}: {str(error)[:200]}"
        ) from error
    if list(table.columns) != columns or not len(table):
        raise UserError(
            f"{file} has columns {','.join(map(str, table.columns))[:100]} and {len(table)} rows:"
            f" expected {','.join(columns)} and at least one row."
        )
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes the first cells as names of rows
        raise UserError(f"{file} has more than {len(columns)} cells in a row.")
    return table.astype(dict.fromkeys(names, "category"))


def _rows(file, names, index, points):
    """Rows in the set of points, from the sequence names and the rows in the sequences."""
    known = names.cat.categories.isin(points.names)
    if not known.all():
        unknown = names.cat.categories[~known][0]
        line = int((names == unknown).to_numpy().argmax()) + 2
        raise UserError(
            f"{file}, line {line}: unknown sequence {str(unknown)!r},"
            f" expected some of {', '.join(points.names)}."
        )
    codes, index = names.cat.codes.to_numpy(), index.to_numpy()
    lengths = pd.Series(points.lengths)  # in the order of the sequences
    length = lengths[names.cat.categories].to_numpy()[codes]
    start = (lengths.cumsum() - lengths)[names.cat.categories].to_numpy()[codes]
    outside = (index < 0) | (index >= length)
    if outside.any():
        row = int(outside.argmax())
        raise UserError(
            f"{file}, line {row + 2}: row {index[row]} of {names[row]},"
            f" which has {length[row]} points."
        )
    return (start + index).astype(np.int32)

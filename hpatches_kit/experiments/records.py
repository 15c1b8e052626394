"""Read records and logs of complete runs, from the folder of each run or from two shared files.

`runs.jsonl` has a line for each run, `{"run": folder, "record": ...}`; `logs.jsonl` has one for
each epoch, `{"run": folder, "epoch": 0, "loss": ...}`. What they hold may come from others: a record
of other settings, or a log that has changed since, is an error.
"""

import json
import math
from functools import lru_cache
from pathlib import Path

import pandas as pd

from hpatches_kit._support.atomic import write_text
from hpatches_kit._support.checksums import digest
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.json_files import check_fields, parse_json, read_json
from hpatches_kit._support.regular_files import check_no_link, read_regular
from hpatches_kit.callbacks.resume import BACKUP, LOG, SETTINGS, read_log

RECORD, MODEL = "run.json", "weights.npz"
SCORES = [f"{part}{kind}scores.json" for part in ("", "real-") for kind in ("", "noisy-")]
FIGURE_FILES = ["curves.png", "network.png", "patches.png"]
FILES = {RECORD, MODEL, LOG, SETTINGS, BACKUP, *SCORES, *FIGURE_FILES}  # all of the folder of a run
CHECKSUMS = "sha256"  # field of a record: the SHA-256 of its log and of its weights
RUNS, LOGS = "runs.jsonl", "logs.jsonl"
WHAT = "the record of a run"
FIELDS = {"environment": str, "date": str, "real": dict, CHECKSUMS: dict}  # where a record has them
NUMBERS = ("parameters", "seconds", "core_seconds", "other_core_seconds")
ROUNDING = 1e-6
LARGEST = 1 << 30  # bytes of `LOGS`
LARGEST_FILE = 1 << 32  # bytes of a log and of weights


def run_folder(root, folder):
    """The folder of a run; UserError if it, or the folder of its row, is a link."""
    path = Path(root) / folder
    check_no_link(path.parent)
    check_no_link(path)
    return path


def record_of(run, root):
    """The record of a complete `Run` in a local folder of results; None if it is not complete.

    Raises UserError if it is damaged, or the record of a run with other settings.
    """
    file = run_folder(root, run.folder) / RECORD
    if file.exists():
        record = read_json(file, WHAT, {"scores": dict}, links=False)
    elif lines := _lines_by_run(Path(root) / RUNS).get(run.folder):
        file, record = Path(root) / RUNS, lines[0]["record"]
        if len(lines) > 1:
            raise UserError(f"{file} has {len(lines)} records of {run.folder}: expected one.")
    else:
        return None
    check_record(record, run.settings, file)
    return record


def check_record(record, settings, file):
    """Raise UserError for a record of other settings, or with numbers that are no results."""
    stored = record.get("settings")
    if stored != settings:
        known = stored if isinstance(stored, dict) else {}
        names = [name for name in settings if known.get(name) != settings[name]]
        raise UserError(
            f"{file} is the record of a run with another {', '.join(names) or 'setting'}: delete its"
            " folder, then the run is trained again."
        )
    check_fields(
        record, {name: kind for name, kind in FIELDS.items() if name in record}, file, WHAT
    )
    for name in NUMBERS:
        if not _is_number(record.get(name, 0)):
            raise UserError(f"{file} has {name} {record[name]!r}: expected a positive number.")
    real = record.get("real", {})
    for part in (record, record.get("noisy", {}), real, real.get("noisy", {})):
        _check_results(part, file)


def _check_results(part, file):
    """Raise UserError unless scores, draws and sequences of a record can be those of `evaluate`."""
    part = part if isinstance(part, dict) else {"scores": part}
    scores, draws = part.get("scores", {}), part.get("draws", {})
    if not isinstance(scores, dict) or not all(map(_is_score, scores.values())):
        raise UserError(f"{file} has scores {str(scores)[:80]}: expected numbers from 0 to 1.")
    are_draws = isinstance(draws, dict) and all(
        isinstance(values, list) and values and all(map(_is_draw, values))
        for values in draws.values()
    )
    sequences = part.get("sequences", [])
    if not are_draws or (draws and not sequences):
        raise UserError(f"{file} has draws that are no lists of scores, or not of any sequences.")
    if not isinstance(sequences, list) or not all(isinstance(name, str) for name in sequences):
        raise UserError(f"{file} has sequences {str(sequences)[:80]}: expected names.")


def _is_score(value):
    return _is_number(value) and value <= 1 + ROUNDING


def _is_draw(value):
    return _is_score(value) or value != value  # NaN: a draw of one sequence says nothing


def _is_number(value):
    return isinstance(value, int | float) and -ROUNDING <= value < math.inf


def log_of(run, root):
    """The log of a complete run, as a DataFrame with a row for each epoch.

    Raises UserError if it is damaged, or has changed since the run was complete.
    """
    folder = run_folder(root, run.folder)
    if (folder / RECORD).exists():
        check_unchanged(run, root, LOG)
        return read_log(folder)
    file = Path(root) / LOGS
    lines = _lines_by_run(file).get(run.folder, [])
    if not lines or [line.get("epoch") for line in lines] != list(range(len(lines))):
        raise UserError(f"{file} lacks epochs of {run.folder}, or has one of them twice.")
    log = pd.DataFrame(lines).drop(columns="run")
    if not all(map(pd.api.types.is_numeric_dtype, log.dtypes)):
        raise UserError(f"{file} has a log of {run.folder} that is not made of numbers.")
    return log


def check_unchanged(run, root, name):
    """Raise UserError if a file of a complete run is not the one that its record describes.

    Records of earlier versions describe no files.
    """
    file, record = run_folder(root, run.folder) / name, record_of(run, root) or {}
    expected = record.get(CHECKSUMS, {}).get(name)
    if expected and digest(file, LARGEST_FILE) != expected:
        raise UserError(
            f"{file} has changed since the run was complete: delete its folder, then the run is"
            " trained again."
        )


def save_records(folder, runs, root):
    """Write records and logs of complete runs to the two files of a folder."""
    records = [{"run": run.folder, "record": record_of(run, root)} for run in runs]
    epochs = [
        {"run": run.folder, **{key: value for key, value in epoch.items() if pd.notna(value)}}
        for run in runs
        for epoch in log_of(run, root).to_dict("records")
    ]
    for name, lines in ((LOGS, epochs), (RUNS, records)):  # a run with a record also has a log
        write_text(Path(folder) / name, "".join(json.dumps(line) + "\n" for line in lines))


def _lines_by_run(file):
    return _read(file, file.stat().st_mtime_ns) if file.exists() else {}


@lru_cache(maxsize=4)
def _read(file, modified):  # a changed file has another time, so it is read again
    by_run = {}
    fields = {"run": str, "record": dict} if file.name == RUNS else {"run": str}
    for number, text in enumerate(read_regular(file, LARGEST).splitlines(), start=1):
        line = parse_json(text, f"{file}, line {number},", "a line of kept runs", fields)
        by_run.setdefault(line["run"], []).append(line)
    return by_run

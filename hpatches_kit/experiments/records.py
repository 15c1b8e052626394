"""Read records and logs of complete runs, from the folder of each run or from two shared files.

`runs.jsonl` has a line for each run, `{"run": folder, "record": ...}`; `logs.jsonl` has one for
each epoch, `{"run": folder, "epoch": 0, "loss": ...}`. What they hold may come from others: a record
of other settings, or a log that has changed since, is an error.
"""

import json
from functools import lru_cache
from pathlib import Path

import pandas as pd

from hpatches_kit._support.atomic import write_text
from hpatches_kit._support.checksums import digest
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.json_files import parse_json, read_json
from hpatches_kit._support.regular_files import check_no_link, read_regular
from hpatches_kit.callbacks.resume import BACKUP, LOG, SETTINGS, read_log

RECORD, MODEL = "run.json", "weights.npz"
SCORES = [f"{part}{kind}scores.json" for part in ("", "real-") for kind in ("", "noisy-")]
FIGURE_FILES = ["curves.png", "network.png", "patches.png"]
FILES = {RECORD, MODEL, LOG, SETTINGS, BACKUP, *SCORES, *FIGURE_FILES}  # all of the folder of a run
CHECKSUMS = "sha256"  # field of a record: the SHA-256 of its log and of its weights
RUNS, LOGS = "runs.jsonl", "logs.jsonl"
WHAT = "the record of a run"
LARGEST = 1 << 30  # bytes of `LOGS`


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
    else:
        return None
    check_record(record, run.settings, file)
    return record


def check_record(record, settings, file):
    """Raise UserError for a record of other settings, or with scores that are no scores."""
    stored = record.get("settings", settings)  # tables need none
    if stored != settings:
        names = [
            name
            for name in settings
            if not isinstance(stored, dict) or stored.get(name) != settings[name]
        ]
        raise UserError(
            f"{file} is the record of a run with another {', '.join(names) or 'setting'}: delete its"
            " folder, then the run is trained again."
        )
    for part in (record, record.get("noisy", {}), record.get("real", {})):
        scores = part.get("scores", {}) if isinstance(part, dict) else None
        is_valid = isinstance(scores, dict) and all(map(_is_score, scores.values()))
        if not is_valid:
            raise UserError(f"{file} has scores {scores}: expected numbers from 0 to 1.")


def _is_score(value):
    return isinstance(value, int | float) and -1e-6 <= value <= 1 + 1e-6  # rounding


def log_of(run, root):
    """The log of a complete run, as a DataFrame with a row for each epoch.

    Raises UserError if it is damaged, or has changed since the run was complete.
    """
    folder = run_folder(root, run.folder)
    if (folder / RECORD).exists():
        check_unchanged(run, root, LOG)
        return read_log(folder)
    lines = _lines_by_run(Path(root) / LOGS)[run.folder]
    return pd.DataFrame(lines).drop(columns="run")


def check_unchanged(run, root, name):
    """Raise UserError if a file of a complete run is not the one that its record describes.

    Records of earlier versions describe no files.
    """
    file, record = run_folder(root, run.folder) / name, record_of(run, root) or {}
    expected = record.get(CHECKSUMS, {}).get(name)
    if expected and digest(file) != expected:
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

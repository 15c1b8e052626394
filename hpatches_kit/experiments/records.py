"""Read records and logs of complete runs, from the folder of each run or from two shared files.

`runs.jsonl` has a line for each run, `{"run": folder, "record": ...}`; `logs.jsonl` has one for
each epoch, `{"run": folder, "epoch": 0, "loss": ...}`.
"""

import json
from functools import lru_cache
from pathlib import Path

import pandas as pd

from hpatches_kit._support.atomic import write_text
from hpatches_kit.callbacks.resume import read_log

RECORD, MODEL = "run.json", "model.keras"
RUNS, LOGS = "runs.jsonl", "logs.jsonl"


def record_of(run, root):
    """The record of a complete `Run` in a local folder of results; None if it is not complete."""
    file = Path(root) / run.folder / RECORD
    if file.exists():
        return json.loads(file.read_text())
    lines = _lines_by_run(Path(root) / RUNS).get(run.folder)
    return lines[0]["record"] if lines else None


def log_of(run, root):
    """The log of a complete run, as a DataFrame with a row for each epoch."""
    if (Path(root) / run.folder / RECORD).exists():
        return read_log(Path(root) / run.folder)
    lines = _lines_by_run(Path(root) / LOGS)[run.folder]
    return pd.DataFrame(lines).drop(columns="run")


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
    for text in file.read_text().splitlines():
        line = json.loads(text)
        by_run.setdefault(line["run"], []).append(line)
    return by_run

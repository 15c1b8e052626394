"""Runs: each trains one row on one patch set, at one scale, with one seed, in its own folder."""

import hashlib
import json
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from pathlib import Path

import keras

from hpatches_kit._support.checksums import digest
from hpatches_kit._support.errors import UserError
from hpatches_kit.benchmark import task_names
from hpatches_kit.datasets import builtin, hpatches
from hpatches_kit.datasets.loading import KNOWN, RELEASES
from hpatches_kit.experiments.rows import Denoiser, Descriptor, check_choice
from hpatches_kit.experiments.run_data import SIDES_VERSION
from hpatches_kit.experiments.scales import SCALES, Scale
from hpatches_kit.patches.storage import METADATA_FILE

TASKS_SPLIT = "a"  # the split of HPatches whose test side descriptors are scored on
ROWS_OF_A_ROW = "denoiser", "init_from", "teacher"  # fields whose values are other rows


@dataclass(frozen=True)
class Run:
    """One row, trained on one patch set, at one scale, with one seed.

    Raises UserError for an unknown patch set, scale, dtype policy or task lists, and for task lists
    with a patch set or a scale that they do not fit.
    """

    row: Denoiser | Descriptor
    data: str  # a name or a path for `hk.load`
    scale: Scale | str
    seed: int
    policy: str = "float32"
    tasks: str | None = None  # `"a"` or a folder: official task lists; None: lists are drawn

    def __post_init__(self):
        if isinstance(self.scale, str):
            check_choice(self.scale, SCALES, "scale")
            self._set("scale", SCALES[self.scale])
        if self.data not in KNOWN:
            path = Path(self.data).expanduser().resolve()  # workers may run in another folder
            if not path.exists():
                known = ", ".join(KNOWN)
                raise UserError(f"Unknown data {self.data!r}: expected a path, or one of {known}.")
            self._set("data", str(path))
        try:
            keras.dtype_policies.get(self.policy)
        except ValueError as error:
            raise UserError(
                f"Unknown policy {self.policy!r}: expected a dtype policy of Keras, like float32."
            ) from error
        if self.tasks is not None:
            self._check_tasks()

    def _set(self, field, value):
        object.__setattr__(self, field, value)  # the dataclass is frozen

    def _check_tasks(self):
        if self.tasks != TASKS_SPLIT:
            folder = Path(self.tasks).expanduser().resolve()  # workers may run in another folder
            if not any(folder.glob(f"*_split-{TASKS_SPLIT}.csv")):
                raise UserError(
                    f"{self.tasks} is not a folder of task lists: expected files named"
                    f" verif_pos_split-{TASKS_SPLIT}.csv and so on, or --tasks {TASKS_SPLIT}, which"
                    " downloads them."
                )
            self._set("tasks", str(folder))
        if self.data not in RELEASES or self.scale.test_sequences or self.scale.scored_side:
            raise UserError(
                "Official task lists (--tasks) name points of the whole test side of HPatches. They"
                f" do not fit --data {self.data} --scale {self.scale.name}: use --data hpatches"
                " --scale report, or leave --tasks out."
            )

    @property
    def needs(self):
        """The runs that must be complete before this one can be trained."""
        rows = [getattr(self.row, part, None) for part in ROWS_OF_A_ROW]
        return [replace(self, row=row) for row in rows if row]

    @cached_property
    def data_version(self):
        """Identifies the content of the data: a version, or the checksum of a saved patch set."""
        if self.data in builtin.BUILTIN:
            return builtin.VERSION
        metadata = Path(self.data) / METADATA_FILE
        if self.data not in KNOWN and metadata.exists():  # it holds the checksums of all arrays
            return hashlib.sha256(metadata.read_bytes()).hexdigest()[:16]
        return hpatches.VERSION

    @property
    def tasks_version(self):
        """Identifies the task lists: the split of downloaded ones, or a checksum of a folder's."""
        if self.tasks == TASKS_SPLIT:
            return self.tasks
        files = sorted(Path(self.tasks).glob(f"*_split-{TASKS_SPLIT}.csv"))
        return _checksum(tuple((file, file.stat().st_mtime_ns) for file in files))

    @property
    def settings(self):
        """Everything that decides the result, ready for JSON; defaults of the row are omitted."""
        scale = {key: getattr(self.scale, key) for key in self.row.scaled_by}
        settings = {
            "type": type(self.row).__name__,
            "row": _changed_settings(self.row),
            "needs": [need.folder for need in self.needs],
            "data": self.data,
            "data version": self.data_version,
            "protocol version": task_names.PROTOCOL_VERSION,
            "sides version": SIDES_VERSION,
            "scale": {key: value for key, value in scale.items() if value is not None},
            "seed": self.seed,
            "policy": self.policy,
        }
        if teacher := getattr(self.row, "teacher", None):  # among the needs it is not told apart
            settings["teacher"] = replace(self, row=teacher).folder
        if self.tasks is not None and isinstance(self.row, Descriptor):  # only these are scored
            settings["tasks"] = self.tasks_version
        return json.loads(json.dumps(settings))

    @property
    def folder(self):
        """The run's folder within the results; different settings give different folders."""
        text = json.dumps(self.settings, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        data = Path(self.data).name
        return f"{self.row.name}/{data}-{self.scale.name}-seed{self.seed}-{digest}"

    def __str__(self):
        return f"{self.row.name}, seed {self.seed}"


def training_order(runs):
    """The runs and all runs that they need, each once and after those that it needs."""
    ordered = {}

    def add(run):
        for need in run.needs:
            add(need)
        ordered.setdefault(run.folder, run)

    for run in runs:
        add(run)
    return list(ordered.values())


def _changed_settings(row):
    """The name of a row and its settings that differ from the defaults, without other rows."""
    default = type(row)(f"{row.name}-default")
    return {
        field.name: value
        for field in fields(row)
        if field.name not in ROWS_OF_A_ROW
        and (value := getattr(row, field.name)) != getattr(default, field.name)
    }


@lru_cache(maxsize=4)
def _checksum(files):  # pairs of path and time: a changed file has another time
    text = json.dumps([[file.name, digest(file)] for file, _ in files])
    return hashlib.sha256(text.encode()).hexdigest()[:16]

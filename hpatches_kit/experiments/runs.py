"""experiments.runs."""

import hashlib
import json
from dataclasses import dataclass, fields, replace
from pathlib import Path

import keras

from hpatches_kit._support.errors import UserError
from hpatches_kit.datasets.loading import KNOWN
from hpatches_kit.experiments.rows import Denoiser, Descriptor, _check
from hpatches_kit.experiments.scales import SCALES, Scale

NARROWED = ("6-layer", "8-layer")  # report B's nets, whose decoders widen towards the full size


@dataclass(frozen=True)
class Run:
    """One row, on some data, at some scale, with one seed: what one folder holds.

    Data of one's own are known by their path: patches that change get another path, or their runs
    are deleted. Raises UserError for data, a scale or a policy that does not exist.
    """

    row: Denoiser | Descriptor
    data: str
    scale: Scale | str
    seed: int
    policy: str = "float32"

    def __post_init__(self):
        def settle(name, value):
            object.__setattr__(self, name, value)  # the way of frozen dataclasses

        if isinstance(self.scale, str):
            _check(self.scale, SCALES, "scale")
            settle("scale", SCALES[self.scale])
        if self.data not in KNOWN:  # a path, whole: workers may have another working folder
            path = Path(self.data).expanduser().resolve()
            if not path.exists():
                known = ", ".join(KNOWN)
                raise UserError(f"Unknown data {self.data!r}: expected a path, or one of {known}.")
            settle("data", str(path))
        keras.dtype_policies.get(self.policy)

    @property
    def needs(self):
        """The runs that have to be complete before this one."""
        parts = [getattr(self.row, part, None) for part in ("denoiser", "init_from")]
        return [replace(self, row=part) for part in parts if part]

    @property
    def settings(self):
        """What decides how it goes, in words that JSON knows; what is as it always was is left out."""
        row = {
            one.name: getattr(self.row, one.name)
            for one in fields(self.row)
            if one.name not in ("denoiser", "init_from") and one.name in _changed(self.row)
        }
        scale = {key: getattr(self.scale, key) for key in self.row.scaled_by}
        if narrowed(self.row):
            scale["narrow"] = self.scale.narrow
        settings = {
            "kind": type(self.row).__name__,
            "row": row,
            "needs": [need.folder for need in self.needs],
            "data": self.data,
            "scale": {key: value for key, value in scale.items() if value is not None},
            "seed": self.seed,
            "policy": self.policy,
        }
        return json.loads(json.dumps(settings))

    @property
    def folder(self):
        """Where it is kept: changed settings are another folder, so that nothing is lost."""
        text = json.dumps(self.settings, sort_keys=True)
        letters = hashlib.sha256(text.encode()).hexdigest()[:8]
        data = Path(self.data).name
        return f"{self.row.name}/{data}-{self.scale.name}-seed{self.seed}-{letters}"

    def __str__(self):
        return f"{self.row.name}, seed {self.seed}"


def in_order(runs):
    """Each run once, after those it needs."""
    found = {}

    def add(run):
        for need in run.needs:
            add(need)
        found.setdefault(run.folder, run)

    for run in runs:
        add(run)
    return list(found.values())


def narrowed(row):
    """Whether a scale may take filters from its decoder."""
    return row.network_options.get("preset") in NARROWED


def _changed(row):
    """The names of all settings of a row that differ from the defaults, and its name."""
    default = type(row)("default")
    return {"name"} | {
        one.name for one in fields(row) if getattr(row, one.name) != getattr(default, one.name)
    }

"""`requirements-lock.txt` has every package of `requirements.txt`, in a version that fits."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from hpatches_kit.experiments.trained_models import safe_mode_leaks

PROJECT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(
    r"^([a-z0-9._-]+)==(\S+)(?: ; \S.*)? \\\n((?:    --hash=sha256:[0-9a-f]{64}.*\n)+)", re.M
)
LOCKED = {
    name: version
    for name, version, _ in BLOCK.findall((PROJECT / "requirements-lock.txt").read_text())
}
REQUIRED = [
    Requirement(line)
    for line in (PROJECT / "requirements.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


@pytest.mark.parametrize("requirement", REQUIRED, ids=str)
def test_the_locked_version_is_one_that_is_allowed(requirement):
    name = requirement.name.replace("_", "-").lower()
    assert LOCKED[name] in requirement.specifier


def test_every_locked_package_has_checksums():
    lines = (PROJECT / "requirements-lock.txt").read_text().splitlines()
    assert len(LOCKED) == sum("==" in line and line[0] not in "# " for line in lines) > 50


def test_the_locked_version_of_keras_is_not_known_to_run_hidden_code():
    assert not safe_mode_leaks(LOCKED["keras"])

"""The MATLAB protocol, compared with its simplest form and with numbers of the official code."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from random_benchmark import random_descriptors, random_tasks

import hpatches_kit as hk
from hpatches_kit.benchmark import MATLAB, plain, plain_matlab

FOLDER = Path(__file__).parent
pytestmark = pytest.mark.filterwarnings("ignore::hpatches_kit.benchmark.CollapseWarning")


def differences(expected, result):
    return plain.differences(expected, result, tolerance=1e-12)


@pytest.mark.parametrize("kind", ["distinct", "tied", "bits", "equal"])
@pytest.mark.parametrize("seed", range(3))
def test_every_number_agrees_with_the_simplest_form(seed, kind):
    # The simplest form needs a second patch in each sequence.
    descriptors = random_descriptors(seed, kind, shortest=2)
    tasks, distractors = random_tasks(descriptors, seed), 25
    protocol = replace(MATLAB, distractors=distractors)
    scores = hk.benchmark.evaluate(descriptors, tasks, progress=False, protocol=protocol)
    expected = plain_matlab.verification(descriptors, tasks)
    assert differences(expected, scores["verification"]) == []
    assert differences(plain_matlab.matching(descriptors), scores["matching"]) == []
    expected = plain_matlab.retrieval(descriptors, tasks, distractors)
    result = {level: scores["retrieval"][level]["30"] for level in "eht"}
    result["mean_ap"] = scores["retrieval"]["mean_ap"]
    assert differences(expected, result) == []


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    """The descriptors and lists of `golden_tiny.zip`, and the numbers of the MATLAB code."""
    folder = tmp_path_factory.mktemp("golden")
    with zipfile.ZipFile(FOLDER / "golden_tiny.zip") as archive:
        archive.extractall(folder)
    descriptors = hk.descriptors.load(folder / "descriptors", progress=False)
    tasks = hk.benchmark.load_tasks(folder, "a", descriptors)
    return descriptors, tasks, json.loads((FOLDER / "golden_matlab.json").read_text())


def pick(numbers, name, new_name=None):
    """The numbers with this name in nested dictionaries, with a new name."""
    if name in numbers:
        return {new_name or name: numbers[name]}
    return {key: pick(value, name, new_name) for key, value in numbers.items()}


@pytest.mark.parametrize("distractors", [2000, 40])
def test_all_numbers_of_the_official_matlab_code_are_reproduced(distractors, official):
    descriptors, tasks, expected = official
    protocol = replace(MATLAB, distractors=distractors)
    scores = hk.benchmark.evaluate(descriptors, tasks, progress=False, protocol=protocol)
    for name in ("ap", "balanced_ap", "auc"):
        assert differences(pick(expected["verification"], name), scores["verification"]) == []
    for name in ("ap", "ratio_ap", "sr"):
        assert differences(pick(expected["matching"], name), scores["matching"]["sequences"]) == []
    pool = str(5 + min(distractors, len(tasks.distractors)))
    ap = pick(expected["retrieval"][str(distractors)], "ap", pool)
    assert differences(ap, scores["retrieval"]) == []


@pytest.mark.parametrize("distractors", [2000, 40])
def test_the_area_that_the_matlab_code_reports_beside_ap_is_that_of_the_python_formula(
    distractors, official
):
    descriptors, tasks, expected = official
    protocol = replace(MATLAB, distractors=distractors, precision_at_positives=False)
    scores = hk.benchmark.evaluate(descriptors, tasks, progress=False, protocol=protocol)
    area = pick(expected["verification"], "trapezoid_ap", "ap")
    assert differences(area, scores["verification"]) == []
    area = pick(expected["matching"], "trapezoid_ap", "ap")
    assert differences(area, scores["matching"]["sequences"]) == []
    pool = str(5 + min(distractors, len(tasks.distractors)))
    area = pick(expected["retrieval"][str(distractors)], "trapezoid_ap", pool)
    assert differences(area, scores["retrieval"]) == []


def test_the_paper_takes_all_distractors(official):
    descriptors, tasks, expected = official
    scores = hk.benchmark.evaluate(
        descriptors, tasks, only="retrieval", progress=False, protocol="paper"
    )
    assert scores["retrieval"]["mean_ap"] == pytest.approx(  # there are fewer than 2,000
        np.mean([level["ap"] for level in expected["retrieval"]["2000"].values()])
    )

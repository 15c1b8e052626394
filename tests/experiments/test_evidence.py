"""Effects, intervals and verdicts, on numbers that are easy to check."""

import numpy as np
import pandas as pd
import pytest

from hpatches_kit.experiments import TABLES, conclusions, effects
from hpatches_kit.experiments.evidence import interval, verdict
from hpatches_kit.experiments.tables.table import (
    Table,
    alike,
    better,
    improves,
    ordered,
    smaller_drop,
)

COLUMNS = {"Matching": ("matching", 1), "MAE": ("val_mae", 1), "MAE, first": ("val_mae", 0)}


@pytest.fixture
def table(monkeypatch):
    """A function that puts claims into a table of two rows, and returns the table's name."""

    def make(*claims, columns=COLUMNS):
        rows = {"one": None, "two": None}
        monkeypatch.setitem(TABLES, "X", Table("a test", columns, rows, {}, list(claims)))
        return "X"

    return make


def cells(numbers, column="value"):
    """A DataFrame of `{(row, column): numbers of the seeds}`."""
    lines = [
        ("X", row, head, seed, number)
        for (row, head), of_seeds in numbers.items()
        for seed, number in enumerate(of_seeds)
    ]
    return pd.DataFrame(lines, columns=["table", "row", "column", "seed", column])


def test_an_effect_is_the_mean_difference_and_positive_where_the_claim_holds(table):
    name = table(better("two is better", "two", "one", ("Matching", "MAE")))
    values = cells(
        {
            ("one", "Matching"): [0.5, 0.6, 0.7],
            ("two", "Matching"): [0.6, 0.8, 1.0],
            ("one", "MAE"): [5, 5, 5],
            ("two", "MAE"): [4, 4, 4],  # lower is better
        }
    )
    found = effects([name], values)
    assert list(found.effect) == ["Matching", "MAE"] and list(found.seeds) == [3, 3]
    np.testing.assert_allclose(found["mean"], [0.2, 1.0])
    # 0.1, 0.2, 0.3: the standard deviation is 0.1, the t quantile of 2 degrees of freedom 4.303.
    np.testing.assert_allclose(found.high[0] - 0.2, 4.303 * 0.1 / np.sqrt(3), rtol=1e-3)
    assert found.low[1] == found.high[1] == 1
    assert conclusions(name, found).loc[0].tolist() == ["two is better", "holds on average", ""]


def test_a_seed_without_one_of_the_rows_does_not_count(table):
    name = table(better("two is better", "two", "one", ("Matching",)))
    values = cells({("one", "Matching"): [0.5, 0.5, 0.5], ("two", "Matching"): [0.6, 0.7]})
    line = effects([name], values).iloc[0]
    assert line.seeds == 2 and line["mean"] == pytest.approx(0.15)


def test_an_improvement_compares_two_epochs_of_one_row(table):
    name = table(improves("it still falls", "one", "MAE", "MAE, first"))
    values = cells({("one", "MAE"): [4, 5], ("one", "MAE, first"): [6, 7]})
    assert effects([name], values)["mean"].tolist() == [2]


def test_a_smaller_drop_and_an_order_of_scores_are_effects_too(table):
    names = ["Verification", "Matching", "Retrieval"]
    names += [f"{name}, real" for name in names]
    columns = {name: (name.lower(), 1) for name in names}
    claims = smaller_drop("it drops less", "one", "two"), ordered("in order", "one")
    name = table(*claims, columns=columns)
    numbers = {
        "Verification": (0.9, 0.8),
        "Matching": (0.5, 0.2),
        "Retrieval": (0.7, 0.5),
    }
    values = cells(
        {
            (row, head): [numbers[head.removesuffix(", real")][k]]
            for head in names
            for k, row in enumerate(("one", "two"))
        }
    )
    found = effects([name], values).set_index("effect")["mean"]
    assert found["drop in Matching - drop in Verification"] == pytest.approx(0.3 - 0.1)
    assert found["drop in Retrieval - drop in Verification"] == pytest.approx(0.2 - 0.1)
    assert found["Verification - Retrieval"] == pytest.approx(0.2)
    assert found["Retrieval - Matching"] == pytest.approx(0.2)
    assert found["Retrieval, real - Matching, real"] == pytest.approx(0.2)
    verdicts = conclusions(name, effects([name], values))
    assert verdicts.real.tolist() == verdicts.test.tolist() == ["holds in one seed"] * 2


def test_an_interval_covers_seeds_and_sequences():
    seeds = [1.0, 2.0, 3.0]  # variance of the mean: 1 / 3
    assert interval(seeds) == pytest.approx((2 - 4.3027 / 3**0.5, 2 + 4.3027 / 3**0.5), rel=1e-4)
    resampled = np.tile([-1.0, 1.0], (3, 500))  # variance 1, times 5 / 4 for five sequences
    low, high = interval(seeds, resampled, 5)
    total = 1 / 3 + 1.25 * 1000 / 999
    degrees = total**2 / ((1 / 3) ** 2 / 2 + (1.25 * 1000 / 999) ** 2 / 4)
    assert 4 < degrees < 6 and high - 2 == pytest.approx(2 - low)
    assert 2.57 * total**0.5 > high - 2 > 2.45 * total**0.5  # t quantiles of 5 and 6 degrees


def test_one_seed_has_no_interval():
    assert np.isnan(interval([1.0])).all()


def test_draws_of_paired_sequences_make_the_interval_of_their_difference(table):
    """Sequences that are hard for both rows do not widen the interval of the difference."""
    name = table(better("two is better", "two", "one", ("Matching",)))
    values = cells({("one", "Matching"): [0.5, 0.5], ("two", "Matching"): [0.6, 0.6]})
    shared = np.random.default_rng(0).normal(size=100)
    draws = {("one", "Matching"): [shared] * 2, ("two", "Matching"): [shared + 0.1] * 2}
    draws = cells(draws, "draws").assign(sequences=[("v_a", "v_b")] * 4)
    line = effects([name], values, draws).iloc[0]
    assert line.low == pytest.approx(0.1, abs=1e-6) and line.high == pytest.approx(0.1, abs=1e-6)


def test_draws_of_other_sequences_are_not_paired(table):
    name = table(better("two is better", "two", "one", ("Matching",)))
    values = cells({("one", "Matching"): [0.5, 0.7], ("two", "Matching"): [0.6, 0.9]})
    noise = np.random.default_rng(0).normal(size=(4, 100))
    draws = {("one", "Matching"): list(noise[:2]), ("two", "Matching"): list(noise[2:])}
    draws = cells(draws, "draws")
    other = draws.assign(sequences=[("v_a", "v_b")] * 2 + [("v_a", "v_c")] * 2)
    same = draws.assign(sequences=[("v_a", "v_b")] * 4)
    alone, unpaired, paired = (effects([name], values, d).high[0] for d in (None, other, same))
    assert alone == unpaired != paired


@pytest.mark.parametrize(
    "intervals, expected",
    [
        ([(0.1, 0.2, 0.3)], "holds"),
        ([(0.1, 0.2, 0.3), (-0.1, 0.1, 0.3)], "holds on average"),
        ([(0.1, 0.2, 0.3), (-0.3, -0.1, 0.1)], "in part on average"),
        ([(-0.3, -0.1, 0.1)], "the opposite on average"),
        ([(-0.3, -0.2, -0.1)], "the opposite holds"),
        ([(np.nan, 0.2, np.nan)], "holds in one seed"),
        ([(np.nan, np.nan, np.nan)], "not run"),
        ([(0.1, 0.2, 0.3), (np.nan, np.nan, np.nan)], "not complete"),
    ],
)
def test_a_verdict_needs_the_whole_interval_to_be_sure(intervals, expected):
    assert verdict(pd.DataFrame(intervals, columns=["low", "mean", "high"])) == expected


@pytest.mark.parametrize(
    "line, expected",
    [
        ((-0.01, 0.0, 0.01), "holds"),
        ((-0.03, 0.0, 0.03), "holds on average"),
        ((-0.01, 0.03, 0.07), "does not hold on average"),
        ((0.03, 0.05, 0.07), "does not hold"),
        ((-0.07, -0.05, -0.03), "does not hold"),
    ],
)
def test_rows_are_alike_when_the_whole_interval_is_within_the_limit(line, expected, table):
    assert alike("alike", "one", "two", 0.02).within == 0.02
    assert verdict(pd.DataFrame([line], columns=["low", "mean", "high"]), 0.02) == expected


def test_every_conclusion_of_a_table_has_a_text_of_its_own():
    for name, table in TABLES.items():
        texts = [claim.text for claim in table.claims]
        assert len(texts) == len(set(texts)), name

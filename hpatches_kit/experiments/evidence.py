"""Whether the conclusions of the reports hold: effects, their intervals, and verdicts.

An effect is a difference between cells of a table. Its interval covers two things that can change
it: the seed of the training, and the choice of the test sequences.
"""

import numpy as np
import pandas as pd
from scipy.stats import t

from hpatches_kit.experiments.tables import TABLES
from hpatches_kit.experiments.tables.table import DENOISER, LOWER_IS_BETTER, is_real

LEVEL = 0.95


def effects(names, values, draws=None):
    """Compute the effects of all claims of these tables, with intervals.

    The variance of an effect is the variance over seeds divided by their number, plus the bootstrap
    variance over test sequences of the mean over seeds; the interval has the t quantile of their
    degrees of freedom (Satterthwaite). Only seeds that have all numbers of an effect count.

    Args:
        names: of the tables.
        values: the DataFrame of `numbers`, or of a `numbers.csv`.
        draws: the DataFrame of `draws`; without it, or for numbers that are not scores, the
            interval covers the seeds alone.

    Returns a DataFrame with columns `table`, `conclusion`, `effect`, `on` (`"real"` for scores on real
    sequences, else `"test"`), `mean`, `low`, `high`, `seeds`. Effects are positive where the
    conclusion holds; low and high are NaN where nothing is known of the variance.
    """
    columns = ["table", "conclusion", "effect", "on", "mean", "low", "high", "seeds"]
    lines = [line for name in names for line in _effects_of_table(name, values, draws)]
    return pd.DataFrame(lines, columns=columns)


def _effects_of_table(name, values, draws):
    table = TABLES[name]
    cells = _by_cell(name, values, "value")
    sampled = _by_cell(name, draws, "draws") if draws is not None else {}
    tested = _by_cell(name, draws, "sequences") if draws is not None else {}
    for claim in table.claims:
        for label, chosen in claim.effects.items():
            key, _ = table.columns[chosen[0][1]]
            sign = -1 if key.removeprefix(DENOISER).removeprefix("val_") in LOWER_IS_BETTER else 1
            seeds = sorted(set.intersection(*(set(cells.get(cell, ())) for cell in chosen)))
            by_seed = [sign * _contrast([cells[cell][seed] for cell in chosen]) for seed in seeds]
            resampled, sequences = [], 0
            scored = {tested.get(cell, {}).get(seed) for cell in chosen for seed in seeds}
            if len(scored) == 1 and None not in scored:  # all on the same sequences
                resampled = [_contrast([sampled[cell][seed] for cell in chosen]) for seed in seeds]
                sequences = len(scored.pop())
            mean = np.mean(by_seed) if seeds else np.nan
            low, high = interval(by_seed, resampled, sequences)
            on = "real" if any(is_real(column) for _, column in chosen) else "test"
            yield name, claim.text, label, on, mean, low, high, len(seeds)


def interval(by_seed, resampled=(), sequences=0):
    """The interval of an effect: `(low, high)`, NaN if it is known for one seed only.

    Args:
        by_seed: the effect for each seed.
        resampled: `(seeds, draws)`, the effect for each seed in each bootstrap draw of the test
            sequences, up to its sign.
        sequences: number of test sequences.
    """
    seeds = len(by_seed)
    if seeds < 2:
        return np.nan, np.nan
    variances, freedom = [np.var(by_seed, ddof=1) / seeds], [seeds - 1]
    if len(resampled) and sequences > 1:
        # The bootstrap of few sequences underestimates the variance by this factor.
        factor = sequences / (sequences - 1)
        variances.append(factor * np.nanvar(np.mean(resampled, axis=0), ddof=1))
        freedom.append(sequences - 1)
    total = sum(variances)
    if total == 0:
        return np.mean(by_seed), np.mean(by_seed)
    degrees = total**2 / sum(v**2 / f for v, f in zip(variances, freedom))
    half = t.ppf((1 + LEVEL) / 2, degrees) * np.sqrt(total)
    return np.mean(by_seed) - half, np.mean(by_seed) + half


def verdict(effects, within=None):
    """Say in a few words whether a conclusion holds.

    It holds if all effects are positive (or smaller than `within`) with their whole intervals; on
    average if only their means are, which may be chance; in one seed if there are no intervals; in
    part if some means are positive.

    Args:
        effects: the rows of `effects` for one conclusion, on one kind of sequences.
        within: of the `Claim`.
    """
    if effects["mean"].isna().any():
        return "not run" if effects["mean"].isna().all() else "not complete"
    mean, low, high = (effects[name].to_numpy() for name in ("mean", "low", "high"))
    unsure = " on average" if np.isfinite(low).all() else " in one seed"
    if within is not None:
        if (abs(mean) <= within).all():
            is_sure = (low > -within).all() and (high < within).all()
            return "holds" if is_sure else f"holds{unsure}"
        is_sure = ((low > within) | (high < -within)).any()
        return "does not hold" if is_sure else f"does not hold{unsure}"
    if (mean > 0).all():
        return "holds" if (low > 0).all() else f"holds{unsure}"
    if (mean <= 0).all():
        return "the opposite holds" if (high < 0).all() else f"the opposite{unsure}"
    return f"in part{unsure}"


def conclusions(name, effects):
    """Say of each conclusion of a table whether it holds.

    Takes the name of a table, and the DataFrame of `effects`, which may hold other tables as well.
    Returns a DataFrame with columns `conclusion`, `test`, `real`: the verdicts on the test or
    validation set and on real sequences (empty for numbers that are not scores).
    """
    effects, lines = effects[effects.table == name], []
    for claim in TABLES[name].claims:
        of_claim = effects[effects.conclusion == claim.text]
        verdicts = {
            on: verdict(of_claim[of_claim.on == on], claim.within)
            for on in ("test", "real")
            if on in set(of_claim.on)
        }
        lines.append({"conclusion": claim.text, "test": "", "real": ""} | verdicts)
    return pd.DataFrame(lines, columns=["conclusion", "test", "real"])


def _by_cell(name, frame, column):
    """`{(row, column): {seed: value}}` of a table, without missing numbers."""
    cells = {}
    for line in frame[frame.table == name].to_dict("records"):
        value = line[column]
        if column != "value" or not pd.isna(value):
            cells.setdefault((line["row"], line["column"]), {})[line["seed"]] = value
    return cells


def _contrast(values):
    first, second, *rest = values
    return first - second - (rest[0] - rest[1] if rest else 0)

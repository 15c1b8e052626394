"""Mistakes in the exercises of lesson 8, and what the checks say of them."""

HALF = "half_width = t * np.std(differences, ddof=1) / np.sqrt(len(differences))"
WORD = '"clear" if abs(mean) > half_width else "unclear"'

PLANTED = (
    ("scores_by_seed", 'return chosen["value"].to_numpy()', "", "is a `return` missing?"),
    ("scores_by_seed", '.sort_values("seed")', "", "in the order of the lines, seeds 2, 0, 1"),
    ("scores_by_seed", '"seed")', '"value")', "are sorted by value"),
    ("scores_by_seed", '"seed")', '"seed", ascending=False)', "the last seed comes first"),
    ("scores_by_seed", "(values.table == table) & ", "", "are scores of another table"),
    ("scores_by_seed", "(values.row == row) & ", "", "are scores of another row"),
    ("scores_by_seed", " & (values.column == column)", "", "are scores of another column"),
    (
        "scores_by_seed",
        "(values.row == row)",
        "values.row.str.contains(row)",
        "are scores of another row",
    ),
    (
        "scores_by_seed",
        "(values.column == column)",
        "values.column.str.startswith(column)",
        "are scores of another column",
    ),
    (
        "scores_by_seed",
        "(values.table == table) & (",
        "(values.table == table) and (",
        "join conditions",
    ),
    ("scores_by_seed", ".to_numpy()", ".mean()", "expected one for each seed"),
    ("scores_by_seed", ".to_numpy()", ".to_numpy()[:1]", "the result has length 1"),
    ("scores_by_seed", '["value"].to_numpy()', "", "is a DataFrame: expected numbers"),
    ("scores_by_seed", "table == table", 'table == "first"', "Use the argument `table`"),
    ("scores_by_seed", "row == row", 'row == "deep"', "Use the argument `row`"),
    ("scores_by_seed", "column == column", 'column == "Matching"', "Use the argument `column`"),
    ("scores_by_seed", "values.table == table", "values.table == row", "it returns no numbers"),
    (
        "scores_by_seed",
        "chosen = ",
        'values.sort_values("seed", inplace=True)\n    chosen = ',
        "it changes `values`",
    ),
    ("effect", f"return mean, half_width, {WORD}", "", "is a `return` missing?"),
    ("effect", f", {WORD}", "", "expected three things"),
    (
        "effect",
        "mean, half_width, ",
        "mean, [mean - half_width, mean + half_width], ",
        "one number",
    ),
    ("effect", WORD, "abs(mean) > half_width", "expected 'clear' or 'unclear'"),
    ("effect", "scores - baseline", "baseline - scores", "not the scores from the baseline"),
    ("effect", "np.mean(differences)", "np.sum(differences)", "Divide the sum"),
    (
        "effect",
        "np.mean(differences)",
        "np.max(scores) - np.max(baseline)",
        "You compare the best seeds",
    ),
    ("effect", "np.mean(differences)", "np.median(differences)", "Is it the median?"),
    ("effect", "np.mean(differences)", "np.mean(scores)", "subtract the baseline first"),
    ("effect", ", ddof=1", "", "You divide by n = 3"),
    ("effect", "np.std(differences", "np.std(scores", "the standard deviation of the scores"),
    ("effect", "np.std(differences", "np.std(baseline", "the standard deviation of the baseline"),
    (
        "effect",
        HALF,
        "half_width = t * np.sqrt((np.var(scores, ddof=1) + np.var(baseline, ddof=1)) / len(scores))",
        "You treat the rows as unpaired",
    ),
    ("effect", " / np.sqrt(len(differences))", "", "divide by sqrt(n)"),
    ("effect", "np.sqrt(len(differences))", "len(differences)", "not by n"),
    ("effect", "t * np.std", "np.std", "multiply by t"),
    ("effect", "t * np.std", "1.96 * np.std", "1.96 is for many seeds"),
    ("effect", "t * np.std", "2 * t * np.std", "That is the whole width"),
    ("effect", "np.std", "np.var", "take its square root"),
    ("effect", "t * np.std", "4.303 * np.std", "the argument t"),
    ("effect", "abs(mean) > half_width", "mean > half_width", "an effect below zero"),
    ("effect", "abs(mean) > half_width", "mean != 0", "although every seed is ahead"),
    ("effect", "abs(mean) > half_width", "abs(differences).max() > half_width", "the best"),
    ("effect", "abs(mean) > half_width", "abs(mean) >= half_width", "no difference at all"),
    ("effect", "abs(mean) > half_width", "abs(mean) < half_width", 'which is "clear"'),
)

WITH_LOOP = """
def scores_by_seed(values, table, row, column):
    by_seed = {}
    for line in values.to_dict("records"):
        if (line["table"], line["row"], line["column"]) == (table, row, column):
            by_seed[line["seed"]] = line["value"]
    return [by_seed[seed] for seed in sorted(by_seed)]
"""
WITH_QUERY = """
def scores_by_seed(values, table, row, column):
    chosen = values.query("table == @table and row == @row and column == @column")
    return chosen.set_index("seed").sort_index().value
"""
WITHOUT_NUMPY = """
def effect(scores, baseline, t=4.303):
    differences = [float(a - b) for a, b in zip(scores, baseline)]
    n = len(differences)
    mean = sum(differences) / n
    variance = sum((d - mean) ** 2 for d in differences) / (n - 1)
    half = t * (variance / n) ** 0.5
    low, high = mean - half, mean + half
    if low > 0 or high < 0:
        return [mean, half, "clear"]
    return [mean, half, "unclear"]
"""
WITH_KERAS = """
def effect(scores, baseline, t=4.303):
    d = keras.ops.convert_to_tensor(scores - baseline, "float64")
    n = d.shape[0]
    half = t * keras.ops.sqrt(keras.ops.var(d) / (n - 1))
    mean = keras.ops.mean(d)
    return mean, half, "clear" if float(keras.ops.abs(mean)) > float(half) else "unclear"
"""

ALSO_RIGHT = (
    ("scores_by_seed", WITH_LOOP),
    ("scores_by_seed", WITH_QUERY),
    ("effect", WITHOUT_NUMPY),
    ("effect", WITH_KERAS),
)

"""`Scores`: tables, files, comparisons and confidence intervals."""

import json
import re
import warnings
from dataclasses import replace
from io import BytesIO

import numpy as np
import pandas as pd
import pytest

import hpatches_kit as hk
from hpatches_kit._support.errors import UserError
from hpatches_kit.benchmark import bootstrap
from hpatches_kit.benchmark.bootstrap import interval
from hpatches_kit.benchmark.precision_recall import average_precision


@pytest.fixture(scope="module")
def scores(descriptors):
    return hk.benchmark.evaluate(descriptors)


@pytest.fixture(scope="module")
def matlab(descriptors):
    return hk.benchmark.evaluate(descriptors, protocol="matlab")


@pytest.fixture(scope="module")
def worse(descriptors):
    values = descriptors.values + np.random.default_rng(5).normal(0, 0.3, descriptors.values.shape)
    return hk.benchmark.evaluate(hk.Descriptors(values, descriptors.sequence, name="worse"))


def test_scores_are_displayed_as_a_table(scores):
    frame = scores.frame()
    assert list(frame.columns) == ["easy", "hard", "tough", "mean"]
    np.testing.assert_allclose(frame[["easy", "hard", "tough"]].mean(axis=1), frame["mean"])
    assert "verification" in scores._repr_html_() and "1,500 pairs" in repr(scores)
    assert scores.title == "random"
    assert scores.mean_ap == pytest.approx(frame["mean"].mean())
    assert scores.to_markdown().splitlines()[0].startswith("| random")
    assert f"{frame.loc['matching', 'hard']:.3f}" in scores.to_markdown()
    assert r"\toprule" in scores.to_latex() and "matching" in scores.to_latex()
    neutral = scores.frame("tie_neutral")
    expected = [scores[task]["tie_neutral"]["mean_ap"] for task in scores.tasks]
    np.testing.assert_allclose(neutral["mean"], expected)


def test_tidy_has_every_number_in_a_row_of_its_own(scores):
    tidy = scores.tidy()
    rows = tidy.query("variant == 'official' and task == 'verification' and level == 'h'")
    auc = rows.query("part == 'intra' and number == 'auc'").value.item()
    assert auc == scores["verification"]["h"]["intra"]["auc"]
    images = tidy.query("task == 'matching' and number == 'sr'")
    assert len(images) == 3 * 3 * 5 and "v_a/h3" in set(images.part)
    pools = tidy.query("variant == 'tie_neutral' and task == 'retrieval' and level == 't'")
    assert pools.value.item() == scores["retrieval"]["tie_neutral"]["t"]["45"]
    assert set(tidy.protocol) == {"python"} and set(tidy.variant) == {"official", "tie_neutral"}


def test_tidy_has_the_numbers_that_only_the_matlab_protocol_has(matlab):
    tidy = (
        matlab.tidy().query("variant == 'official'").set_index(["task", "level", "part", "number"])
    )
    assert set(tidy.protocol) == {"matlab"}
    value, verification, matching = tidy.value, matlab["verification"], matlab["matching"]
    balanced = value["verification", "e", "inter", "balanced_ap"]
    assert balanced == verification["e"]["inter"]["balanced_ap"]
    viewpoint = value["matching", "t", "viewpoint", "ap"]
    assert viewpoint == matching["categories"]["viewpoint"]["t"]
    assert value["matching", "t", "all", "ratio_ap"] == matching["ratio"]["t"]
    assert value["matching", "t", "i_b/t3", "ratio_ap"] > 0
    assert value["retrieval", "h", "45", "ap"] == matlab["retrieval"]["h"]["45"]


def test_json_contains_everything_and_is_read_back(scores, worse, tmp_path):
    scores.save(tmp_path / "results" / "single.json")
    content = json.loads((tmp_path / "results" / "single.json").read_text())
    assert content["format"] == 4 and content["kind"] == ""
    assert content["provenance"] == scores.provenance
    assert content["protocol"]["name"] == "python" and not content["protocol"]["mask_after_cut"]
    assert content["verification"]["e"]["intra"]["ap"] > 0
    assert content["matching"]["seconds"] >= 0 and content["retrieval"]["e"]["45"] > 0
    (loaded,) = hk.benchmark.load_scores(tmp_path / "results" / "single.json")
    assert repr(loaded) == repr(scores)
    hk.benchmark.save_scores([scores, worse], tmp_path / "both.json")
    both = hk.benchmark.load_scores(tmp_path / "both.json")
    assert [loaded.name for loaded in both] == ["random", "worse"]
    pd.testing.assert_frame_equal(both[1].tidy(), worse.tidy())
    expected = hk.benchmark.compare(scores, worse)
    pd.testing.assert_frame_equal(hk.benchmark.compare(*both), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no json", "is not a scores file"),
        ("[1]", "is not a scores file"),
        ("{}", "is not a scores file"),
        ('{"format": 3}', "is not a scores file.*format 3, this version reads format 4"),
        ('{"format": 4}', "is not a scores file.*'name' is missing, expected text"),
    ],
)
def test_other_files_are_refused(text, message, tmp_path):
    (tmp_path / "file.json").write_text(text)
    with pytest.raises(ValueError, match=f"file.json {message}"):
        hk.benchmark.load_scores(tmp_path / "file.json")


def test_a_file_records_the_protocol(matlab, tmp_path):
    other = replace(hk.benchmark.MATLAB, distractors="all", ratio_ap=False)
    changed = replace(matlab, protocol=other)
    hk.benchmark.save_scores([matlab, changed], tmp_path / "scores.json")
    loaded = hk.benchmark.load_scores(tmp_path / "scores.json")
    assert [result.protocol for result in loaded] == [hk.benchmark.MATLAB, other]
    assert repr(loaded[0]) == repr(matlab)
    content = json.loads((tmp_path / "scores.json").read_text())["scores"]
    names = [result["protocol"]["name"] for result in content]
    assert names == ["matlab", "paper with ratio_ap=False"]


def test_the_rules_are_printed_below_the_table(scores, matlab):
    for text in (repr(scores), scores._repr_html_()):
        assert "mean AP; protocol: python; L2 distance, official sampling rule" in text
        assert "AP is the area under the precision-recall curve." in text
        assert "verification: at equal distance the negative ranks first." in text
        assert "matching: mean over 3 sequences." in text
    pool = "retrieval: one pool of 45 patches, 26 to 38 without the query's own sequence."
    assert pool in repr(scores)  # the lists have 40 distractors, fewer than a pool of 100 needs
    for text in (repr(matlab), matlab._repr_html_()):
        assert "mean AP; protocol: matlab; L2 distance" in text
        assert "AP is the mean precision at the positives." in text
        rule = "verification: squared distances; at equal distance the positive ranks first."
        assert rule in text
        rule = "matching: mean over categories of sequences: 1 illumination, 2 viewpoint."
        assert rule in text
        assert pool in text


def test_only_the_rules_of_scored_tasks_are_printed(descriptors):
    single = hk.Descriptors(descriptors.values[:25], descriptors.sequence[:25])
    rules = hk.benchmark.evaluate(single, only="matching").rules
    assert rules[1:] == [
        "AP is the area under the precision-recall curve.",
        "matching: one sequence.",
    ]


def test_several_pools_are_named(descriptors):
    tasks = hk.benchmark.draw_tasks(descriptors)
    tasks.pools = (10, 20, 30)
    scores = hk.benchmark.evaluate(descriptors, tasks, only="retrieval")
    assert "retrieval: mean over pools of 10, 20 and 30 patches" in repr(scores)


def test_scores_of_different_protocols_are_neither_compared_nor_drawn_together(scores, matlab):
    with pytest.raises(ValueError, match="protocols cannot be compared: random has matlab; random"):
        hk.benchmark.compare(scores, matlab)
    for draw in (hk.plots.scores, hk.plots.pools):
        with pytest.raises(ValueError, match="Scores of different protocols"):
            draw(scores, matlab)
    assert len(hk.benchmark.compare(matlab, matlab)) == 6
    hk.plots.scores(matlab, matlab)


def test_a_table_of_several_protocols_names_them(scores, matlab):
    assert list(hk.benchmark.table(scores, matlab).protocol) == ["python", "matlab"]


def test_a_table_has_a_row_for_each_descriptor(scores, worse):
    both = hk.benchmark.table(scores, worse)
    assert list(both.columns) == ["kind", "descriptor", "verification", "matching", "retrieval"]
    assert both.loc[0, "matching"] == scores["matching"]["mean_ap"] > both.loc[1, "matching"]


def test_a_comparison_pairs_the_same_sequences(scores, worse):
    rows = hk.benchmark.compare(scores, worse).set_index(["descriptor", "task"])
    assert (rows.low <= rows.mean_ap).all() and (rows.mean_ap <= rows.high).all()
    differences = rows.loc["random", ["difference", "difference_low", "difference_high"]]
    assert (differences == 0).all(axis=None)
    of_worse = rows.loc["worse"]
    assert (of_worse.difference_high < 0).all()  # worse for all draws of the sequences
    width = (rows.high - rows.low).groupby("task").sum()[of_worse.index]
    assert (of_worse.difference_high - of_worse.difference_low < width).all()  # draws are paired
    narrow = hk.benchmark.compare(scores, level=0.5).set_index("task")
    assert (narrow.high - narrow.low < (rows.high - rows.low).loc["random"]).all()


def test_scores_of_different_tasks_are_not_compared(scores, descriptors):
    other = hk.benchmark.evaluate(descriptors, distance="L1")
    with pytest.raises(ValueError, match="Scores of different task lists or distances cannot"):
        hk.benchmark.compare(scores, other)
    tasks = hk.benchmark.draw_tasks(descriptors)
    other = hk.benchmark.evaluate(descriptors, tasks, only="matching")
    with pytest.raises(ValueError, match="tasks cannot be compared: random has matching;"):
        hk.benchmark.compare(scores, other)
    with pytest.raises(ValueError, match="no scores to compare"):
        hk.benchmark.compare()


def test_resampling_draws_as_many_sequences_as_there_are():
    drawn = bootstrap.resampling(7)
    assert drawn.shape == (1000, 7) and (drawn.sum(axis=1) == 7).all()
    np.testing.assert_array_equal(drawn, bootstrap.resampling(7))


def test_the_interval_of_a_mean_agrees_with_the_normal_approximation():
    values = np.random.default_rng(0).normal(size=400)
    low, high = bootstrap.interval(bootstrap.resampled_means(values, np.ones(400)))
    error = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - error, values.mean() + error), abs=0.02)


def test_resampled_average_precision_is_that_of_the_resampled_pairs():
    rng, sequences, bins = np.random.default_rng(0), 6, 4000
    shift = rng.normal(0, 300, sequences)[:, None]  # some sequences are harder
    distances = {
        k: (2000 + k + shift + rng.normal(0, 300, (sequences, 500))).astype(int)
        for k in (-300, 300)
    }
    positive, negative = (
        np.stack([np.bincount(row, minlength=bins)[:bins] for row in distances[k]])
        for k in (-300, 300)
    )

    def average_precision_of(drawn):
        near, far = (np.concatenate([distances[k][s] for s in drawn]) for k in (-300, 300))
        before = (far <= np.sort(near)[:, None]).sum(axis=1)  # negatives first
        return average_precision(before)

    draws = bootstrap.resampled_average_precision(
        positive, negative, average_precision_of(range(sequences))
    )
    for drawn, resampled in list(zip(bootstrap.resampling(sequences), draws))[:20]:
        expected = average_precision_of(np.repeat(range(sequences), drawn))
        assert resampled == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("kind", ["distinct", "bits", "blank", "constant"])
def test_intervals_contain_their_score_despite_ties(kind):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(400, 1, 24)) + rng.normal(size=(400, 16, 24))
    if kind == "bits":
        values = (values > 0) * 1.0
    elif kind == "blank":
        values[rng.random((400, 16)) < 0.3] = 0
    elif kind == "constant":
        values[:] = 1
    descriptors = hk.Descriptors(values, np.repeat([f"v_{k}" for k in range(10)], 40))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = hk.benchmark.compare(hk.benchmark.evaluate(descriptors))
    assert (rows.low <= rows.mean_ap + 1e-12).all() and (rows.mean_ap <= rows.high + 1e-12).all()
    assert (rows.high - rows.low < 0.2).all()


def test_one_sequence_has_no_interval_and_its_scores_can_be_saved(descriptors, tmp_path):
    alone = hk.benchmark.evaluate(descriptors.select(["v_a"]))
    rows = hk.benchmark.compare(alone, alone)
    assert rows[["low", "high", "difference_low", "difference_high"]].isna().all(axis=None)
    alone.save(tmp_path / "alone.json")
    assert "NaN" not in (tmp_path / "alone.json").read_text()
    (loaded,) = hk.benchmark.load_scores(tmp_path / "alone.json")
    assert np.isnan(loaded["matching"]["draws"]).all()
    hk.plots.scores(alone)


def test_the_interval_of_resampled_scores_contains_the_score(scores):
    for numbers in scores.tasks.values():
        low, high = interval(numbers["draws"])
        assert low < numbers["mean_ap"] < high and high - low < 0.5


def test_the_draws_of_all_tasks_hold_the_same_sequences_whatever_their_names():
    """In each draw, a sequence with perfect descriptors counts as often in matching and retrieval."""
    rng = np.random.default_rng(0)
    lengths = {"v_z": 12, "i_a": 12, "v_m": 12}  # not in alphabetical order
    values = rng.normal(size=(36, 16, 8)).astype("float32")
    values[:12] = values[:12, :1] + 0.01 * values[:12]  # of v_z, the views of a point are alike
    names = np.repeat(list(lengths), 12)
    scores = hk.benchmark.evaluate(hk.Descriptors(values, names), progress=False)
    matching, retrieval = (scores[task]["draws"] for task in ("matching", "retrieval"))
    assert np.corrcoef(matching, retrieval)[0, 1] > 0.9


def shift(content, task, by):
    """Change the scores of a task and its mean alike."""
    for key in ("mean_ap", "e", "h", "t"):
        content[task][key] += by


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda c: c["matching"].update(mean_ap=np.nan),
            "mean_ap is nan, expected a number from 0",
        ),
        (lambda c: c["verification"]["e"]["intra"].update(ap=42), "official e is 42"),
        (lambda c: c["verification"]["tie_neutral"]["h"]["inter"].update(auc="1"), "tie_neutral h"),
        (lambda c: c["retrieval"].update(e={}), "official e is empty"),
        (
            lambda c: c["retrieval"].update(e={"x": c["retrieval"]["e"]["45"]}),
            "the sizes of the pools",
        ),
        (lambda c: c["retrieval"].update(mean_ap=0.99), "mean_ap is 0.9900, but the mean of its"),
        (lambda c: c["retrieval"]["mean_per_pool"].update(x=0.5), "its parts have other pools"),
        (lambda c: c["retrieval"]["pool_sizes"].update({"45": [1, "<b>"]}), "the sizes of a pool"),
        (lambda c: c["matching"]["categories"].update(x={"sequences": 1}), "its categories are"),
        (lambda c: c["matching"]["categories"]["viewpoint"].update(e=0.99), "viewpoint e is 0.99"),
        (lambda c: c["matching"]["ratio"].update(h=42), "matching is 42, expected a number"),
        (lambda c: c["protocol"].update(categories="yes"), "categories is yes, expected true or"),
        (lambda c: c["protocol"].update(distractors=-1), "distractors=-1: expected a positive"),
        (lambda c: c["protocol"].update(colour=1), "colour is 1"),
        (lambda c: shift(c, "matching", 0.01), "e is .* but the mean of its parts is"),
        (lambda c: c["matching"].update(draws=[7] * 1000), "a draw is 7"),
        (lambda c: c["matching"].update(draws=[0.5]), "draws is not a list of 1000 numbers"),
        (lambda c: c["matching"].pop("tie_neutral"), "matching has other parts than expected"),
        (lambda c: c.update(sequences=["v_a"]), "its sequences are not those of the scores"),
        (lambda c: [c.pop(task) for task in ("verification", "matching", "retrieval")], "none of"),
        (lambda c: c.update(name="a\x1b[2J"), "not a short text without control characters"),
        (lambda c: c.update(warnings=["x" * 2000]), "not a short text"),
        (lambda c: c.update(warnings="none"), "'warnings' is of another type, expected a list"),
        (lambda c: c.update(scores=[]), "expected a list of scores"),
    ],
)
def test_scores_that_no_evaluation_gives_are_refused(change, message, matlab, tmp_path):
    content = json.loads(json.dumps(matlab.to_dict()))
    change(content)
    (tmp_path / "file.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match=rf"file\.json is not a scores file: .*{message}"):
        hk.benchmark.load_scores(tmp_path / "file.json")


def test_names_and_warnings_of_others_are_text_in_every_format(scores):
    name = r"<script>x</script> | \input{/etc/passwd} $\frac{$ `x` [a](b)"
    stranger = replace(scores, name=name, provenance="<img src=x>", warnings=["<a href=x>"])
    assert not re.search("<(script|img|a )", stranger._repr_html_())
    markdown = stranger.to_markdown()
    assert "<script" not in markdown and not re.search(r"(?<!\\)[\[`]", markdown)
    columns = {len(re.findall(r"(?<!\\)\|", line)) for line in markdown.splitlines()}
    assert columns == {6}
    latex = stranger.to_latex()
    assert r"\input" not in latex and "$" not in latex.replace(r"\$", "")
    for figure in (hk.plots.scores(stranger), hk.plots.pools(stranger)):
        figure.savefig(BytesIO())


def test_a_name_cannot_add_a_cell_to_a_table_or_leave_its_legend(scores):
    stranger = replace(scores, name="_a\\| b |")
    head = stranger.to_markdown().splitlines()[0]
    unescaped = re.sub(r"\\[\\|]", "", head)  # as Markdown reads it: pairs from the left
    assert unescaped.count("|") == 6
    legend = hk.plots.pools(stranger).legends[0]
    assert [text.get_text().strip() for text in legend.get_texts()] == [stranger.title]

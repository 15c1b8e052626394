"""Thirty submissions, of which five are hostile and four cheat, from the folder to the page."""

import csv
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from submissions import card, hostile_files, write_submission

import hpatches_kit as hk

EVIL = "<script>alert(1)</script><img src=x>"
HONEST = [f"student{k:02}" for k in range(20)]
BAD = {
    "bomb": "bytes, expected at most",
    "labels": "contains descriptors, label, sequence",
    "link": "is a link",
    "cut off": "not a zip file",
    "nan": "NaN, infinity or numbers beyond",
}


@pytest.fixture(scope="module")
def marked(challenge, tmp_path_factory):
    """The results, the table and the folder of 30 submissions and one reference."""
    folder = tmp_path_factory.mktemp("marked")
    submissions, rng = folder / "submissions", np.random.default_rng(0)
    good = hk.baselines.resized(challenge.patches).astype(np.float64)
    rows, key = len(good), challenge.key

    def add(name, values, /, **fields):
        write_submission(submissions, name, values, card(key, **({"name": name} | fields)))

    for k, name in enumerate(HONEST):
        add(name, good @ rng.normal(size=(36, 2 + k)), method="A random projection.")
    add("copy", good @ np.linalg.qr(rng.normal(size=(36, 36)))[0])
    add("original", good, name=EVIL, method="../../../etc/passwd", command="x" * 300)
    add("=1+1", good[:, :7], name='=HYPERLINK(1);"=2', training_data="[click](javascript:alert(3))")
    add("row numbers", np.arange(rows)[:, None])
    add("constant", np.ones((rows, 128)))
    hostile = hostile_files(rows)
    contents = {
        "bomb": hostile["a zip bomb"][0],
        "labels": hostile["forged labels"][0],
        "cut off": hostile["a truncated zip"][0],
        "nan": hostile["NaN"][0],
    }
    for name, content in contents.items():
        add(name, good)
        (submissions / f"{name}.npz").write_bytes(content)
    add("link", good)
    (submissions / "link.npz").unlink()
    (submissions / "link.npz").symlink_to(challenge.folder / "key.npz")
    write_submission(
        folder / "references", "mean", good[:, :2], card(key, name="baseline", parameters=5_000_000)
    )
    results, table = hk.course.challenge.score(
        submissions,
        challenge.folder / "key.npz",
        folder / "marks",
        references=folder / "references",
        progress=False,
    )
    return folder / "marks", results, table.set_index("submission")


def test_all_are_listed_best_first_then_references_then_problems(marked):
    _, results, table = marked
    assert len(table) == 30 + 3
    ranked = table[table["rank"].notna()]
    assert list(table.index[:25]) == list(ranked.index) and ranked["mean"].is_monotonic_decreasing
    assert set(table.index[25:28]) == {"mean", "chance", "pixels"}
    assert set(table.index[28:]) == set(BAD)
    assert [result.rank for result in results[:2]] == [1, 2]


def test_a_bad_submission_gets_a_sentence_and_stops_no_other(marked):
    folder, _, table = marked
    for name, message in BAD.items():
        assert message in table.problem[name]
        (feedback,) = (folder / "feedback").glob(f"{name.replace(' ', '-')}-*.md")
        text = feedback.read_text()
        assert "**Not scored.**" in text and "Correct it and hand it in again." in text
    assert (table.problem[table["rank"].notna()] == "").all()


def test_those_that_do_not_look_at_the_patches_score_at_chance(marked):
    _, _, table = marked
    assert abs(table["mean"]["row numbers"] - table["mean"]["chance"]) < 0.05
    assert abs(table["mean"]["constant"] - table["mean"]["chance"]) < 0.05
    assert "Identical patches have different descriptors" in table.notes["row numbers"]
    assert "exactly equal" in table.notes["constant"]
    assert (table.notes[HONEST] == "").all()


def test_copies_are_named_to_the_teacher_only(marked):
    folder, _, table = marked
    assert table.copy_of["copy"] == "original" and table.copy_of["original"] == "copy"
    assert (table.copy_of[["row numbers", "constant"]] == "").all()
    (feedback,) = (folder / "feedback").glob("copy-*.md")
    assert "almost the same as in another submission" in feedback.read_text()
    assert "original" not in feedback.read_text()


def test_the_private_half_ranks_and_both_are_in_the_table(marked):
    _, _, table = marked
    scored = table[table["mean"].notna()]
    assert (scored["mean"] == scored["private_mean"]).all()
    tasks = ["verification", "matching", "retrieval"]
    for half in ("public", "private"):
        mean = scored[[f"{half}_{task}" for task in tasks]].mean(axis=1)
        np.testing.assert_allclose(mean, scored[f"{half}_mean"])
    assert ((scored.low <= scored["mean"]) & (scored["mean"] <= scored.high)).all()
    assert re.fullmatch(r"[\d, –]+", table.tied_with["copy"])


def test_the_table_on_disk_holds_no_formula_of_a_stranger(marked):
    with open(marked[0] / "scores.csv", newline="", encoding="utf-8-sig") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 33 and rows[0]["rank"] == "1"
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert {"'=1+1", "'=HYPERLINK(1);'\"=2"} <= set(cells)


class Page(HTMLParser):
    """Collects what a browser would load, run or show of a page."""

    def __init__(self, file):
        super().__init__()
        self.tags, self.addresses, self.handlers, self.text = [""], [], [], ""
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.handlers += [name for name, _ in attributes if name.startswith("on")]
        self.addresses += [value for name, value in attributes if name in ("src", "href")]

    def handle_data(self, data):
        if self.tags[-1] not in ("script", "style"):
            self.text += data


def test_no_page_loads_runs_or_links_anything_of_a_stranger(marked):
    site = marked[0] / "site"
    files = sorted(site.rglob("*"))
    assert {file.suffix for file in files if file.is_file()} == {".html"}
    for file in files:
        if file.is_file():
            page = Page(file)
            assert page.tags.count("script") == 1 and page.handlers == []
            for address in page.addresses:
                if not address.startswith("data:image/png;base64,"):
                    assert (file.parent / address).is_file(), address
            assert "default-src 'none'" in file.read_text().replace("&#39;", "'")


def test_the_page_shows_names_of_cards_and_no_names_of_files_or_sequences(marked):
    site = marked[0] / "site"
    index = Page(site / "index.html").text
    assert EVIL in index and "=HYPERLINK(1)" in index and "baseline" in index
    assert "25 submissions" in index and "5 submissions could not be scored" in index
    for name in ("original", "=1+1", "bomb", "cut off"):
        assert name not in index
    for page in (site / "submissions").iterdir():
        assert "photo" not in page.read_text().replace("photographs", "")
    assert len(list((site / "submissions").iterdir())) == 28


def test_the_page_of_a_submission_shows_levels_sequences_and_pictures_of_failures(marked):
    folder, results, _ = marked
    worst = next(result for result in results if result.entry.name == "constant")
    failing = next(result for result in results if len(result.failures) > 8)
    page = Page(folder / "site" / "submissions" / f"{failing.page}.html")
    assert all(word in page.text for word in ("easy", "hard", "tough", "viewpoint 1", "matching"))
    assert page.tags.count("img") == 3 * 8 and "8 with the smallest ratio" in page.text
    page = Page(folder / "site" / "submissions" / f"{worst.page}.html")
    assert "img" not in page.tags and "No patch is closer than the right one" in page.text


def test_feedback_names_rank_interval_levels_and_references(marked):
    folder, results, table = marked
    best = results[0]
    text = (folder / "feedback" / f"{best.entry.file_name}.md").read_text()
    low, high = best.ranking.interval
    assert f"**Rank 1 of 25**, tied with {best.tied[0]}" in text
    assert f"95 % interval {low:.3f} to {high:.3f}" in text
    assert "| private half | easy | hard | tough | mean |" in text
    assert "references: above chance; above baseline; " in text
    assert (
        " chance" in table.references["constant"] and "below pixels" in table.references["constant"]
    )
    (evil,) = (folder / "feedback").glob("original-*.md")
    assert "<script>" not in evil.read_text() and "&lt;script&gt;" in evil.read_text()


def test_before_the_deadline_the_private_half_is_not_even_computed(challenge, tmp_path):
    values = hk.baselines.resized(challenge.patches)
    write_submission(tmp_path / "in" / "Ada", "x", values, card(challenge.key))
    files = tmp_path / "in", challenge.folder / "key.npz", tmp_path / "out"
    results, table = hk.course.challenge.score(*files, public_only=True, progress=False)
    assert list(results[0].halves) == ["public"] and "private_mean" not in table
    assert table["mean"][0] == table["public_mean"][0]
    text = Page(tmp_path / "out" / "site" / "index.html").text
    assert "the final rank will be that on the private half" in text
    (feedback,) = (tmp_path / "out" / "feedback").iterdir()
    assert "private" not in feedback.read_text()
    for page in (tmp_path / "out" / "site" / "submissions").iterdir():
        assert "Private half" not in page.read_text()


def test_results_are_replaced_but_other_files_are_not(challenge, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.npz").touch()
    files = tmp_path / "in", challenge.folder / "key.npz", tmp_path / "out"
    for _ in range(2):  # only a bad submission: the references are still shown
        _, table = hk.course.challenge.score(*files, public_only=True, progress=False)
        assert list(table.submission) == ["pixels", "chance", "x"]
    (tmp_path / "out" / "thesis.md").touch()
    with pytest.raises(FileExistsError, match="already contains thesis.md"):
        hk.course.challenge.score(*files)
    with pytest.raises(hk.UserError, match="would lie in"):
        hk.course.challenge.score(*files[:2], tmp_path / "in" / "marks")


def test_a_submission_to_another_challenge_is_refused(challenge, tmp_path):
    values = hk.baselines.resized(challenge.patches)
    fields = card(challenge.key, challenge="0123456789ab")
    write_submission(tmp_path / "in", "x", values, fields)
    files = tmp_path / "in", challenge.folder / "key.npz", tmp_path / "out"
    _, table = hk.course.challenge.score(*files, public_only=True, progress=False)
    assert "belongs to challenge '0123456789ab'" in table.problem.iloc[-1]

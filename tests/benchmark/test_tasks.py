"""Task lists: the official drawing, files, and the cache."""

import hashlib

import numpy as np
import pytest

import hpatches_kit as hk
from hpatches_kit._support.errors import UserError
from hpatches_kit.benchmark import tasks as tasks_module
from hpatches_kit.benchmark.legacy_shuffle import first_two
from hpatches_kit.datasets.splits import split_lengths

# SHA-1 of the published lists of split a, as git computes it: of "blob", the size and the bytes.
PUBLISHED = {
    "verif_pos": "cdea234c2f368e8d499974b2d57c90786edf03ea",
    "verif_neg_intra": "2e9b16b96c7c3442b9aad1fddbe5a5ef36c5eb9e",
    "verif_neg_inter": "eeb6f9e5667c80fe3bf70fd1c1ad420c59464272",
}


@pytest.fixture(autouse=True)
def temporary_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HPATCHES_KIT_DATA", str(tmp_path / "data"))


@pytest.mark.slow
def test_the_lists_of_split_a_equal_the_published_ones_and_are_cached(tmp_path, monkeypatch):
    lengths = split_lengths("a")
    assert sum(lengths.values()) == 59_532
    tasks = hk.benchmark.draw_tasks(lengths)
    tasks.save(tmp_path, "a", lengths)
    for name, published in PUBLISHED.items():
        content = (tmp_path / f"{name}_split-a.csv").read_bytes()
        assert hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest() == published
    monkeypatch.setattr(tasks_module, "_pairs", None)  # drawing them again would fail
    cached = hk.benchmark.draw_tasks(lengths)
    np.testing.assert_array_equal(cached.inter.second, tasks.inter.second)


def test_lists_of_other_lengths_labels_and_seeds_are_cached_separately(monkeypatch):
    monkeypatch.setattr(tasks_module, "SLOW", 10)
    lengths = {"v_a": 6, "i_b": 5}
    first = hk.benchmark.draw_tasks(lengths, pairs=100)
    for other in (
        hk.benchmark.draw_tasks({"v_a": 5, "i_b": 6}, pairs=100),
        hk.benchmark.draw_tasks(lengths, pairs=100, seed=1),
    ):
        assert not np.array_equal(first.intra.second, other.intra.second)
    values, label = np.zeros((11, 16, 1)), [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4]
    shared = hk.Descriptors(values, np.repeat(["v_a", "i_b"], [6, 5]), label)
    tasks = hk.benchmark.draw_tasks(shared, pairs=100)
    assert not np.array_equal(first.inter.second, tasks.inter.second)


@pytest.mark.parametrize("content", [b"", b"PK not a zip", None, "short"])
def test_a_damaged_cached_list_is_drawn_again(content, monkeypatch, tmp_path):
    monkeypatch.setattr(tasks_module, "SLOW", 10)
    lengths = {"v_a": 6, "i_b": 5}
    first = hk.benchmark.draw_tasks(lengths, pairs=100)
    (file,) = (tmp_path / "data" / "tasks").iterdir()
    if content == "short":
        with np.load(file) as stored:
            arrays = dict(stored)
        np.savez(file, **{**arrays, "first": arrays["first"][:10]})
    else:
        file.write_bytes(file.read_bytes()[:-40] if content is None else content)
    redrawn = hk.benchmark.draw_tasks(lengths, pairs=100)
    np.testing.assert_array_equal(first.inter.second, redrawn.inter.second)


def test_lists_are_drawn_even_if_the_data_folder_cannot_be_written(monkeypatch, tmp_path):
    monkeypatch.setattr(tasks_module, "SLOW", 10)
    (tmp_path / "data").write_text("a file where the folder should be")
    assert len(hk.benchmark.draw_tasks({"v_a": 6, "i_b": 5}, pairs=100).intra) == 100
    monkeypatch.setenv("HPATCHES_KIT_DATA", "~nosuchuser/data")
    assert len(hk.benchmark.draw_tasks({"v_a": 6, "i_b": 5}, pairs=100).intra) == 100


def test_pairs_and_queries_follow_the_official_rule(descriptors):
    tasks = hk.benchmark.draw_tasks(descriptors, pairs=600)
    sequence, first = descriptors.sequence, tasks.positive.first
    np.testing.assert_array_equal(tasks.positive.second, first)
    assert (sequence[tasks.intra.second] == sequence[first]).all()
    assert (tasks.intra.second != first).all()
    assert (tasks.positive.first_image != tasks.positive.second_image).all()
    images = set(tasks.positive.first_image) | set(tasks.positive.second_image)
    assert images == set(range(5))  # image 5 is never used
    same_sequence = sequence[tasks.inter.second] == sequence[first]  # allowed for inter
    assert 0.1 < same_sequence.mean() < 0.6
    assert len(set(tasks.queries)) == len(tasks.queries) == 20
    assert set(tasks.queries).isdisjoint(tasks.distractors)


def test_the_stream_of_random_numbers_is_the_official_one(descriptors):
    """One sequence per pair, then two points, two images, another sequence and its point."""
    names, start = descriptors.names, descriptors.start
    tasks = hk.benchmark.draw_tasks(descriptors, pairs=50)
    np.random.seed(42)
    sequence = np.random.choice(names, 50)
    index = [np.random.choice(descriptors.lengths[name], 2, replace=False) for name in sequence]
    image = [np.random.choice(5, 2, replace=False) for _ in sequence]
    other = np.random.choice(names, 50)
    other_index = [np.random.randint(descriptors.lengths[name]) for name in other]
    rows = [start[name] + points for name, points in zip(sequence, index)]
    np.testing.assert_array_equal(np.stack([tasks.intra.first, tasks.intra.second], 1), rows)
    np.testing.assert_array_equal(tasks.intra.first_image, [i for i, _ in image])
    np.testing.assert_array_equal(tasks.intra.second_image, [i for _, i in image])
    rows = [start[name] + point for name, point in zip(other, other_index)]
    np.testing.assert_array_equal(tasks.inter.second, rows)


def test_descriptors_patches_and_lengths_draw_the_same(patches, tmp_path):
    values = np.zeros((len(patches), 16, 2))
    described = hk.Descriptors(values, patches.sequence, patches.label, patches.flat)
    lists = [hk.benchmark.draw_tasks(points) for points in (patches, described, patches.lengths)]
    for tasks in lists[1:]:
        np.testing.assert_array_equal(lists[0].intra.second, tasks.intra.second)
        assert lists[0].provenance == tasks.provenance
    tasks.save(tmp_path, "a", patches.lengths)
    read = hk.benchmark.load_tasks(tmp_path, "a", patches)
    np.testing.assert_array_equal(read.distractors, tasks.distractors)


def test_flat_reference_patches_are_neither_queries_nor_distractors(descriptors):
    flat = np.arange(60) % 3 == 0
    marked = hk.Descriptors(descriptors.values, descriptors.sequence, flat=flat)
    tasks = hk.benchmark.draw_tasks(marked)
    assert not flat[tasks.queries].any() and not flat[tasks.distractors].any()


def test_a_place_in_two_sequences_is_never_its_own_negative(descriptors):
    label = np.concatenate([np.arange(25), np.arange(20), np.arange(15)])
    shared = hk.Descriptors(descriptors.values, descriptors.sequence, label)
    tasks = hk.benchmark.draw_tasks(shared, pairs=2000)
    first, inter = tasks.inter.first, tasks.inter.second
    assert not ((label[inter] == label[first]) & (inter != first)).any()


def test_a_sequence_with_one_point_has_no_pairs_but_may_have_a_query():
    tasks = hk.benchmark.draw_tasks({"v_one": 1, "v_two": 40}, pairs=200, queries=40)
    assert 0 not in tasks.positive.first and 0 in tasks.inter.second
    with pytest.raises(ValueError, match="3 pairs: expected 5 or more"):
        hk.benchmark.draw_tasks({"v_two": 40}, pairs=3)
    with pytest.raises(ValueError, match="expected one or more in each"):
        hk.benchmark.draw_tasks({"v_one": 2, "i_one": 0})


@pytest.mark.parametrize("lengths", [{"v": 1, "i": 1}, {"v": 5, "i": 1}, {"v": 20}, {"v": 1}])
def test_tasks_that_cannot_be_drawn_are_left_out_with_a_warning(lengths):
    rng = np.random.default_rng(0)
    names = np.repeat(list(lengths), list(lengths.values()))
    scores = hk.benchmark.evaluate(hk.Descriptors(rng.normal(size=(len(names), 16, 3)), names))
    assert ("verification" in scores.tasks) == (max(lengths.values()) > 1)
    assert "matching" in scores.tasks
    left_out = [task for task in ("verification", "retrieval") if task not in scores.tasks]
    assert [line.split(":")[0] for line in scores.warnings[: len(left_out)]] == left_out


def test_numpy_integers_draw_the_same_lists():
    lengths = {"v_a": np.int64(600), "i_b": np.int64(500)}
    tasks = hk.benchmark.draw_tasks(lengths, pairs=np.int64(100_000), seed=np.int64(3))
    expected = hk.benchmark.draw_tasks({"v_a": 600, "i_b": 500}, pairs=100_000, seed=3)
    np.testing.assert_array_equal(tasks.inter.second, expected.inter.second)


def test_sequence_names_that_look_like_numbers_remain_names(tmp_path):
    lengths = {"1": 6, "01": 5, "True": 4, "NA": 3, "1.0": 2}
    values = hk.Descriptors(np.zeros((20, 16, 1)), np.repeat(list(lengths), list(lengths.values())))
    tasks = hk.benchmark.draw_tasks(values, pairs=40)
    tasks.save(tmp_path, "a", lengths)
    read = hk.benchmark.load_tasks(tmp_path, "a", values)
    np.testing.assert_array_equal(read.inter.second, tasks.inter.second)


def test_pools_are_the_official_sizes_that_fit_and_the_largest_possible(descriptors):
    assert hk.benchmark.draw_tasks(descriptors).pools == (45,)  # five positives, 40 distractors
    tasks = hk.benchmark.draw_tasks({"v_a": 2000, "v_b": 2000}, pairs=10)
    largest = 5 + len(tasks.distractors)
    assert tasks.pools == (100, 500, 1000, largest) and largest > 2000


@pytest.fixture
def written_tasks(descriptors, tmp_path):
    tasks = hk.benchmark.draw_tasks(descriptors, pairs=40)
    tasks.save(tmp_path, "a", descriptors.lengths)
    return tasks


def test_written_lists_are_read_back(descriptors, written_tasks, tmp_path):
    read = hk.benchmark.load_tasks(tmp_path, "a", descriptors)
    for kind in ("positive", "intra", "inter"):
        for field in ("first", "first_image", "second", "second_image"):
            expected = getattr(getattr(written_tasks, kind), field)
            np.testing.assert_array_equal(getattr(getattr(read, kind), field), expected)
    np.testing.assert_array_equal(read.queries, written_tasks.queries)
    np.testing.assert_array_equal(read.distractors, written_tasks.distractors)
    assert read.pools == (100, 500, 1000, 5000, 10000, 15000, 20000)
    assert (tmp_path / "verif_pos_split-a.csv").read_text().startswith("s1,t1,idx1,s2,t2,idx2\n")
    assert (tmp_path / "retr_queries_split-a.csv").read_text().startswith("s,idx\n")


def test_lists_of_one_task_are_sufficient(descriptors, written_tasks, tmp_path):
    for file in tmp_path.glob("retr_*"):
        file.unlink()
    tasks = hk.benchmark.load_tasks(tmp_path, "a", descriptors)
    assert len(tasks.inter) == 40 and not len(tasks.queries)
    assert list(hk.benchmark.evaluate(descriptors, tasks).tasks) == ["verification", "matching"]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("retr_queries", "s,idx\nv_a,0\nv_a,25\n", "line 3: row 25 of v_a, which has 25 points"),
        ("retr_queries", "s,idx\nv_a,0\nv_a,-1\n", "line 3: row -1 of v_a"),
        ("retr_queries", "s,idx\nv_a,0\nv_z,0\n", "line 3: unknown sequence 'v_z', expected"),
        ("retr_queries", "s,idx\nv_a,x\n", "is not a task list with columns s,idx"),
        ("retr_queries", "s,idx\nv_a,\n", "is not a task list with columns s,idx"),
        ("retr_queries", "s;idx\nv_a;1\n", "is not a task list|has columns s;idx"),
        ("retr_queries", "s,idx\n", "and 0 rows"),
        ("retr_queries", "s,idx\nv_a,0,7\nv_a,1,7\n", "has more than 2 cells in a row"),
        ("retr_queries", "s,idx\nv_a,0\nv_a,1,7\n", "is not a task list"),
        ("verif_pos", "s1,t1,idx1,s2,t2,idx2\nv_a,0,1,v_a,1,2\n", "line 2: the two patches do not show the same place"),
        ("retr_queries", "", "is not a task list"),
        ("verif_pos", "s1,t1,idx1,s2,t2,idx2\nv_a,0,1,v_a,6,1\n", "line 2: t2 is 6, expected an image 0 to 5"),
        ("verif_pos", "s,idx\nv_a,1\n", "has columns s,idx and 1 rows: expected s1,t1"),
    ],
)  # fmt: skip
def test_the_error_for_an_invalid_list_names_the_file_and_the_line(
    file, content, message, descriptors, written_tasks, tmp_path
):
    (tmp_path / f"{file}_split-a.csv").write_text(content)
    with pytest.raises(ValueError, match=f"{file}_split-a.csv.*({message})"):
        hk.benchmark.load_tasks(tmp_path, "a", descriptors)


def test_missing_lists_are_named(descriptors, written_tasks, tmp_path):
    with pytest.raises(FileNotFoundError, match="no task lists of split 'b', only of a"):
        hk.benchmark.load_tasks(tmp_path, "b", descriptors)
    with pytest.raises(FileNotFoundError, match="is not a folder of task lists"):
        hk.benchmark.load_tasks(tmp_path / "nowhere", "a", descriptors)
    (tmp_path / "retr_queries_split-a.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"lacks retr_queries_split-a\.csv"):
        hk.benchmark.load_tasks(tmp_path, "a", descriptors)


def test_the_first_two_of_many_shuffles_and_the_final_state_are_those_of_numpy():
    lengths = [2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 32, 33, 64, 65, 1000, 2000, 2, 127, 128, 129] * 5
    random, expected_random = np.random.RandomState(7), np.random.RandomState(7)
    random.rand(100), expected_random.rand(100)
    expected = [expected_random.permutation(length)[:2] for length in lengths]
    np.testing.assert_array_equal(first_two(random, lengths), expected)
    expected = expected_random.randint(0, 1000, 700)
    np.testing.assert_array_equal(random.randint(0, 1000, 700), expected)


def test_lists_can_be_read_for_patches(patches, tmp_path):
    tasks = hk.benchmark.draw_tasks(patches, pairs=40)
    tasks.save(tmp_path, "a", patches.lengths)
    read = hk.benchmark.load_tasks(tmp_path, "a", patches)
    np.testing.assert_array_equal(read.inter.second, tasks.inter.second)
    np.testing.assert_array_equal(read.distractors, tasks.distractors)


def test_points_that_nearly_all_show_one_place_are_refused_instead_of_drawn_for_ever():
    values = np.zeros((40, 16, 2))
    one_place = hk.Descriptors(values, np.repeat(["v_a", "i_b"], 20), np.zeros(40, int))
    with pytest.raises(UserError, match="40 of 40 points show the place 0: expected different"):
        hk.benchmark.draw_tasks(one_place)

"""Limits: descriptors that would cost too much are refused before they cost it."""

import numpy as np
import pytest

import hpatches_kit as hk
from hpatches_kit._support.deadline import time_limit
from hpatches_kit._support.errors import UserError
from hpatches_kit.benchmark.exact_distances import nearest
from hpatches_kit.descriptors import Limits, load
from hpatches_kit.patches.views import VIEWS


@pytest.mark.parametrize("kind", ["folder", "zip", "npz", "in memory"])
@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"points": 59}, "60 points: expected at most 59"),
        ({"points_per_sequence": 24}, "25 points in a sequence: expected at most 24"),
        ({"dimensions": 7}, "8 dimensions: expected at most 7"),
        ({"memory": 10_000}, "of memory for 60 points and 8 dimensions: expected at most 10.0 kB"),
        ({"unpacked_bytes": 9_000}, "at most"),
    ],
)
def test_descriptors_beyond_a_limit_are_refused(
    limits, message, kind, descriptors, folder, zip_folder, tmp_path
):
    if kind == "in memory":
        if "unpacked_bytes" in limits:
            return
        with pytest.raises(UserError, match=message):
            hk.benchmark.evaluate(descriptors, limits=Limits(**limits))
        return
    descriptors.save(tmp_path / "set.npz")
    zip_folder(folder, tmp_path / "set.zip")
    file = {"folder": folder, "zip": tmp_path / "set.zip", "npz": tmp_path / "set.npz"}[kind]
    assert len(load(file, limits=Limits())) == 60
    with pytest.raises(UserError, match=message):
        load(file, limits=Limits(**limits))


def write_views(folder, text):
    (folder / "v_a").mkdir(parents=True)
    for view in VIEWS:
        (folder / "v_a" / f"{view}.csv").write_text(text)


def test_a_file_that_promises_more_numbers_than_it_has_bytes_for_is_refused(tmp_path):
    write_views(tmp_path / "set", ",".join("1" * 4000) + "\n" + "0\n" * 15_000)
    with pytest.raises(UserError, match=r"ref\.csv has 15001 rows and 4000 numbers in line 1"):
        load(tmp_path / "set")


def test_a_line_that_is_too_long_is_refused_before_it_is_split(tmp_path):
    write_views(tmp_path / "first", "1," * 5000 + "1\n")
    with pytest.raises(UserError, match=r"ref\.csv, line 1 has 10,001 bytes: .* at most 2 numbers"):
        load(tmp_path / "first", limits=Limits(dimensions=2))
    write_views(tmp_path / "second", "1\n" + "2" * 5000 + "\n")
    with pytest.raises(UserError, match=r"line 2 has 5,000 bytes: expected at most 2,000"):
        load(tmp_path / "second")


def test_a_sparse_file_is_refused_before_it_is_read(folder):
    with open(folder / "v_a" / "e1.csv", "r+b") as stream:
        stream.truncate(1 << 40)  # takes no room on the disk
    with pytest.raises(UserError, match="set has 1,099,5.* bytes: expected at most 68.7 GB"):
        load(folder)


def test_deeply_nested_folders_are_refused(tmp_path):
    nested = tmp_path / "set"
    for _ in range(20):
        nested /= "a"
    write_views(nested, "1,2\n")
    with pytest.raises(UserError, match="is more than 16 folders below"):
        load(tmp_path / "set")


def test_lengths_and_names_of_an_npz_are_checked_before_they_are_repeated(descriptors, tmp_path):
    file = tmp_path / "set.npz"
    descriptors.save(file)
    with np.load(file) as stored:
        arrays = dict(stored)
    for changed, message in (
        ({"lengths": np.array([10**12, 20, 15])}, "60 labels for 1000000000035 points"),
        ({"lengths": np.array([[25, 20, 15]])}, "do not fit the names"),
        ({"names": np.array(["v_a", "i_b", "x" * 10_000])}, "expected text of up to 255"),
        ({"label": np.full(60, "x")}, "labels for 60 points"),
    ):
        np.savez(file, **{**arrays, **changed})
        with pytest.raises(UserError, match=rf"set\.npz is damaged or is not .*{message}"):
            load(file)


def test_an_evaluation_stops_at_its_time_limit(descriptors):
    with pytest.raises(
        UserError, match="The evaluation of random took longer than its limit of 0 s"
    ):
        hk.benchmark.evaluate(descriptors, limits=Limits(seconds=0))
    assert hk.benchmark.evaluate(descriptors, limits=Limits(seconds=None), only="matching")


def test_drawing_task_lists_stops_at_the_time_limit():
    with time_limit(0, "The evaluation"), pytest.raises(UserError, match="longer than its limit"):
        hk.benchmark.draw_tasks({"v_a": 10_000, "v_b": 10_000})


def test_a_pool_of_equal_rows_is_compared_once(monkeypatch):
    sizes, product = [], np.matmul
    monkeypatch.setattr(
        np, "matmul", lambda *a, **k: (sizes.append(a[1].shape[1]), product(*a, **k))[1]
    )
    rows = np.zeros((500, 2), np.float32)
    rows[400:, 0] = np.arange(100)
    minimum, first, tied, own = nearest(rows, np.stack([rows, rows[::-1].copy()]))
    assert sizes == [100, 100]  # 400 equal rows, and one more at 0: a single group
    assert (minimum == 0).all() and own[0].all()
    assert tied[0, :401].tolist() == [401] * 401 and (tied[0, 401:] == 1).all()
    assert (first[0, :401] == 0).all() and first[0, 401:].tolist() == list(range(401, 500))
    assert (first[1, :401] == 99).all() and first[1, 401:].tolist() == list(range(98, -1, -1))
    second = nearest(rows, rows[None], without=first[:1])[0][0]
    assert (second == 1).sum() == 99 and (second[:401] == 0).all()  # of 0, only copies are near

"""The command `hpatches course challenge`, as a new teacher uses it."""

import runpy
import shutil

import pytest
from toy_data import toy_patches

from hpatches_kit.cli.main import main


def test_a_teacher_makes_hands_out_collects_and_scores_a_challenge(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    toy_patches({f"v_photo{k}_1": 6 for k in range(4)}).save("patches")
    make = ["course", "challenge", "make", "patches", "--out", "kit", "--key", "key.npz"]
    assert main([*make, "--points", "6", "--title", "Spring"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "400 noisy patches of 24 points, 2 public and 2 private sequences",
        "For the participants: kit",
        "For you alone, to score what they hand in: key.npz",
    ]
    for name in ("Ada", "Ben"):
        shutil.copytree("kit", f"submissions/{name}")
        runpy.run_path(f"submissions/{name}/make_submission.py")
    (tmp_path / "submissions" / "Cem").mkdir()
    score = ["course", "challenge", "score", "submissions", "--key", "key.npz", "--out", "marks"]
    capsys.readouterr()
    assert main([*score, "--quiet"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "2 submissions are ranked, 1 could not be scored."
    assert printed[1].startswith("  Cem: The submission has no file ending in .npz")
    assert printed[2] == "  Ada: almost the same distances as Ben"
    assert printed[4].startswith("Limits of the processes that read files: ")
    assert printed[5].endswith("marks (open site/index.html)")
    assert sorted(file.name for file in (tmp_path / "marks").iterdir()) == [
        "feedback",
        "scores.csv",
        "site",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["make", "mini", "--out", "kit", "--key", "key.npz"], "everybody has the kit"),
        (["make", "nowhere", "--out", "kit", "--key", "key.npz"], "nowhere is missing"),
        (["score", "nowhere", "--key", "key.npz", "--out", "marks"], "nowhere is missing"),
    ],
)
def test_a_mistake_is_one_line(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["course", "challenge", *arguments]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: ") and message in error and "\n" not in error
    assert list(tmp_path.iterdir()) == []

"""Copies of the lessons: stubs for learners, solutions for teachers, marks for otter-grader."""

import keras
import nbformat
import numpy as np
import pytest

import hpatches_kit as hk
from hpatches_kit._support.errors import UserError
from hpatches_kit.cli.main import main
from hpatches_kit.course.copies import NOTEBOOKS
from hpatches_kit.course.exercises.checking import all_exercises
from hpatches_kit.course.questions.asking import all_questions

LESSONS = sorted(NOTEBOOKS.glob("?-*.ipynb"))


@pytest.fixture
def lesson(tmp_path):
    """A folder with one lesson: a text, and the exercise `psnr` with an output."""
    notebook = nbformat.v4.new_notebook()
    output = nbformat.v4.new_output("stream", text="psnr: right.")
    cell = nbformat.v4.new_code_cell("an older stub", outputs=[output], id="exercise-psnr")
    cell.metadata = nbformat.from_dict({"tags": ["exercise"], "exercise": "psnr"})
    notebook.cells = [nbformat.v4.new_markdown_cell("# A lesson"), cell]
    (tmp_path / "lessons").mkdir()
    nbformat.write(notebook, tmp_path / "lessons" / "1-lesson.ipynb")
    return tmp_path / "lessons"


def copied_cells(lesson, out, **options):
    (copy,) = hk.course.make_copies(out, notebooks=lesson, **options)
    notebook = nbformat.read(copy, as_version=4)
    nbformat.validate(notebook)
    return notebook.cells


def test_a_learners_copy_has_the_stub_and_no_outputs(lesson, tmp_path):
    text, cell = copied_cells(lesson, tmp_path / "out")
    assert text.source == "# A lesson" and cell.outputs == []
    assert cell.source == all_exercises()["psnr"].cell and "your turn" in cell.source
    assert "log10" not in cell.source


def test_a_copy_names_pages_of_the_project_instead_of_linking_to_them(lesson, tmp_path):
    notebook = nbformat.read(lesson / "1-lesson.ipynb", as_version=4)
    text = "[Results](../docs/results/README.md#a) and [Keras](https://keras.io)"
    notebook.cells[0].source = text
    nbformat.write(notebook, lesson / "1-lesson.ipynb")
    assert copied_cells(lesson, tmp_path / "out")[0].source == (
        "Results (in the project: `docs/results/README.md`) and [Keras](https://keras.io)"
    )


def test_a_teachers_copy_has_the_solution_and_its_check_passes(lesson, tmp_path):
    _, cell = copied_cells(lesson, tmp_path / "out", solutions=True)
    *code, check = cell.source.splitlines()
    names = {"np": np, "keras": keras, "hk": hk}
    exec("\n".join(code), names)
    assert str(eval(check, names)) == "psnr: right."


def test_the_marks_of_otter_surround_the_solution(lesson, tmp_path):
    config, _, question, *cells = copied_cells(lesson, tmp_path / "out", otter=True)
    assert config.cell_type == "raw" and config.source.startswith("# ASSIGNMENT CONFIG")
    assert question.source == "# BEGIN QUESTION\nname: psnr\npoints: 1"
    assert [cell.source for cell in cells if cell.cell_type == "raw"] == [
        "# BEGIN SOLUTION",
        "# END SOLUTION",
        "# BEGIN TESTS",
        "# END TESTS",
        "# END QUESTION",
    ]
    solution = cells[1].source
    assert (
        solution.index("BEGIN SOLUTION") < solution.index("log10") < solution.index("END SOLUTION")
    )
    compile(solution, "solution", "exec")


def test_a_copy_is_never_written_over_somebodys_work(lesson, tmp_path):
    copied_cells(lesson, tmp_path / "out")
    with pytest.raises(UserError, match="holds 1-lesson.ipynb already"):
        hk.course.make_copies(tmp_path / "out", notebooks=lesson)


def test_a_folder_without_lessons_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no lessons"):
        hk.course.make_copies(tmp_path / "out", notebooks=tmp_path)


@pytest.mark.parametrize("arguments", [[], ["--solutions"], ["--otter"]])
def test_the_command_copies_all_lessons(arguments, tmp_path, capsys):
    assert main(["course", "make", str(tmp_path / "out"), *arguments]) == 0
    assert f"{len(LESSONS)} lessons in" in capsys.readouterr().out
    assert len(list((tmp_path / "out").glob("*.ipynb"))) == len(LESSONS)


def test_every_exercise_and_question_is_in_its_lesson():
    exercises, questions = {}, {}
    for lesson in LESSONS:
        number = int(lesson.name[0])
        for cell in nbformat.read(lesson, as_version=4).cells:
            if name := cell.metadata.get("exercise"):
                assert cell.source == all_exercises()[name].cell, "run notebooks/run.py --prepare"
                exercises[name] = number
            if "question" in cell.metadata.get("tags", []):
                name = cell.source.split('"')[1]
                assert cell.source == f'hk.course.question("{name}", answer=None)'
                (output,) = cell.outputs
                shown = str(all_questions()[name])
                assert output.data["text/plain"] == shown, "run notebooks/run.py --prepare"
                questions[name] = number
    assert exercises == {name: found.lesson for name, found in all_exercises().items()}
    assert questions == {name: found.lesson for name, found in all_questions().items()}

"""Copies of the lessons, for learners and for teachers, made from the committed notebooks."""

import re
from pathlib import Path

import nbformat

from hpatches_kit._support.atomic import write_text
from hpatches_kit._support.errors import UserError
from hpatches_kit.course.exercises.checking import find
from hpatches_kit.course.exercises.exercise import YOUR_TURN

NOTEBOOKS = Path(__file__).resolve().parent.parent.parent / "notebooks"
LINK = re.compile(r"\[([^\]]*)\]\(\.\./([^)#]*)[^)]*\)")  # to a page of the project
TAG = "exercise"  # of cells; their metadata names the exercise under the same key
PROMPT = '''""" # BEGIN PROMPT
{indent}{your_turn}
{indent}""" # END PROMPT'''


def make_copies(out, solutions=False, otter=False, notebooks=NOTEBOOKS):
    """Copy the lessons without their outputs, with stubs in the cells of the exercises.

        hk.course.make_copies("handed-out")

    Args:
        out: folder for the copies; it may not hold notebooks of the same names.
        solutions: write the solutions into the cells instead.
        otter: write the solutions with the marks from which `otter assign` makes a version for
            students and one for grading.
        notebooks: folder of the lessons; default: that of the checkout.

    Returns the paths of the copies. Raises UserError if there are no lessons, and for copies that
    exist: a learner may have worked in them.
    """
    out, lessons = Path(out).expanduser(), sorted(Path(notebooks).expanduser().glob("?-*.ipynb"))
    if not lessons:
        raise UserError(f"{notebooks} holds no lessons: expected 1-quickstart.ipynb and so on.")
    copies = [out / lesson.name for lesson in lessons]
    if existing := [copy.name for copy in copies if copy.exists()]:
        raise UserError(
            f"{out} holds {', '.join(existing)} already, with somebody's work perhaps: choose another"
            " folder."
        )
    out.mkdir(parents=True, exist_ok=True)
    for lesson, copy in zip(lessons, copies):
        notebook = fill(nbformat.read(lesson, as_version=4), solutions)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
            else:  # a copy has no pages beside it
                cell.source = LINK.sub(r"\1 (in the project: `\2`)", cell.source)
        if otter:
            notebook.cells = _with_marks(notebook.cells, lesson.stem)
        write_text(copy, nbformat.writes(notebook) + "\n")
    return copies


def fill(notebook, solutions=False):
    """Write the stubs, or the solutions, of the exercises into the cells of a notebook."""
    for cell in notebook.cells:
        if name := cell.metadata.get(TAG):
            exercise = find(name)
            cell.source = exercise.solved_cell if solutions else exercise.cell
    return notebook


def _with_marks(cells, title):
    """The cells of a lesson with the marks of otter-grader around its exercises."""
    marked = [
        _raw("# ASSIGNMENT CONFIG", f"name: {title}", "init_cell: false", "check_all_cell: false")
    ]
    for cell in cells:
        if not (name := cell.metadata.get(TAG)):
            marked.append(cell)
            continue
        exercise = find(name)
        answer = exercise.solution.__name__
        test = f'verdict = hk.course.check("{name}", {answer})\nassert verdict.right, verdict'
        marked += [
            _raw("# BEGIN QUESTION", f"name: {name}", "points: 1"),
            _raw("# BEGIN SOLUTION"),
            nbformat.v4.new_code_cell(exercise.with_bodies(_marked_body), id=cell.id),
            _raw("# END SOLUTION"),
            _raw("# BEGIN TESTS"),
            nbformat.v4.new_code_cell(test, id=f"{cell.id}-test"),
            _raw("# END TESTS"),
            _raw("# END QUESTION"),
        ]
    return marked


def _marked_body(body, indent):
    prompt = indent + PROMPT.format(indent=indent, your_turn=YOUR_TURN)
    return [
        f"{indent}# BEGIN SOLUTION NO PROMPT",
        *body,
        f"{indent}# END SOLUTION",
        *prompt.splitlines(),
    ]


def _raw(*lines):
    return nbformat.v4.new_raw_cell("\n".join(lines))

"""An exercise: its solution, the stub that is made of it, hints, and a check."""

import ast
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

YOUR_TURN = "raise NotImplementedError  # your turn"


class Wrong(Exception):
    """An answer is wrong; the message says how, and speaks to the learner."""


def with_article(noun):
    """`"a list"` or `"an array"`."""
    return f"{'an' if noun[0].upper() in 'AEIOU' else 'a'} {noun}"


@dataclass(frozen=True)
class Exercise:
    """One exercise of a lesson.

    `solution` is the function or class itself: it must work with nothing but `np`, `keras` and `hk`.
    `check` takes what the learner wrote, and raises `Wrong` with the first mistake that it finds.
    The hints give the idea, then the shapes, then one line of the solution.
    """

    name: str  # what the learner calls it in `hk.course.check(name, ...)`
    lesson: int
    solution: Callable
    check: Callable
    hints: tuple[str, str, str]
    given: tuple[str, ...] = ()  # methods of a class that the stub contains in full

    @property
    def source(self):
        """The code of the solution."""
        return textwrap.dedent(inspect.getsource(self.solution)).strip()

    @property
    def stub(self):
        """The solution without the bodies of its functions: signatures and docstrings remain."""
        return self.with_bodies(lambda body, indent: [indent + YOUR_TURN])

    def with_bodies(self, replace):
        """The solution with other bodies: `replace` gets the lines of a body, and its indentation."""
        lines = self.source.splitlines()
        tree = ast.parse(self.source).body[0]
        functions = [tree] if isinstance(tree, ast.FunctionDef) else tree.body
        for function in reversed(functions):  # from the end: line numbers before it stay right
            if isinstance(function, ast.FunctionDef) and function.name not in self.given:
                first = function.body[0]
                has_docstring = isinstance(first, ast.Expr) and isinstance(
                    first.value, ast.Constant
                )
                begin, end = first.end_lineno, function.end_lineno
                if not has_docstring:
                    begin = first.lineno - 1
                lines[begin:end] = replace(lines[begin:end], " " * first.col_offset)
        return "\n".join(lines)

    @property
    def cell(self):
        """The code of the exercise's cell in a notebook, with the call that checks it."""
        return self._with_check(self.stub)

    @property
    def solved_cell(self):
        """The same with the solution."""
        return self._with_check(self.source)

    def _with_check(self, code):
        return f'{code}\n\n\nhk.course.check("{self.name}", {self.solution.__name__})'

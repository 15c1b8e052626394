"""A table that is printed with all its columns."""

from shutil import get_terminal_size

import pandas as pd


class WideTable(pd.DataFrame):
    """A DataFrame that a terminal shows whole, in blocks of columns if it is too narrow.

    pandas leaves out the columns in the middle. Notebooks show all of both.
    """

    def __repr__(self):
        return self.to_string(line_width=get_terminal_size().columns, na_rep="")

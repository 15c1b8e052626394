"""A compiled reader and writer for CSV files that contain only numbers.

What it buys: 640 CSV files (16 views of 40 sequences) are read 3 to 11 times faster than with
`pandas.read_csv` on 2 cores; `make benchmark` measures it. The parallel readers of polars and
pyarrow take longer. The compiled loop visits each character once, relies on all columns being
numbers, and releases the interpreter lock so that other threads read other files. A file that this
loop cannot read is read again line by line in Python, which accepts every number that NumPy
accepts, and otherwise raises an error with the file and the line.
"""

import numpy as np

from hpatches_kit._support.compiled_loops import compiled
from hpatches_kit._support.errors import UserError

SMALL = 1 << 20  # bytes
LONGEST_NUMBER = 1000  # bytes on average, with spaces; the shortest text of a float64 has 24


def check_delimiter(delimiter):
    """Raise UserError unless the delimiter is one character that cannot be part of a number."""
    if (
        len(delimiter) != 1
        or not delimiter.isascii()
        or delimiter in "+-.\r\n_\"'"
        or delimiter.isalnum()
    ):
        raise UserError(
            f"Delimiter {delimiter!r}: expected one character, such as ',' ';' tab or ' '."
        )


def lines(text):
    """Text without a byte order mark and empty lines at the end; each line ends with a newline."""
    if text.startswith(b"\xef\xbb\xbf"):
        text = text[3:]
    if text.endswith(b"\n") and not text.endswith((b"\n\n", b"\n\r\n")):
        return text
    return text.rstrip(b"\r\n") + b"\n"


def shape(text, file, delimiter, most_columns):
    """Number of rows, and of numbers in the first row.

    Raises UserError for an empty file, for a first row without the delimiter or with far more than
    `most_columns` numbers, and for a file that is too short for as many numbers in each row.
    """
    end = text.index(b"\n")
    if end > LONGEST_NUMBER * most_columns:
        raise UserError(
            f"{file}, line 1 has {end:,} bytes: expected at most {most_columns} numbers."
        )
    first = text[:end].decode(errors="replace").strip()
    if not first:
        raise UserError(f"{file} is empty: expected one row of numbers per point.")
    likely = _likely_delimiter(first)
    if delimiter not in first and likely:
        raise UserError(
            f"{file}, line 1 has no delimiter {delimiter!r} but {likely!r}: {first[:40]!r}."
        )
    rows, columns = text.count(b"\n"), len(_cells(first, delimiter))
    # A number and what follows it have two bytes or more. Messages for small files name the line.
    if 2 * rows * columns > len(text) + SMALL:
        raise UserError(
            f"{file} has {rows} rows and {columns} numbers in line 1: expected the same in all"
            " lines."
        )
    return rows, columns


def _cells(line, delimiter):
    return line.split() if delimiter == " " else line.split(delimiter)


def _likely_delimiter(line):
    # In this order, because a comma may be a decimal comma and spaces may only pad the numbers.
    return next((character for character in ";\t, " if character in line), None)


def parse(text, file, delimiter, values):
    """Read lines of numbers into `values`, `float32 (rows, columns)`.

    Each number is read as float64, then rounded to float32. Raises UserError when the text has
    another number of rows or columns, or anything except finite numbers.
    """
    if _parse_compiled(np.frombuffer(text, np.uint8), ord(delimiter), values):
        return
    rows = text.count(b"\n") if text.strip() else 0
    if rows != len(values):
        raise UserError(
            f"{file} has {rows} rows, ref.csv {len(values)}: expected the same points in all views."
        )
    _parse_slowly(text, file, delimiter, values)


def _parse_slowly(text, file, delimiter, values):
    """Read lines one by one in Python; UserError for the first that is wrong."""
    stop = -1
    for row in range(len(values)):
        start, stop = stop + 1, text.index(b"\n", stop + 1)
        location, longest = f"{file}, line {row + 1}", LONGEST_NUMBER * (values.shape[1] + 1)
        if stop - start > longest:
            raise UserError(f"{location} has {stop - start:,} bytes: expected at most {longest:,}.")
        line = text[start:stop].decode(errors="replace")
        cells = _cells(line, delimiter)
        if not line.strip():
            raise UserError(f"{location} is empty: expected {values.shape[1]} numbers.")
        numbers = [_number(cell) for cell in cells]
        if None in numbers:
            likely = _likely_delimiter(line.strip())
            hint = f" Is {likely!r} the delimiter?" if likely not in (None, delimiter) else ""
            raise UserError(
                f"{location} contains {cells[numbers.index(None)].strip()[:40]!r}:"
                f" expected numbers with {delimiter!r} between them, and no header.{hint}"
            )
        if len(numbers) != values.shape[1]:
            raise UserError(
                f"{location} has {len(numbers)} numbers: expected {values.shape[1]},"
                " as in the first line of ref.csv."
            )
        with np.errstate(over="ignore"):
            values[row] = numbers
        if not np.isfinite(values[row]).all():
            column = int(np.isfinite(values[row]).argmin())
            raise UserError(
                f"{location} contains {cells[column].strip()!r}: expected finite numbers."
            )


def _number(text):
    try:
        return float(text) if "_" not in text else None  # Python reads 1_000, NumPy does not
    except ValueError:
        return None


SPACE, PLUS, MINUS, DOT = ord(" "), ord("+"), ord("-"), ord(".")
ZERO, NINE, RETURN, NEWLINE = ord("0"), ord("9"), ord("\r"), ord("\n")
POWERS = np.array([float(f"1e{power}") for power in range(-300, 301)])
MAX_DIGITS = 18  # digits that always fit in an int64; a float64 has 16
ERROR = 1e-15  # twice the largest rounding error of the number, the power and their product


@compiled()
def _parse_compiled(text, delimiter, values):
    """Read a `uint8` text into `values`; False unless it has exactly their rows and columns."""
    # Positions are unsigned, because Numba checks signed ones for negative values at every access.
    position, columns = np.uintp(0), values.shape[1]
    for row in range(values.shape[0]):
        if position == len(text):
            return False
        for column in range(columns):
            while text[position] == SPACE:
                position += np.uintp(1)
            negative = text[position] == MINUS
            position += np.uintp(negative | (text[position] == PLUS))
            start, number = position, 0
            while ZERO <= text[position] <= NINE:
                number = number * 10 + np.int64(text[position]) - ZERO
                position += np.uintp(1)
            digits, power = np.int64(position - start), 0
            if text[position] == DOT:
                dot = position
                position += np.uintp(1)
                while ZERO <= text[position] <= NINE:
                    number = number * 10 + np.int64(text[position]) - ZERO
                    position += np.uintp(1)
                power = np.int64(dot - position) + 1
                digits -= power
            if digits == 0:
                return False
            if digits > MAX_DIGITS:
                number, dropped = _first_digits(text, start, position)
                power += dropped
            if text[position] == ord("e") or text[position] == ord("E"):
                position += np.uintp(1)
                negative_exponent = text[position] == MINUS
                position += np.uintp(negative_exponent or text[position] == PLUS)
                start, exponent = position, 0
                while ZERO <= text[position] <= NINE:
                    exponent = min(exponent * 10 + np.int64(text[position]) - ZERO, 9999)
                    position += np.uintp(1)
                if position == start:
                    return False
                power += -exponent if negative_exponent else exponent
            if abs(power) > 300:
                return False
            # The last bits of this float64 may be wrong. When that could change the float32, about
            # once in sixty million numbers, the slow parser decides.
            value = number * POWERS[power + 300] * (1.0 - 2.0 * negative)
            low, high = np.float32(value * (1 - ERROR)), np.float32(value * (1 + ERROR))
            if low != high or np.isinf(high):
                return False
            values[row, column] = high
            if column < columns - 1:
                while text[position] == SPACE and delimiter != SPACE:
                    position += np.uintp(1)
                if text[position] != delimiter:
                    return False
                position += np.uintp(1)
        while text[position] == SPACE:
            position += np.uintp(1)
        position += np.uintp(text[position] == RETURN)
        if text[position] != NEWLINE:  # the last newline also ends all loops above
            return False
        position += np.uintp(1)
    return position == len(text)


@compiled()
def _first_digits(text, start, stop):
    """The leading digits that fit in an integer, without the dot, and how many do not fit."""
    number, dropped = 0, 0
    for position in range(start, stop):
        if text[position] != DOT:
            if number < 10 ** (MAX_DIGITS - 1):
                number = number * 10 + text[position] - ZERO
            else:
                dropped += 1
    return number, dropped


def write_rows(values, file, delimiter):
    """Write `float32 (rows, columns)` as lines of numbers with five decimals."""
    if np.abs(values).max(initial=0) >= 1e9:
        np.savetxt(file, values, "%.5f", delimiter=delimiter)
    else:
        text = np.empty(values.size * 17, np.uint8)  # sign, 9 digits, dot, 5 digits, delimiter
        with open(file, "wb") as stream:
            stream.write(text[: _write_compiled(values, ord(delimiter), text)])


@compiled()
def _write_compiled(values, delimiter, text):
    """Write numbers below 1e9 into a `uint8` text as `"%.5f"` does; return its length."""
    position = 0
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            number = np.float64(values[row, column])
            if np.signbit(number):
                text[position] = MINUS
                position += 1
            # A float32 times 100000 has 41 bits: the product is exact, so the rounding is right.
            digits = np.int64(np.rint(abs(number) * 100000))
            size = 7
            while digits >= 10 ** (size - 1):
                size += 1
            for place in range(position + size - 1, position - 1, -1):
                if place == position + size - 6:
                    text[place] = DOT
                else:
                    text[place] = ZERO + digits % 10
                    digits //= 10
            position += size
            text[position] = delimiter
            position += 1
        text[position - 1] = NEWLINE
    return position

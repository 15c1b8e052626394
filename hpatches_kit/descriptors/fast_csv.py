"""Rows of numbers as text, read and written at the speed of the disk; errors name file and line."""

import numpy as np

from hpatches_kit._support.compiled_loops import compiled
from hpatches_kit._support.errors import UserError


def check_delimiter(delimiter):
    if (
        len(delimiter) != 1
        or not delimiter.isascii()
        or delimiter in "+-.\r\n_\"'"
        or delimiter.isalnum()
    ):
        raise UserError(f"Delimiter {delimiter!r}: expected one character, as ',' ';' tab or ' '.")


def lines(text):
    """Bytes of a text without empty lines at its end; the last line ends like all others.

    The mark that some programs put before a text (BOM) goes, too.
    """
    if text.startswith(b"\xef\xbb\xbf"):
        text = text[3:]
    if text.endswith(b"\n") and not text.endswith((b"\n\n", b"\n\r\n")):
        return text
    return text.rstrip(b"\r\n") + b"\n"


def shape(text, file, delimiter):
    """Rows, and numbers in the first row; UserError for no text and for a delimiter not in it."""
    first = text[: text.index(b"\n")].decode(errors="replace").strip()
    if not first:
        raise UserError(f"{file} is empty: expected a row a patch, with numbers only.")
    likely = _likely_delimiter(first)
    if delimiter not in first and likely:
        raise UserError(
            f"{file}, line 1 has no delimiter {delimiter!r} but {likely!r}: {first[:40]!r}."
        )
    return text.count(b"\n"), len(_cells(first, delimiter))


def _cells(line, delimiter):
    return line.split() if delimiter == " " else line.split(delimiter)


def _likely_delimiter(line):
    # In this order: a comma may be a decimal comma, blanks may only pad.
    return next((character for character in ";\t, " if character in line), None)


def parse(text, file, delimiter, values):
    """Read lines of numbers into `values`, `float32 (rows, columns)`; UserError when they differ.

    A number becomes a float64, then a float32.
    """
    if _parse_plain(np.frombuffer(text, np.uint8), ord(delimiter), values):
        return
    rows = text.count(b"\n") if text.strip() else 0
    if rows != len(values):
        raise UserError(
            f"{file} has {rows} rows, ref.csv {len(values)}: expected the same points in all views."
        )
    _parse_slowly(text, file, delimiter, values)


def _parse_slowly(text, file, delimiter, values):
    """Read lines of numbers one by one: every number that Python reads, and a word on the others."""
    for row, line in enumerate(text.decode(errors="replace").split("\n")[:-1]):
        where, cells = f"{file}, line {row + 1}", _cells(line, delimiter)
        if not line.strip():
            raise UserError(f"{where} is empty: expected {values.shape[1]} numbers.")
        numbers = [_number(cell) for cell in cells]
        if None in numbers:
            likely = _likely_delimiter(line.strip())
            hint = f" Is {likely!r} the delimiter?" if likely not in (None, delimiter) else ""
            raise UserError(
                f"{where} holds {cells[numbers.index(None)].strip()[:40]!r}: expected numbers with"
                f" {delimiter!r} between them, and no header.{hint}"
            )
        if len(numbers) != values.shape[1]:
            raise UserError(
                f"{where} has {len(numbers)} numbers: expected {values.shape[1]}, as in the first"
                " line of ref.csv."
            )
        with np.errstate(over="ignore"):
            values[row] = numbers
        if not np.isfinite(values[row]).all():
            column = int(np.isfinite(values[row]).argmin())
            raise UserError(f"{where} holds {cells[column].strip()!r}: expected finite numbers.")


def _number(text):
    try:
        return float(text) if "_" not in text else None  # Python reads 1_000, NumPy does not
    except ValueError:
        return None


# The rest is compiled: it goes over each character once, knows that all columns are numbers, and
# leaves the other cores to other threads. That is what makes it faster than readers of any table.

BLANK, PLUS, MINUS, DOT = ord(" "), ord("+"), ord("-"), ord(".")
ZERO, NINE, RETURN, NEWLINE = ord("0"), ord("9"), ord("\r"), ord("\n")
POWERS = np.array([float(f"1e{power}") for power in range(-300, 301)])
ENOUGH = 18  # digits that an int64 always holds; a float64 has 16
ERROR = 1e-15  # twice what the rounding of the number, the power and their product can amount to


@compiled()
def _parse_plain(text, delimiter, values):
    """Read a `uint8` text into `values`; whether it held just as many rows of plain numbers."""
    # Positions are unsigned: a position that may be negative would be checked each time.
    at, columns = np.uintp(0), values.shape[1]
    for row in range(values.shape[0]):
        if at == len(text):
            return False
        for column in range(columns):
            while text[at] == BLANK:
                at += np.uintp(1)
            negative = text[at] == MINUS
            at += np.uintp(negative | (text[at] == PLUS))
            start, number = at, 0
            while ZERO <= text[at] <= NINE:
                number = number * 10 + np.int64(text[at]) - ZERO
                at += np.uintp(1)
            digits, power = np.int64(at - start), 0
            if text[at] == DOT:
                dot = at
                at += np.uintp(1)
                while ZERO <= text[at] <= NINE:
                    number = number * 10 + np.int64(text[at]) - ZERO
                    at += np.uintp(1)
                power = np.int64(dot - at) + 1
                digits -= power
            if digits == 0:
                return False
            if digits > ENOUGH:
                number, left_out = _first_digits(text, start, at)
                power += left_out
            if text[at] == ord("e") or text[at] == ord("E"):
                at += np.uintp(1)
                below = text[at] == MINUS
                at += np.uintp(below or text[at] == PLUS)
                start, exponent = at, 0
                while ZERO <= text[at] <= NINE:
                    exponent = min(exponent * 10 + np.int64(text[at]) - ZERO, 9999)
                    at += np.uintp(1)
                if at == start:
                    return False
                power += -exponent if below else exponent
            if abs(power) > 300:
                return False
            # The last bits of this float64 may be off. Where that could change the float32, about
            # once in sixty million numbers, the slow way decides.
            value = number * POWERS[power + 300] * (1.0 - 2.0 * negative)
            low, high = np.float32(value * (1 - ERROR)), np.float32(value * (1 + ERROR))
            if low != high or np.isinf(high):
                return False
            values[row, column] = high
            if column < columns - 1:
                while text[at] == BLANK and delimiter != BLANK:
                    at += np.uintp(1)
                if text[at] != delimiter:
                    return False
                at += np.uintp(1)
        while text[at] == BLANK:
            at += np.uintp(1)
        at += np.uintp(text[at] == RETURN)
        if text[at] != NEWLINE:  # the last one also stops all loops at the end of the text
            return False
        at += np.uintp(1)
    return at == len(text)


@compiled()
def _first_digits(text, start, stop):
    """A number of the first digits that fit, the dot passed over, and how many were left out."""
    number, left_out = 0, 0
    for at in range(start, stop):
        if text[at] != DOT:
            if number < 10 ** (ENOUGH - 1):
                number = number * 10 + text[at] - ZERO
            else:
                left_out += 1
    return number, left_out


def write_rows(values, file, delimiter):
    """Write `float32 (rows, columns)` as lines of numbers with five decimals."""
    if np.abs(values).max(initial=0) >= 1e9:
        np.savetxt(file, values, "%.5f", delimiter=delimiter)
    else:
        text = np.empty(values.size * 17, np.uint8)  # sign, 9 digits, dot, 5 digits, delimiter
        with open(file, "wb") as stream:
            stream.write(text[: _print_plain(values, ord(delimiter), text)])


@compiled()
def _print_plain(values, delimiter, text):
    """Write numbers below 1e9 to a `uint8` text as `"%.5f"` does; how long it becomes."""
    at = 0
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            number = np.float64(values[row, column])
            if np.signbit(number):
                text[at] = MINUS
                at += 1
            # A float32 times 100000 has 41 bits, so the product is exact and rounds as it should.
            left = np.int64(np.rint(abs(number) * 100000))
            size = 7
            while left >= 10 ** (size - 1):
                size += 1
            for place in range(at + size - 1, at - 1, -1):
                if place == at + size - 6:
                    text[place] = DOT
                else:
                    text[place] = ZERO + left % 10
                    left //= 10
            at += size
            text[at] = delimiter
            at += 1
        text[at - 1] = NEWLINE
    return at

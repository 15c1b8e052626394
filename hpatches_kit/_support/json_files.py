"""Read JSON that others may have written: its size, depth and structure are checked."""

import json

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.regular_files import read_regular

LIMIT = 64 << 20  # bytes; the labels of a million points have 8 MB
DEPTH = 32  # levels of lists and objects; the files of the kit have fewer than 10
NAMES = {
    dict: "an object",
    list: "a list",
    str: "text",
    int: "a whole number",
    bool: "true or false",
}


def read_json(file, what, fields=None, links=True, limit=LIMIT):
    """Read a JSON file whose content is an object; returns a dictionary.

    Args:
        file: path of the file.
        what: what the file should be, for messages: `"a scores file"`.
        fields: as for `check_fields`.
        links, limit: as for `read_regular`.

    Raises UserError, which names the file, for anything else; OSError if it cannot be read.
    """
    return parse_json(read_regular(file, limit, links), file, what, fields)


def parse_json(text, name, what, fields=None):
    """Parse text or bytes as `read_json` does; `name` is the name of their file."""
    try:
        content = json.loads(text)
    except RecursionError:
        raise UserError(f"{name} is not {what}: it has too many levels.") from None
    except ValueError as error:
        raise UserError(f"{name} is not {what}: it is not valid JSON: {error}.") from error
    if not isinstance(content, dict):
        raise UserError(f"{name} is not {what}: expected an object, {{...}}.")
    _check_depth(content, name, what)
    check_fields(content, fields or {}, name, what)
    return content


def check_fields(content, fields, name, what):
    """Raise UserError unless an object has these fields, `{field: type}`."""
    for field, kind in fields.items():
        if not isinstance(content.get(field), kind):
            found = "missing" if field not in content else "of another type"
            raise UserError(f"{name} is not {what}: {field!r} is {found}, expected {NAMES[kind]}.")


def _check_depth(content, name, what):
    level = [content]
    for _ in range(DEPTH):
        children = (item.values() if isinstance(item, dict) else item for item in level)
        level = [part for parts in children for part in parts if isinstance(part, dict | list)]
        if not level:
            return
    raise UserError(f"{name} is not {what}: it has more than {DEPTH} levels.")

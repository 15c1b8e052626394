"""Random changes of files, for property tests."""

import json

from hypothesis import strategies as st

NUMBERS = st.integers() | st.floats() | st.sampled_from([0, -1, 1, 0.5, 10**300, 1 << 63, 1 << 31])
ATOMS = st.none() | st.booleans() | NUMBERS | st.sampled_from(["", "v_a", "/", "..", "0", "\0é"])
JSON = st.recursive(
    ATOMS,
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.sampled_from("abc"), parts),
    max_leaves=5,
)
EDIT = st.tuples(
    st.sampled_from(["flip", "replace", "insert", "remove", "cut", "repeat"]),
    st.floats(0, 1, exclude_max=True),  # the position, as a share of the file
    st.binary(min_size=1, max_size=8),
)
EDITS = st.lists(EDIT, min_size=1, max_size=3)


def edited(content, edits):
    """Bytes after edits of `EDITS`."""
    for kind, share, piece in edits:
        position = int(share * len(content))
        before, after = content[:position], content[position:]
        if kind == "flip" and after:
            after = bytes([after[0] ^ (1 << piece[0] % 8)]) + after[1:]
        elif kind == "replace":
            after = piece + after[len(piece) :]
        elif kind == "insert":
            after = piece + after
        elif kind == "remove":
            after = after[len(piece) :]
        elif kind == "cut":
            after = b""
        else:
            after = after + after
        content = before + after
    return content


@st.composite
def changed_json(draw, text):
    """The text of an object with another value at a random place, or without what is there."""
    content = parent = json.loads(text)
    while True:
        keys = list(parent) if isinstance(parent, dict) else range(len(parent))
        key = draw(st.sampled_from(keys))
        child = parent[key]
        if not (isinstance(child, dict | list) and child) or draw(st.integers(0, 3)) == 0:
            break
        parent = child
    if draw(st.integers(0, 5)) == 0:
        del parent[key]
    else:
        parent[key] = draw(JSON)
    return json.dumps(content)

"""Bad inputs: each file of each format is damaged in every way, and read."""

import json
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np

from campaigns.formats import FORMATS, png_header
from campaigns.outcomes import SAFE, outcome_of


def _truncate(part):
    def damage(file, _):
        content = file.read_bytes()
        file.write_bytes(content[: int(len(content) * part)])

    return damage


def _replace(make):
    """Replace the file by what `make(file, outside)` puts there."""

    def damage(file, outside):
        file.rename(outside / "original")
        make(file, outside)

    return damage


def _write(content):
    return lambda file, _: file.write_bytes(content)


def _sparse(file, _):
    with open(file, "r+b") as stream:
        stream.truncate(1 << 40)


def _zip_of_zeros(file, _):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for k in range(40):
            archive.writestr(f"v_{k}/ref.csv", b"0\n" * (2 << 20))


GENERIC = {  # name: function of the file and of a folder outside that of the case
    "empty": _write(b""),
    "one byte": _truncate(0.0001),
    "a third": _truncate(1 / 3),
    "nine tenths": _truncate(0.9),
    "text": _write(b"not what you expect\n" * 20),
    "random bytes": _write(np.random.default_rng(0).bytes(5000)),
    "zeros": lambda file, _: file.write_bytes(bytes(file.stat().st_size)),
    "appended": lambda file, _: file.write_bytes(file.read_bytes() + b"appended\n" * 9),
    "doubled": lambda file, _: file.write_bytes(2 * file.read_bytes()),
    "nested JSON": _write(b"[" * 200_000),
    "JSON of NaN": _write(b'{"format": NaN, "label": {"v_a": [NaN]}}'),
    "another format": _write(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\nshowpage\n"),
    "PNG that claims a billion pixels": _write(png_header(65, 65 * 400_000)),
    "PNG without height": _write(png_header(65, 0)),
    "zip of zeros": _zip_of_zeros,
    "a pipe": _replace(lambda file, _: os.mkfifo(file)),
    "a folder": _replace(lambda file, _: file.mkdir()),
    "a link to a device": _replace(lambda file, _: file.symlink_to("/dev/zero")),
    "a link to a secret": _replace(lambda file, outside: file.symlink_to(outside / "secret")),
    "a link to itself": _replace(lambda file, _: file.symlink_to(file)),
    "a terabyte of zeros": _sparse,
    "missing": _replace(lambda file, _: None),
    "unreadable": lambda file, _: file.chmod(0),
}
# What is behind the end of a picture or in front of a zip is not part of it.
AFTER = {"appended", "doubled"}
PICTURES, ZIPS = ("PNG", "JPG", "PPM", "TIF", "BMP", "image sequence"), ("CSV zip", "zip of strips")
HARMLESS = {name: AFTER | {"a terabyte of zeros"} for name in PICTURES}
HARMLESS |= dict.fromkeys([*ZIPS, "npz of descriptors", "weights", "backup of a run"], AFTER)
HARMLESS |= {"strips": AFTER, "scores": {"name is text"}}
HARMLESS["interrupted arrays"] = set(GENERIC)  # they are made again
# A number with fewer digits is another number; HPatches has no file of labels.
ANY_CONTENT = {"homography": {"nine tenths"}, "labels of strips": {"missing"}}


def _json_values(file, outside, key, value):
    content = json.loads(file.read_text())
    parts = key.split("/")
    for part in parts[:-1]:
        content = content[part]
    content[parts[-1]] = value
    file.write_text(json.dumps(content))


def json_cases(format_name, file, keys):
    """Cases that put every kind of value at these places of a JSON file."""
    values = {"null": None, "text": "x", "list": [1], "NaN": float("nan"), "42": 42, "-1": -1}
    values |= {"huge": 10**300, "empty": {}, "nested": [[[[[]]]]]}
    for key in keys:
        for label, value in values.items():
            yield (
                f"{format_name}: {file}: {key} is {label}",
                format_name,
                file,
                lambda f, outside, key=key, value=value: _json_values(f, outside, key, value),
            )


def all_cases():
    """Yield `(label, format, file, damage)` of every bad input."""
    for format_name, described in FORMATS.items():
        for file in described.files:
            for label, damage in GENERIC.items():
                yield f"{format_name}: {file}: {label}", format_name, file, damage
    keys = ["format", "name", "sequences", "matching", "matching/mean_ap", "matching/e"]
    yield from json_cases("scores", "s.json", [*keys, "matching/draws", "warnings"])
    yield from json_cases("patch set", "set/patches.json", ["lengths", "splits", "lengths/v_a"])
    yield from json_cases("labels of strips", "release/places.json", ["label", "label/v_a"])


def outcome_of_case(case, folder, examples, **limits):
    """The outcome of one case, in a new folder.

    `examples` keeps the written examples, `{format: (folder, text)}`. A file outside the folder of
    the case that has changed is an `escape`.
    """
    label, format_name, file, damage = case
    described = FORMATS[format_name]
    if format_name not in examples:
        example = folder / "examples" / format_name
        example.mkdir(parents=True)
        described.write(example)
        undamaged = shutil.copytree(example, folder / "undamaged" / format_name)
        examples[format_name] = example, described.read(undamaged)  # which may continue work
    example, expected = examples[format_name]
    inside, outside = folder / "case", folder / "outside"
    for path in (inside, outside):
        shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(example, inside)
    outside.mkdir()
    (outside / "secret").write_text("a secret of another folder")
    damage(inside / file, outside)
    before = _snapshot(outside)
    names = (Path(file).name, Path(file).stem, *Path(file).parts[:-1])
    outcome = outcome_of(described.read, inside, names, expected, **limits)
    if _snapshot(outside) != before:
        return "escape", outcome[1]
    return outcome


def expected_outcome(case):
    """The class of outcome that a bad input should have: `refused`, `equal` or `another list`."""
    label, format_name, *_ = case
    damage = label.split(": ", 2)[2]
    if damage == "unreadable" and not os.geteuid():
        return "equal"  # root reads every file
    if damage in ANY_CONTENT.get(format_name, ()):
        return "changed"
    return "equal" if damage in HARMLESS.get(format_name, ()) else "refused"


def _snapshot(folder):
    return {
        path.name: (path.lstat().st_size, path.lstat().st_mtime_ns) for path in folder.iterdir()
    }


def run(folder, formats=tuple(FORMATS), step=1, **limits):
    """Read the bad inputs of some formats, each `step`-th; returns `{label: (outcome, text)}`.

    A bad input with another outcome than the expected one counts as unsafe.
    """
    outcomes, examples = {}, {}
    cases = [case for case in all_cases() if case[1] in formats]
    for case in cases[::step]:
        kind, text = outcome_of_case(case, folder, examples, **limits)
        if kind != (expected := expected_outcome(case)):
            kind = f"{kind}, not {expected}" if kind in SAFE else kind
        elif kind == "changed":
            kind = "equal"  # to what the text says
        outcomes[case[0]] = kind, text
    return outcomes

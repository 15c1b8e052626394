"""Find the submissions in a folder: what each participant handed in, by the names of files."""

import hashlib
import stat
from dataclasses import dataclass
from pathlib import Path

from hpatches_kit._support.archives import is_hidden
from hpatches_kit._support.errors import UserError
from hpatches_kit.course.challenge.submissions.model_cards import visible
from hpatches_kit.datasets.own_photographs import safe_name

PATCHES_FILE = "patches.npz"  # in the kit; some hand in their whole folder
SUFFIXES = (".npz", ".json")
MISTAKES = (".npy", ".csv", ".zip", ".gz", ".7z", ".rar")  # handed in instead of these two
LONGEST_NAME = 40  # characters of a file name that are kept


@dataclass
class Entry:
    """One submission: two files of a participant.

    Attributes:
        name: the name of its folder, or of its `.npz` without the suffix.
        file, card: paths, or None.
        problem: a sentence if a file is missing or is not a plain file.
    """

    name: str
    file: Path | None = None
    card: Path | None = None
    problem: str = ""

    @property
    def file_name(self):
        """A name for files about this submission: safe on every system, and different for each."""
        digest = hashlib.sha256(self.name.encode(errors="surrogatepass")).hexdigest()
        return f"{safe_name(visible(self.name))[:LONGEST_NAME]}-{digest[:12]}"


def find_submissions(folder):
    """List the submissions in a folder, by name.

    Either each participant has a subfolder with one `.npz` and one `.json`, as most learning
    platforms deliver them, or `NAME.npz` and `NAME.json` lie next to each other. A `NAME.zip` or the
    like without these two is a submission with a problem. Other files, hidden ones and the kit's own
    `patches.npz` are ignored. No file is opened, and no link is followed.

    Returns a list of `Entry`. Raises FileNotFoundError for a missing folder; UserError for a file,
    and for a folder without submissions or with another folder that holds them all.
    """
    folder = Path(folder).expanduser()
    if folder.is_file():
        raise UserError(
            f"{folder} is a file: expected a folder of submissions. Unpack an archive first."
        )
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is missing: expected a folder of submissions.")
    children = sorted(child for child in folder.iterdir() if not is_hidden(Path(child.name)))
    files = [child for child in children if _suffix(child) in SUFFIXES and not _is_folder(child)]
    files = [file for file in files if file.name != PATCHES_FILE]
    entries = [_of_folder(child) for child in children if _is_folder(child)]
    entries += [
        Entry(child.name, problem=_link(child))
        for child in children
        if child.is_symlink() and child not in files
    ]
    stems = dict.fromkeys(file.stem for file in files)
    entries += [_of_files(stem, [file for file in files if file.stem == stem]) for stem in stems]
    complete = {entry.name for entry in entries}
    entries += [
        Entry(child.name, problem=_wrong_type(child))
        for child in children
        if _suffix(child) in MISTAKES and child.stem not in complete and not child.is_symlink()
    ]
    taken = set()
    for entry in entries:
        while entry.name in taken:  # such as a folder `Ada` and a file `Ada.npz`
            entry.name += " (files)"
        taken.add(entry.name)
    if not entries:
        raise UserError(
            f"{folder} has no submissions: expected NAME.npz and NAME.json, or a folder with both"
            " for each participant."
        )
    if len(entries) == 1 and len(children) == 1 and _is_folder(children[0]):
        _check_not_nested(children[0], entries[0])
    return sorted(entries, key=lambda entry: (entry.name.casefold(), entry.name))


def _check_not_nested(inner, entry):
    """Raise an error if the only folder holds several submissions, as some archives do."""
    try:
        complete = [e for e in find_submissions(inner) if not e.problem] if entry.problem else []
    except (UserError, OSError):
        return  # one submission, with a problem
    if len(complete) > 1:
        raise UserError(
            f"The submissions lie one folder deeper, {len(complete)} of them in {inner}: score that"
            " folder."
        )


def _is_folder(path):
    return path.is_dir() and not path.is_symlink()


def _of_folder(folder):
    try:
        files = sorted(file for file in folder.iterdir() if not file.name.startswith("."))
    except OSError as error:
        return Entry(folder.name, problem=f"The folder cannot be read: {error.strerror}.")
    return _of_files(folder.name, files)


def _of_files(name, files):
    entry = Entry(name)
    for field, suffix, what in (("file", ".npz", "descriptors"), ("card", ".json", "model card")):
        matching = [f for f in files if _suffix(f) == suffix and f.name != PATCHES_FILE]
        if len(matching) != 1:
            count = f"{len(matching)} files" if matching else "no file"
            entry.problem = (
                f"The submission has {count} ending in {suffix}, the {what}: expected one. Hand in"
                " one .npz and one .json, as the example script writes them, and no folder."
            )
            return entry
        mode = matching[0].lstat().st_mode
        if stat.S_ISLNK(mode):
            entry.problem = _link(matching[0])
            return entry
        if not stat.S_ISREG(mode):
            entry.problem = f"{visible(matching[0].name)} is not a file: expected a plain file."
            return entry
        setattr(entry, field, matching[0])
    return entry


def _link(path):
    return (
        f"{visible(path.name)} is a link to another file: expected a plain file. Hand in the file"
        " itself."
    )


def _wrong_type(path):
    return (
        f"{visible(path.name)} is not a submission: expected one .npz and one .json, as the example"
        " script writes them."
    )


def _suffix(path):
    return path.suffix.lower()

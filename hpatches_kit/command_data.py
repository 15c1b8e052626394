"""The command line, its part on data: `python -m hpatches_kit data make PHOTOS --out FOLDER`."""

import os
from fnmatch import fnmatch
from pathlib import Path

from hpatches_kit.patches import HOLDS
from hpatches_kit.sequences import from_photographs


def add_data(commands):
    """Add `data` and all that follows it to the subcommands of a parser."""
    command = commands.add_parser("data", help="make patches", description="Make patches.")
    add_make(command.add_subparsers(required=True, metavar="WHAT"))


def add_make(commands):
    command = commands.add_parser(
        "make",
        help="from your own photographs and image sequences",
        description="Make noisy and clean patches from your own photographs and image sequences.",
        epilog="Image files directly in PHOTOS are single photographs, each of which gives virtual"
        " sequences. Its subfolders with 1.jpg, 2.jpg, H_1_2 and so on, up to 6.jpg and H_1_6, are"
        " image sequences, in the layout of HPatches.",
    )
    command.set_defaults(run=make)
    add = command.add_argument
    add("photos", metavar="PHOTOS", nargs="+", help="folders, image files, or sequences")
    add("--out", metavar="FOLDER", required=True, help="where the patches are put")
    whole = {"type": int, "metavar": "N"}
    add("--points", default=500, **whole, help="at most, in each sequence; default: %(default)s")
    add(
        "--viewpoint",
        default=2,
        **whole,
        help="virtual viewpoint sequences of each photograph; default: %(default)s",
    )
    add(
        "--lighting",
        default=2,
        **whole,
        help="virtual lighting sequences of each photograph; default: %(default)s",
    )
    add("--seed", default=0, **whole, help="of all that is random; default: %(default)s")
    add("--quiet", action="store_true", help="no progress bar")


def make(options):
    """Cut the patches, write them to a folder, and say what is in it."""
    check_out(Path(options.out))  # not after all the work
    counts = {name: getattr(options, name) for name in ("viewpoint", "lighting", "points", "seed")}
    patches = from_photographs(options.photos, **counts, progress=not options.quiet)
    patches = patches.save(options.out, made="of photographs", **counts)
    print(patches)
    for name in patches.splits:
        train, test = patches.split(name)
        print(f"split {name!r}: {len(train):,} points to train on, {len(test):,} to test on")
    if not patches.splits:
        print("One photograph alone cannot be split: choose sequences with select(names).")
    print(f'To open them: hk.load("{options.out}")')


def check_out(folder):
    """OSError for a folder that patches could not be saved to, or that holds somebody's work."""
    folder = folder.absolute()
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file: choose another name for --out.")
    for file in folder.rglob("*"):
        if file.is_file() and not any(fnmatch(file.name, pattern) for pattern in HOLDS):
            raise FileExistsError(f"{folder} already holds {file.name}: choose another folder.")
    there = next(parent for parent in folder.parents if parent.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise PermissionError(
            f"{folder} cannot be written: {there} is not a folder that can be written to."
        )

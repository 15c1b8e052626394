"""The command line, its part on data: `python -m hpatches_kit data hpatches`, `data make PHOTOS`."""

from pathlib import Path

from hpatches_kit import benchmark, datasets
from hpatches_kit._support.atomic import check_replaceable
from hpatches_kit._support.disk import check_writable
from hpatches_kit.datasets.splits import SPLITS


def add_data(commands):
    """Add `data` and all that follows it to the subcommands of a parser."""
    command = commands.add_parser(
        "data",
        help="download HPatches, or make patches of your own photographs",
        description="Download HPatches, or make patches of your own photographs.",
        epilog="$HPATCHES_KIT_DATA says where data is kept, $HPATCHES_KIT_MIRROR where it is"
        " downloaded from. A download that was interrupted goes on when it is called again.",
    )
    what = command.add_subparsers(required=True, metavar="WHAT")
    add_hpatches(what)
    add_sequences(what)
    add_tasks(what)
    add_make(what)


def add_common(command):
    """Options of all that is downloaded."""
    command.add_argument("--folder", help="where it is kept; default: $HPATCHES_KIT_DATA, or data/")
    command.add_argument("--quiet", action="store_true", help="no progress bars")


def add_hpatches(commands):
    command = commands.add_parser(
        "hpatches",
        help="the patches: 4.2 GB to download, 5.1 GB of arrays",
        description="Get the HPatches release, and turn its patches into arrays with the noise of"
        " the coursework.",
    )
    command.set_defaults(run=hpatches)
    add = command.add_argument
    add(
        "--source",
        metavar="PATH",
        help="folder or zip of HPatches or N-HPatches that is here already",
    )
    add("--originals", action="store_true", help="also keep the 65 px patches: 10.6 GB more")
    add_common(command)


def hpatches(options):
    """Get and convert HPatches, and say what is there."""
    options_of_load = {"originals": options.originals, "progress": not options.quiet}
    patches = datasets.load("hpatches", options.folder, options.source, **options_of_load)
    print(patches)
    there = f", {options.folder!r}" if options.folder else ""
    there += f", source={options.source!r}" if options.source else ""
    print(f"To open it: hk.load('hpatches'{there})")


def add_sequences(commands):
    command = commands.add_parser(
        "sequences",
        help="the photographs that HPatches was cut from: 1.3 GB",
        description="Get the image sequences that HPatches was cut from.",
    )
    command.set_defaults(run=sequences)
    command.add_argument("--source", metavar="PATH", help="zip of them that is here already")
    add_common(command)


def sequences(options):
    """Get and unpack the image sequences, and say where they are."""
    folder = datasets.image_sequences(options.folder, options.source, progress=not options.quiet)
    print(f"{len(list(folder.iterdir()))} sequences are in {folder}")


def add_tasks(commands):
    command = commands.add_parser(
        "tasks",
        help="the official task lists of a split",
        description="Get the official task lists of a split, for evaluate --tasks.",
    )
    command.set_defaults(run=tasks)
    command.add_argument("--split", default="a", choices=SPLITS, help="default: %(default)s")
    add_common(command)


def tasks(options):
    """Get the lists, and say how they are used."""
    folder = options.folder and Path(options.folder) / "official_tasks"
    folder = benchmark.download_tasks(options.split, folder, not options.quiet)
    print(f"python -m hpatches_kit evaluate DESCRIPTORS --tasks {folder} --split {options.split}")


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
    patches = datasets.from_photographs(options.photos, **counts, progress=not options.quiet)
    patches = patches.save(options.out, made="of photographs", **counts)
    print(patches)
    for name in patches.splits:
        train, test = patches.split(name)
        print(f"split {name!r}: {len(train):,} points to train on, {len(test):,} to test on")
    if not patches.splits:
        print("One photograph alone cannot be split: choose sequences with select(names).")
    print(f"To open them: hk.load({options.out!r})")


def check_out(folder):
    """OSError for a folder that patches could not be saved to, or that holds somebody's work."""
    folder = folder.absolute()
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file: choose another name for --out.")
    from hpatches_kit.patches.storage import FILE_PATTERNS  # not before a command runs

    check_replaceable(folder, FILE_PATTERNS)
    check_writable(folder)

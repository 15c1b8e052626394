"""The command `hpatches data`: make patches of photographs, or download HPatches."""

import shlex
from pathlib import Path

from hpatches_kit import benchmark, datasets
from hpatches_kit._support.atomic import check_replaceable
from hpatches_kit._support.disk import check_writable
from hpatches_kit.datasets.splits import SPLITS


def add_data(commands):
    """Add `data` and its subcommands to the commands of a parser."""
    command = commands.add_parser(
        "data",
        help="make patches of built-in or your own photographs, or download HPatches",
        description="Make patches of built-in or your own photographs, or download HPatches.",
        epilog="$HPATCHES_KIT_DATA names the folder for data, $HPATCHES_KIT_MIRROR another server"
        " to download from. An interrupted download resumes when the command runs again.",
    )
    subcommands = command.add_subparsers(required=True, metavar="COMMAND")
    for add in (add_photos, add_hpatches, add_sequences, add_tasks, add_make):
        add(subcommands)


def add_download_options(command):
    command.add_argument("--folder", help="for the data; default: $HPATCHES_KIT_DATA, or data/")
    command.add_argument("--quiet", action="store_true", help="show no progress bars")


def add_photos(commands):
    command = commands.add_parser(
        "photos",
        help="patches of built-in photographs, with your own for training",
        description="Make patches of built-in photographs. Your own photographs and image sequences"
        " can be added to the training side; the validation and test sides stay the same.",
        epilog="Image files directly in the folder of --extra are single photographs. Its"
        " subfolders with 1.jpg, 2.jpg, H_1_2 and so on are image sequences.",
    )
    command.set_defaults(run=photos)
    add = command.add_argument
    text = "photos, or mini, which is smaller; default: %(default)s"
    add("--set", dest="name", default="photos", choices=["mini", "photos"], help=text)
    add("--extra", metavar="FOLDER", help="your own photographs, for the training side")
    add_download_options(command)


def photos(options):
    """Build or open a built-in patch set, and print its sides and how to open it."""
    load_options = {"extra": options.extra, "progress": not options.quiet}
    patches = datasets.load(options.name, options.folder, **load_options)
    print(patches)
    print_splits(patches)
    arguments = f", {options.folder!r}" if options.folder else ""
    arguments += f", extra={options.extra!r}" if options.extra is not None else ""
    path = Path(patches.base("clean").filename).parent
    print(f"To open it: hk.load({options.name!r}{arguments}) or hk.load({str(path)!r})")
    print(f"To train the tables on it: hpatches reproduce --data {shlex.quote(str(path))}")


def add_hpatches(commands):
    command = commands.add_parser(
        "hpatches",
        help="the patches: 4.2 GB to download, 5.1 GB as arrays",
        description="Download HPatches and convert it to arrays, with the coursework's noise.",
    )
    command.set_defaults(run=hpatches)
    add = command.add_argument
    add("--source", metavar="PATH", help="local folder or zip of HPatches or N-HPatches")
    add("--originals", action="store_true", help="also keep the 65 px patches: 10.6 GB more")
    add_download_options(command)


def hpatches(options):
    """Download and convert HPatches, and print how to open it."""
    load_options = {"originals": options.originals, "progress": not options.quiet}
    patches = datasets.load("hpatches", options.folder, options.source, **load_options)
    print(patches)
    arguments = f", {options.folder!r}" if options.folder else ""
    arguments += f", source={options.source!r}" if options.source else ""
    print(f"To open it: hk.load('hpatches'{arguments})")


def add_sequences(commands):
    text = "Download the image sequences that the patches of HPatches come from."
    summary = "the image sequences of HPatches: 1.3 GB"
    command = commands.add_parser("sequences", help=summary, description=text)
    command.set_defaults(run=sequences)
    command.add_argument("--source", metavar="PATH", help="local zip of the image sequences")
    add_download_options(command)


def sequences(options):
    """Download and unpack the image sequences, and print their folder."""
    folder = datasets.image_sequences(options.folder, options.source, progress=not options.quiet)
    print(f"{len(list(folder.iterdir()))} sequences are in {folder}")


def add_tasks(commands):
    text = "Download the official task lists of a split, for evaluate --tasks."
    summary = "the official task lists of a split"
    command = commands.add_parser("tasks", help=summary, description=text)
    command.set_defaults(run=tasks)
    command.add_argument("--split", default="a", choices=SPLITS, help="default: %(default)s")
    add_download_options(command)


def tasks(options):
    """Download the task lists, and print how to use them."""
    folder = options.folder and Path(options.folder) / "official_tasks"
    folder = benchmark.download_tasks(options.split, folder, not options.quiet)
    print(f"To use them: hpatches evaluate DESCRIPTORS --tasks {folder} --split {options.split}")


def add_make(commands):
    command = commands.add_parser(
        "make",
        help="patches of your own photographs and image sequences",
        description="Make noisy and clean patches of your own photographs and image sequences.",
        epilog="Image files directly in PHOTOS are single photographs; each becomes several"
        " virtual sequences. Subfolders with 1.jpg, 2.jpg, H_1_2 and so on, up to 6.jpg and H_1_6,"
        " are image sequences in the layout of HPatches.",
    )
    command.set_defaults(run=make)
    add = command.add_argument
    add("photos", metavar="PHOTOS", nargs="+", help="folders, image files, or image sequences")
    add("--out", metavar="FOLDER", required=True, help="for the patches")
    number = {"type": int, "metavar": "N"}
    add("--points", default=500, **number, help="at most, per sequence; default: %(default)s")
    text = "at least, per sequence, or an error; default: %(default)s"
    add("--fewest-points", default=0, **number, help=text)
    for name in ("viewpoint", "lighting"):
        text = f"virtual {name} sequences per photograph; default: %(default)s"
        add(f"--{name}", default=2, **number, help=text)
    add("--seed", default=0, **number, help="of all random choices; default: %(default)s")
    add("--quiet", action="store_true", help="show no progress bar")


def make(options):
    """Extract the patches, write them to a folder, and print what it holds."""
    check_out(Path(options.out))  # before the work
    counts = {name: getattr(options, name) for name in ("viewpoint", "lighting", "points", "seed")}
    fewest = {"fewest_points": options.fewest_points, "progress": not options.quiet}
    patches = datasets.from_photographs(options.photos, **counts, **fewest)
    patches = patches.save(options.out, made="of photographs", **counts)
    print(patches)
    print_splits(patches)
    if not patches.splits:
        print(
            "Fewer than three photographs or sequences have no split: choose sequences with"
            " select(names)."
        )
    print(f"To open them: hk.load({options.out!r})")


def print_splits(patches):
    """Print the number of points on the three sides of each split."""
    for name in patches.splits:
        train, validation, test = map(len, patches.split(name))
        print(
            f"split {name!r}: {train:,} training points, {validation:,} validation points,"
            f" {test:,} test points"
        )


def check_out(folder):
    """Raise OSError if patches cannot be saved to a folder, or it already holds other files."""
    from hpatches_kit.patches.storage import FILE_PATTERNS  # imports NumPy

    folder = folder.absolute()
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file: choose another name for --out.")
    check_replaceable(folder, FILE_PATTERNS)
    check_writable(folder)

"""The command `hpatches course challenge`: deal patches without labels, score what comes back."""

from hpatches_kit import course


def add_challenge(commands):
    """Add `challenge` and its subcommands to the commands of `hpatches course`."""
    command = commands.add_parser(
        "challenge",
        help="deal patches without labels, and score what comes back",
        description="Deal patches without labels, and score the descriptors that come back.",
    )
    subcommands = command.add_subparsers(required=True, metavar="COMMAND")
    for add in (add_make, add_score):
        add(subcommands)


def add_make(commands):
    command = commands.add_parser(
        "make",
        help="deal the patches of your own photographs",
        description="Deal the patches of your own photographs: shuffled, without labels and names.",
        epilog="Built-in photographs are refused: everybody has them. Keep KEYFILE secret, and keep"
        " a copy: without it, nothing can be scored.",
    )
    command.set_defaults(run=make)
    add = command.add_argument
    text = "photographs and image sequences as for `hpatches data make`, a saved patch set, or hpatches"
    add("photos", metavar="PHOTOS", nargs="+", help=text)
    add("--out", metavar="FOLDER", required=True, help="new, for the participants")
    add("--key", metavar="KEYFILE", required=True, help="new, for you alone; outside of FOLDER")
    add("--title", default="Descriptor challenge", help="default: %(default)s")
    add("--kind", default="noisy", choices=("noisy", "clean"), help="default: %(default)s")
    number = {"type": int, "metavar": "N"}
    add("--points", default=100, **number, help="at most, per sequence; default: %(default)s")
    for name in ("viewpoint", "lighting"):
        text = f"virtual {name} sequences per photograph; default: %(default)s"
        add(f"--{name}", default=2, **number, help=text)
    add("--quiet", action="store_true", help="show no progress bars")


def make(options):
    """Deal the patches, and print what to hand out and what to keep."""
    names = ("photos", "out", "key", "title", "kind", "points", "viewpoint", "lighting")
    arguments = {name: getattr(options, name) for name in names}
    key = course.challenge.make(**arguments, progress=not options.quiet)
    public, private = (len(key.names_of(half)) for half in ("public", "private"))
    print(
        f"{len(key.rows):,} {key.kind} patches of {len(key.sequence):,} points, {public} public and"
        f" {private} private sequences"
    )
    print(f"For the participants: {options.out}")
    print(f"For you alone, to score what they hand in: {options.key}")


def add_score(commands):
    command = commands.add_parser(
        "score",
        help="score the submissions in a folder",
        description="Score the submissions in a folder, and write a table, feedback and a page.",
        epilog="SUBMISSIONS has NAME.npz and NAME.json of each participant, or a subfolder for each"
        " with both files. One that cannot be scored is listed with the reason and stops no other.",
    )
    command.set_defaults(run=score)
    add = command.add_argument
    add("submissions", metavar="SUBMISSIONS", help="folder")
    add("--key", metavar="KEYFILE", required=True, help="from `make`")
    add("--out", metavar="FOLDER", required=True, help="for scores.csv, feedback/ and site/")
    text = "score the public half alone, for a page that is shown before the deadline"
    add("--public-only", action="store_true", help=text)
    text = "folder of submissions that are shown without a rank, such as a baseline"
    add("--references", metavar="FOLDER", help=text)
    add("--quiet", action="store_true", help="show no progress bars")


def score(options):
    """Score the submissions, and print what was not scored and what looks like a copy."""
    results, table = course.challenge.score(
        options.submissions,
        options.key,
        options.out,
        options.public_only,
        options.references,
        progress=not options.quiet,
    )
    refused = table[table.problem != ""]
    references = [result.entry.name for result in results if result.is_reference and result.problem]
    print(
        f"{table['rank'].count()} submissions are ranked,"
        f" {len(refused) - len(references)} could not be scored."
    )
    for row in refused.itertuples():
        print(f"  {row.submission}: {row.problem}")
    if references:
        print(f"References that could not be scored: {', '.join(references)}")
    for row in table[table.copy_of != ""].itertuples():
        print(f"  {row.submission}: almost the same distances as {row.copy_of}")
    limits = next((result.limits for result in results if result.limits), [])
    print(f"Limits of the processes that read files: {'; '.join(limits) or 'none was needed'}.")
    print(f"Table, feedback files and page: {options.out} (open site/index.html)")

"""The command `hpatches match`: match two pictures, and draw where they agree."""

from pathlib import Path

from hpatches_kit import image_matching, plots
from hpatches_kit._support.atomic import atomic_file
from hpatches_kit._support.disk import check_writable
from hpatches_kit._support.errors import UserError


def add_match(commands):
    command = commands.add_parser(
        "match",
        help="match two pictures, and draw where they agree",
        description="Match two pictures: print how many matches agree with one homography, and the"
        " homography; draw the matches, and the second picture laid over the first.",
    )
    command.set_defaults(run=match)
    add = command.add_argument
    add("picture_a", metavar="A.jpg", help="the first picture")
    add("picture_b", metavar="B.jpg", help="the second picture")
    text = "write the figure there: .png, .jpg, .pdf or .svg"
    add("--out", metavar="FILE", help=text)
    text = "a pretrained network, or a baseline such as rootsift; default: %(default)s"
    add("--descriptor", default="descriptor", metavar="NAME", help=text)
    number = {"type": int, "metavar": "N"}
    add("--points", default=1000, **number, help="keypoints, at most; default: %(default)s")
    text = "keep a match if the second nearest is farther by 1/R; default: no such test"
    add("--ratio", type=float, metavar="R", help=text)
    text = "default: %(default)s; fundamental for scenes that are not flat"
    add("--geometry", default="homography", choices=("homography", "fundamental"), help=text)
    text = "default: %(default)s; magsac needs OpenCV"
    add("--estimator", default="ransac", choices=("ransac", "magsac"), help=text)
    text = "distance in pixels up to which a match is an inlier; default: %(default)s"
    add("--threshold", type=float, default=3.0, metavar="T", help=text)
    text = "text file with the true 3x3 homography: draw right and wrong inliers"
    add("--homography", metavar="FILE", help=text)
    add("--seed", default=0, **number, help="of the estimator; default: %(default)s")
    add("--quiet", action="store_true", help="show no progress bar")


def match(options):
    """Match the pictures, print the counts and the matrix, and write the figure."""
    from hpatches_kit.images.sequences import read_matrix  # imports NumPy

    if options.out:
        check_figure_file(Path(options.out))  # before the work
    homography = read_matrix(options.homography) if options.homography else None
    settings = {
        name: getattr(options, name)
        for name in ("descriptor", "points", "ratio", "geometry", "estimator", "threshold", "seed")
    }
    try:
        pictures = options.picture_a, options.picture_b
        result = image_matching.match(*pictures, **settings, progress=not options.quiet)
    except ImportError as error:  # OpenCV, which is optional
        raise UserError(str(error)) from error
    print(result)
    if result.matrix is not None:
        print(f"{options.geometry}:")
        is_homography = options.geometry == "homography"
        scale = result.matrix[2, 2] if is_homography else abs(result.matrix).max()
        for row in result.matrix / scale:
            print(" ".join(f"{number:14.6e}" for number in row))
    if options.out:
        with atomic_file(options.out) as partial:
            figure_format = Path(options.out).suffix[1:].lower()
            plots.matches(result, homography).savefig(partial, dpi=150, format=figure_format)
        print(f"The figure is {options.out}.")


def check_figure_file(file):
    """Raise UserError for a name that is not a figure's, OSError if it cannot be written."""
    if file.suffix.lower() not in (".png", ".jpg", ".jpeg", ".pdf", ".svg"):
        raise UserError(f"{file}: expected a name that ends in .png, .jpg, .pdf or .svg for --out.")
    if file.is_dir():
        raise UserError(f"{file} is a folder: expected the name of a file for --out.")
    check_writable(file)

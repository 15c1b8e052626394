"""Run a notebook from a fresh kernel and keep its results.

    python notebooks/run.py quickstart                  # into results/quickstart
    python notebooks/run.py quickstart --save           # and save outputs and README table
    python notebooks/run.py quickstart --set SEED=1     # with another setting
    python notebooks/run.py quickstart --quick          # every cell runs, little is trained
    python notebooks/run.py --prepare                   # write setup cell, stubs, questions and badges into all

Leaves the executed notebook, its HTML, every figure as a PNG named after its cell, and what the notebook itself saves;
prints its table of scores.
"""

import argparse
import base64
import re
import sys
import time
from datetime import date
from io import BytesIO
from pathlib import Path

import nbformat
import pandas as pd
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from PIL import Image

from hpatches_kit._support.atomic import replace_section
from hpatches_kit.course.copies import fill
from hpatches_kit.course.questions.asking import question

PROJECT = Path(__file__).resolve().parent.parent
NOTEBOOKS = {file.stem[2:]: file for file in sorted(PROJECT.glob("notebooks/?-*.ipynb"))}
SETUP = PROJECT / "hpatches_kit" / "course" / "setup_cell.py"
# TensorFlow prints on some machines that it traced a function again.
TRACING = re.compile(r"^WARNING:tensorflow:.*\n?", re.MULTILINE)
WIDGET = "application/vnd.jupyter.widget-view+json"
LARGE = 400_000  # characters of a picture in base64
METADATA = {
    "accelerator": "GPU",
    "colab": {"gpuType": "T4", "provenance": []},
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
COLAB = "https://colab.research.google.com"
BADGE = re.compile(rf"\[!\[Open in Colab\]\({COLAB}[^)]*\)\]\([^)]*\)\n\n")


def run(name, out, settings=(), quick=False, save=False):
    """Execute a notebook in the project folder; raises when a cell fails.

    Args:
        name: of the notebook, without number and suffix.
        out: folder for the results.
        settings: `NAME=VALUE` lines that follow the notebook's own.
        quick: set its `QUICK`.
        save: write the outputs into the notebook in the checkout, too.
    """
    if name not in NOTEBOOKS:
        raise SystemExit(f"No notebook {name!r}: expected one of {', '.join(NOTEBOOKS)}.")
    if (settings or quick) and save:
        raise SystemExit("--save keeps the notebook as it is: use it without --set and --quick.")
    file, out = NOTEBOOKS[name], Path(out)
    notebook = prepare(nbformat.read(file, as_version=4), file.name)
    if quick:
        cell = notebook.cells[_tagged(notebook, "parameters")]
        cell.source = cell.source.replace("QUICK = False", "QUICK = True")
    if settings:
        position = max(_tagged(notebook, "parameters"), _tagged(notebook, "quick")) + 1
        cell = nbformat.v4.new_code_cell("\n".join(settings), id="settings")
        notebook.cells.insert(position, cell)
    out.mkdir(parents=True, exist_ok=True)
    started, count = time.time(), len(notebook.cells)

    def report(cell, cell_index, **_):
        title = cell.source.strip().splitlines()[0] if cell.source.strip() else ""
        if cell.cell_type == "code":
            line = (
                f"{time.time() - started:6.0f} s  cell {cell_index + 1:2} of {count}  {title[:70]}"
            )
            print(line, flush=True)

    client = NotebookClient(notebook, timeout=None, kernel_name="python3", on_cell_start=report)
    client.resources = {"metadata": {"path": str(PROJECT)}}
    log = out / "kernel.log"  # what libraries print while they start; kept when the run fails
    try:
        with log.open("w") as stream:
            client.execute(stderr=stream)
    finally:  # a failed run can be read, too
        clean(notebook)
        nbformat.write(notebook, out / f"{name}.ipynb")
    log.unlink()
    html, _ = HTMLExporter().from_notebook_node(notebook)
    (out / f"{name}.html").write_text(html)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                (out / f"{cell.id}.png").write_bytes(base64.b64decode(output.data["image/png"]))
    if save:
        nbformat.write(notebook, file)
    return notebook, time.time() - started


def prepare(notebook, file_name):
    """Give a notebook the setup cell, stubs, questions, the metadata that Colab reads, its badge."""
    notebook.metadata = nbformat.from_dict(METADATA)
    setup = next(cell for cell in notebook.cells if cell.cell_type == "code")
    setup.source = SETUP.read_text().strip()
    setup.metadata = nbformat.from_dict({"cellView": "form", "jupyter": {"source_hidden": True}})
    fill(notebook)
    for cell in notebook.cells:
        if "question" in cell.metadata.get("tags", []):
            for output in cell.outputs:  # none in a new notebook
                output.data["text/plain"] = str(question(cell.source.split('"')[1]))
    title = notebook.cells[0]
    title.source = badge(file_name) + BADGE.sub("", title.source)
    return notebook


def badge(file_name):
    """Markdown that opens a notebook in Colab; nothing while the project has no public address."""
    address = re.search(r'^REPOSITORY = "(.*?)"', SETUP.read_text(), re.MULTILINE)[1]
    if not address:
        return ""
    page = f"{COLAB}/github/{address.split('github.com/')[-1]}/blob/main/notebooks/{file_name}"
    return f"[![Open in Colab]({COLAB}/assets/colab-badge.svg)]({page})\n\n"


def prepare_all():
    """Write setup cell, metadata and badges into all notebooks, and the badges into the README."""
    for file in NOTEBOOKS.values():
        nbformat.write(prepare(nbformat.read(file, as_version=4), file.name), file)
    badges = " ".join(badge(file.name).strip() for file in NOTEBOOKS.values()).strip()
    replace_section(PROJECT / "README.md", "badges", badges)


def _tagged(notebook, tag):
    """The index of the cell with this tag, or -1."""
    tagged = (i for i, c in enumerate(notebook.cells) if tag in c.metadata.get("tags", []))
    return next(tagged, -1)


def clean(notebook):
    """Drop progress bars, timings, widgets and the kernel's version."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.metadata.pop("execution", None)
            for output in cell.outputs:
                if output.get("name") == "stdout":
                    output.text = TRACING.sub("", output.text)
                if "image/png" in output.get("data", {}):
                    output.data["image/png"] = reduce_colours(output.data["image/png"])
                    output.data.pop(WIDGET, None)  # the picture stands for the widget
            cell.outputs = [
                output
                for output in cell.outputs
                # GitHub refuses to show a notebook that holds widgets.
                if output.get("name") != "stderr"
                and output.get("text") != ""
                and WIDGET not in output.get("data", {})
            ]


def reduce_colours(picture):
    """A PNG in base64, reduced to 256 colours, which makes it a third of its size.

    A large one, of photographs, gets fewer grey levels and at most 700 pixels of width.
    """
    with Image.open(BytesIO(base64.b64decode(picture))) as figure:
        flat = Image.new("RGB", figure.size, "white")
        flat.paste(figure, mask=figure.getchannel("A") if figure.mode == "RGBA" else None)
    reduced = _encode(flat, 256, Image.Quantize.MEDIANCUT)
    if len(reduced) > LARGE:
        flat.thumbnail((700, flat.height))
        reduced = _encode(flat, 128, Image.Quantize.MAXCOVERAGE)  # which keeps thin coloured lines
    return reduced


def _encode(image, colours, method):
    stream = BytesIO()
    image.quantize(colours, method, dither=Image.Dither.NONE).save(stream, "png", optimize=True)
    return base64.b64encode(stream.getvalue()).decode()


def update_readme(notebook, seconds, out):
    """Write the table of a run, and its provenance, into the README."""
    table = pd.read_csv(out / "scores.csv").to_markdown(index=False, floatfmt=".3f")
    environment = next(cell for cell in notebook.cells if cell.id == "environment").outputs[0].text
    text = (
        f"{table}\n\nMean average precision (mAP); `make quickstart`, {date.today()},"
        f" {seconds:.0f} s in all: {environment.split(' No GPU')[0].strip()}"
    )
    replace_section(PROJECT / "README.md", "quickstart", text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", help=", ".join(NOTEBOOKS))
    parser.add_argument("--out", help="folder for the results; default: results/NAME")
    parser.add_argument("--quick", action="store_true", help="run every cell, train little")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--save", action="store_true", help="keep the outputs in the checkout")
    parser.add_argument(
        "--prepare", action="store_true", help="update setup cells, stubs, questions and badges"
    )
    options = parser.parse_args()
    if options.prepare:
        return prepare_all()
    name = f"{options.name}-quick" if options.quick else options.name
    out, settings = PROJECT / "results" / str(name), options.set
    if options.out:  # what the notebook itself saves goes there, too
        out = Path(options.out).resolve()
        settings = [*settings, f"RESULTS = {str(out)!r}"]
    notebook, seconds = run(options.name, out, settings, options.quick, options.save)
    if options.save and options.name == "quickstart":
        update_readme(notebook, seconds, out)
    print(f"\nIn {out}: {', '.join(sorted(child.name for child in out.iterdir()))}\n")
    if (out / "scores.csv").exists():
        print(pd.read_csv(out / "scores.csv").to_string(index=False, float_format="{:.3f}".format))


if __name__ == "__main__":
    sys.exit(main())

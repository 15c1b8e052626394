"""Run a notebook from a fresh kernel and keep what it made.

    python notebooks/run.py quickstart                  # into results/quickstart
    python notebooks/run.py quickstart --save           # and keep it: notebook, README, picture
    python notebooks/run.py quickstart --set SEED=1     # with another setting
    python notebooks/run.py quickstart --quick          # to see every cell run

Leaves the executed notebook, its HTML, every figure as a PNG named after its cell, and whatever the
notebook itself saves; prints its table of scores.
"""

import argparse
import base64
import re
import shutil
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

PROJECT = Path(__file__).resolve().parent.parent
NOTEBOOKS = {file.stem[2:]: file for file in sorted(PROJECT.glob("notebooks/?-*.ipynb"))}
LOGGED = re.compile(
    r"^WARNING:tensorflow:.*\n?", re.MULTILINE
)  # retraced functions, on some screens
WIDGET = {"application/vnd.jupyter.widget-view+json"}


def run(name, out, settings=(), quick=False, save=False):
    """Execute a notebook in the project folder; raises when a cell fails.

    Args:
        name: of the notebook, without number and ending.
        out: folder for what it leaves.
        settings: `NAME=VALUE` lines that follow the notebook's own.
        quick: set its `QUICK`.
        save: write the outputs into the notebook in the checkout, too.
    """
    if name not in NOTEBOOKS:
        raise SystemExit(f"No notebook {name!r}: expected one of {', '.join(NOTEBOOKS)}.")
    if (settings or quick) and save:
        raise SystemExit("--save keeps the lesson as it stands: run it without other options.")
    file, out = NOTEBOOKS[name], Path(out)
    notebook = nbformat.read(file, as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    first.source = file.with_name("first_cell.py").read_text().strip()  # the one place it is kept
    if quick:
        cell = notebook.cells[_tagged(notebook, "parameters")]
        cell.source = cell.source.replace("QUICK = False", "QUICK = True")
    if settings:
        at = max(_tagged(notebook, "parameters"), _tagged(notebook, "quick"))
        notebook.cells.insert(at + 1, nbformat.v4.new_code_cell("\n".join(settings), id="settings"))
    out.mkdir(parents=True, exist_ok=True)

    began, total = time.time(), len(notebook.cells)

    def tell(cell, cell_index, **_):
        title = cell.source.strip().splitlines()[0] if cell.source.strip() else ""
        if cell.cell_type == "code":
            print(
                f"{time.time() - began:6.0f} s  cell {cell_index + 1:2} of {total}  {title[:70]}",
                flush=True,
            )

    client = NotebookClient(notebook, timeout=None, kernel_name="python3", on_cell_start=tell)
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
    return notebook, time.time() - began


def _tagged(notebook, tag):
    """Number of the cell with this tag; -1 where there is none."""
    tagged = (i for i, c in enumerate(notebook.cells) if tag in c.metadata.get("tags", []))
    return next(tagged, -1)


def clean(notebook):
    """Drop what is not part of the lesson: progress bars, timings, widgets, the kernel's version."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.metadata.pop("execution", None)
            for output in cell.outputs:
                if output.get("name") == "stdout":
                    output.text = LOGGED.sub("", output.text)
                if "image/png" in output.get("data", {}):
                    output.data["image/png"] = smaller(output.data["image/png"])
            cell.outputs = [
                output
                for output in cell.outputs
                # GitHub refuses to show a notebook with widgets: there they are alive or nothing.
                if output.get("name") != "stderr"
                and output.get("text") != ""
                and not WIDGET & output.get("data", {}).keys()
            ]


def smaller(picture):
    """A PNG in base64 with 256 colours, which these figures hardly exceed: a third of the size."""
    with Image.open(BytesIO(base64.b64decode(picture))) as figure:
        flat = Image.new("RGB", figure.size, "white")
        flat.paste(figure, mask=figure.getchannel("A") if figure.mode == "RGBA" else None)
    stream = BytesIO()
    flat.quantize(256, dither=Image.Dither.NONE).save(stream, "png", optimize=True)
    return base64.b64encode(stream.getvalue()).decode()


def update_readme(notebook, seconds, out):
    """Write the table of a run, and what it ran on, between the marks in the README."""
    (PROJECT / "docs").mkdir(exist_ok=True)
    shutil.copy(out / "denoised.png", PROJECT / "docs" / "denoised.png")
    table = pd.read_csv(out / "scores.csv").to_markdown(index=False, floatfmt=".3f")
    ran_on = next(cell for cell in notebook.cells if cell.id == "environment").outputs[0].text
    settings = notebook.cells[_tagged(notebook, "parameters")].source
    text = (
        f"{table}\n\nMean average precision. `make quickstart`, {date.today()}, {seconds:.0f} s in all:"
        f" {ran_on.split(' No GPU')[0].strip()} Settings:\n\n```python\n{settings}\n```"
    )
    replace_section(PROJECT / "README.md", "quickstart", text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help=", ".join(NOTEBOOKS))
    parser.add_argument("--out", help="folder for the results; default: results/NAME")
    parser.add_argument("--quick", action="store_true", help="see every cell run: a few minutes")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--save", action="store_true", help="keep the outputs in the checkout")
    options = parser.parse_args()
    name = f"{options.name}-quick" if options.quick else options.name
    out, settings = PROJECT / "results" / name, options.set
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

"""The static page: a table of all submissions, a chart, and one page for each.

Nothing is loaded from another file or server, and a content security policy forbids it. All text
is escaped by the template engine.
"""

import base64
import hashlib
import io
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from hpatches_kit._support.atomic import write_text
from hpatches_kit.course.challenge.marking.failures import SHOWN, choose_queries
from hpatches_kit.course.challenge.marking.ranking import as_ranges
from hpatches_kit.patches.views import LEVELS, VIEWS

TEMPLATES = Path(__file__).parent / "templates"
CHARTED = 40  # submissions in the chart: more do not fit on a screen


def write_site(results, key, folder):
    """Write `index.html` and `submissions/*.html`; returns the folder.

    Args:
        results: list of `Result`, best first.
        key: `Key` of the challenge.
    """
    folder, environment = Path(folder), _environment()
    scored = [result for result in results if result.halves]
    refused = sum(bool(result.problem) and not result.is_reference for result in results)
    common = {
        "title": key.title,
        "kind": key.kind,
        "challenge": key.challenge,
        "points": len(key.sequence),
        "sequences": len(key.names),
        "half": list(scored[0].halves)[-1],
        "ranked": sum(result.rank is not None for result in scored),
    }
    best_first = sorted(scored, key=lambda result: -result.ranking.mean)
    limits = next((result.limits for result in results if result.limits), [])
    index = environment.get_template("index.html.jinja").render(
        **common,
        results=best_first,
        charted=best_first[:CHARTED],
        refused=refused,
        limits=limits,
    )
    write_text(folder / "index.html", index)
    template = environment.get_template("submission.html.jinja")
    queries = len(choose_queries(key))
    for result in scored:
        page = template.render(
            **common,
            result=result,
            sequences_shown=_sequences(result, key),
            failures=[_pictures(failure, key) for failure in result.failures[:SHOWN]],
            queries=queries,
        )
        write_text(folder / "submissions" / f"{result.page}.html", page)
    return folder


def _environment():
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = (TEMPLATES / "sort.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment.globals |= {
        "style": (TEMPLATES / "style.css").read_text(encoding="utf-8"),
        "script": script,
        # The browser runs this script alone, and loads nothing.
        "policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline';"
        f" script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        "levels": LEVELS,
        "as_ranges": as_ranges,
    }
    environment.filters |= {"score": "{:.3f}".format, "percent": _percent}
    return environment


def _percent(value):
    """A score as a position in a chart from 0 to 1."""
    return f"{100 * min(max(value, 0), 1):.2f}%"


def _sequences(result, key):
    """Matching scores of each sequence, under names that do not tell the photograph."""
    names, kinds = {}, {"v": "viewpoint", "i": "illumination"}
    for name in key.names:
        kind = kinds.get(name[0], "sequence") if name[1:2] == "_" else "sequence"
        names[name] = f"{kind} {sum(other.startswith(kind) for other in names.values()) + 1}"
    return {
        half: [(names[name], levels) for name, levels in scores.sequences.items()]
        for half, scores in result.halves.items()
    }


def _pictures(failure, key):
    """The three patches of a failure as pictures, and what to say about them."""
    view = VIEWS[failure.view]
    return {
        "query": _picture(key.patches[failure.point, 0]),
        "wrong": _picture(key.patches[failure.wrong, failure.view]),
        "right": _picture(key.patches[failure.point, failure.view]),
        "level": LEVELS[view[0]],
        "closer": failure.closer,
        "ratio": failure.ratio,
    }


def _picture(patch):
    """A patch as the address of a PNG, with the picture in it."""
    stream = io.BytesIO()
    Image.fromarray(patch).save(stream, format="png")
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"

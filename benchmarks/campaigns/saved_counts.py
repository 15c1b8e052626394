"""The counts of the campaigns that were run: a file with a row for each piece, and the page."""

import json
from datetime import date
from pathlib import Path

from campaigns.kills import IN_THE_MIDDLE
from campaigns.outcomes import SAFE
from hpatches_kit import __version__
from hpatches_kit._support.atomic import replace_section, write_text

FILE = Path(__file__).with_name("outcomes.json")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
NAMES = {
    "bad-inputs": "bad inputs",
    "flips": "flipped bits",
    "kills": "kills",
    "two-processes": "two processes",
    "server": "a server that lies",
    "full-disk": "a full disk",
}
COUNTS = ("cases", "refused", "equal", "unsafe", "in the middle")


def rows():
    """Saved rows by part and piece, `{(part, piece): row}`."""
    saved = json.loads(FILE.read_text()) if FILE.exists() else []
    return {(row["part"], row["piece"]): row for row in saved}


def is_saved(part, piece):
    """Whether the counts of a piece are in the file."""
    return (part, piece) in rows()


def text_of(part, piece):
    """What is saved about a piece, for a list."""
    row = rows().get((part, piece))
    if not row:
        return "not run"
    return f"{row['cases']} cases, {row['unsafe']} unsafe, {row['seconds']:.0f} s, {row['date']}"


def save(part, piece, outcomes, seconds, parts):
    """Keep the counts of `{label: (outcome, text)}`, and renew the table on the page."""
    kinds = [kind for kind, _ in outcomes.values()]
    row = {"part": part, "piece": piece, "cases": len(kinds)}
    row |= {kind: kinds.count(kind) for kind in SAFE}
    row["unsafe"] = sum(kind not in SAFE for kind in kinds)
    row["in the middle"] = sum(label.endswith(IN_THE_MIDDLE) for label in outcomes)
    row |= {"seconds": round(seconds, 1), "date": str(date.today()), "version": __version__}
    every = rows() | {(part, piece): row}
    write_text(FILE, json.dumps(list(every.values()), indent=1) + "\n")
    replace_section(PAGE, "campaign", table(every, parts))


def table(every, parts):
    """The counts of each part as Markdown.

    Args:
        every: `{(part, piece): row}`.
        parts: `{part: (pieces, ...)}`, all that there are.
    """
    lines = ["| Part | Pieces | Cases | Refused | As expected | Unsafe | Minutes | Date |"]
    lines.append("|:--|--:|--:|--:|--:|--:|--:|:--|")
    for part, (pieces, *_) in parts.items():
        done = [every[part, piece] for piece in pieces if (part, piece) in every]
        if not done:
            continue
        total = {count: sum(row[count] for row in done) for count in COUNTS}
        middle = f", {total['in the middle']} in the middle of the work" * bool(
            total["in the middle"]
        )
        numbers = [total[count] for count in COUNTS[:4]]
        minutes = sum(row["seconds"] for row in done) / 60
        dates = sorted({row["date"] for row in done})
        cells = [f"{NAMES[part]}{middle}", f"{len(done)} of {len(pieces)}", *map(str, numbers)]
        cells += [f"{minutes:.0f}", " to ".join(dict.fromkeys([dates[0], dates[-1]]))]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)

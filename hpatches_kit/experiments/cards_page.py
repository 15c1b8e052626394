"""The page of the pretrained networks: their cards as Markdown."""

import json

import pandas as pd

from hpatches_kit._support.escaping import markdown_text
from hpatches_kit.experiments.card_scores import PSNR

INTRODUCTION = """# Pretrained networks

Scores are mean average precision of descriptors (verification, matching, retrieval), and PSNR of denoisers. Each is of the
patches in its row: *points* is their number, *per sequence* its median over the sequences. Matching and retrieval are
harder the more points share a sequence. `hk.models.pretrained()` is the same as a table.
"""
CODE = "network", "command", "row"  # entries that are typed


def cards_page(cards):
    """Format `{name: card}` as a Markdown page with a section for each network."""
    parts = [INTRODUCTION]
    for name, entries in cards.items():
        shown = entries | {"network": json.dumps(entries["network"])}
        lines = [f"## {name}: {entries['what']}", "", f'`hk.models.pretrained("{name}")`', ""]
        for key, value in shown.items():
            if key not in ("what", "scores"):
                lines.append(f"- {key}: `{value}`" if key in CODE else f"- {key}: {value}")
        table = scores_table(entries["scores"]) if entries["scores"] else "Not scored yet."
        parts.append("\n".join([*lines, "", table, ""]))
    return "\n".join(parts)


def scores_table(scores):
    """Format the scores of a card as a Markdown table with a row for each."""
    rows = [{_heading(key): _cell(key, value) for key, value in row.items()} for row in scores]
    frame = pd.DataFrame(rows).fillna("")
    return frame.to_markdown(index=False, disable_numparse=True)


def _heading(key):
    """A short heading: `"PSNR in dB, easy"` becomes `"easy"`."""
    return key.removeprefix(f"{PSNR}, ").removeprefix("points ")


def _cell(key, value):
    if isinstance(value, float):
        return f"{value:.2f}" if key.startswith(PSNR) else f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else markdown_text(value)

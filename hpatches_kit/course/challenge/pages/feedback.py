"""Feedback files: what each participant learns about their submission, as Markdown."""

from pathlib import Path

from hpatches_kit._support.atomic import write_text
from hpatches_kit._support.escaping import markdown_text
from hpatches_kit.course.challenge.marking.ranking import as_ranges
from hpatches_kit.course.challenge.submissions.model_cards import visible
from hpatches_kit.patches.views import LEVELS

ADVICE = (
    "Correct it and hand it in again. `hk.course.challenge.check_submission` runs the same checks"
    " on your computer."
)


def write_feedback(results, folder):
    """Write `NAME-DIGITS.md` for each submission to a folder."""
    folder = Path(folder)
    ranked = sum(result.rank is not None for result in results)
    for result in results:
        if not result.is_reference:
            text = feedback(result, ranked)
            write_text(folder / f"{result.entry.file_name}.md", text)


def feedback(result, ranked):
    """Return the feedback on one `Result` as Markdown; `ranked` is the number of ranks."""
    title = f"# Feedback: {plain(result.entry.name)}"
    if result.problem:
        return f"{title}\n\n**Not scored.** {plain(result.problem)}\n\n{ADVICE}\n"
    low, high = result.ranking.interval
    interval = f", 95 % interval {low:.3f} to {high:.3f}" if low == low else ""
    tied = f", tied with {as_ranges(result.tied)}" if result.tied else ""
    half = list(result.halves)[-1]
    parts = [
        title,
        f"**Rank {result.rank} of {ranked}**{tied}: mean {result.ranking.mean:.3f} on the {half}"
        f" half{interval}. Shown as {plain(result.name)}.",
        *(_table(half, scores) for half, scores in result.halves.items()),
    ]
    if result.against:
        compared = "; ".join(f"{word} {plain(name)}" for name, word in result.against.items())
        parts.append(f"Compared with the references: {compared}.")
    notes = [plain(note) for note in result.notes]
    if result.copies:
        notes.append(
            "The distances between its descriptors are almost the same as in another submission."
        )
    parts += [f"**Note.** {note}" for note in notes]
    return "\n\n".join(parts) + "\n"


def plain(text):
    """Text of a stranger on one line, for Markdown, with a mark for each invisible character."""
    return markdown_text(visible(text))


def _table(half, scores):
    lines = [f"| {half} half | {' | '.join(LEVELS.values())} | mean |", "|:--|--:|--:|--:|--:|"]
    for task, mean in scores.tasks.items():
        cells = [f"{value:.3f}" for value in (*scores.levels[task].values(), mean)]
        lines.append(f"| {task} | {' | '.join(cells)} |")
    return "\n".join(lines)

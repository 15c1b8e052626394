"""All tables by name: those of the two reports, those beyond them, and the recipe."""

from hpatches_kit.experiments.tables import beyond, recipe, report_a, report_b

TABLES = {**report_a.TABLES, **report_b.TABLES, **beyond.TABLES, **recipe.TABLES}

"""All tables by name: those of the two reports, and the recipe."""

from hpatches_kit.experiments.tables import recipe, report_a, report_b

TABLES = {**report_a.TABLES, **report_b.TABLES, **recipe.TABLES}

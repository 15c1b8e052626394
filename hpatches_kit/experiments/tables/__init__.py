"""All tables by name: those of the two reports, those beyond them, the recipe and its search."""

from hpatches_kit.experiments.tables import beyond, recipe, recipe_search, report_a, report_b

REPORTS = {**report_a.TABLES, **report_b.TABLES, **beyond.TABLES, **recipe.TABLES}  # `all`
TABLES = {**REPORTS, **recipe_search.TABLES}  # the search has a scale of its own

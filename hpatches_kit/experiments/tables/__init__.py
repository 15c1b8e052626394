"""All tables by name: those of the two reports, those beyond them, the recipe, the searches."""

from hpatches_kit.experiments.tables import (
    beyond,
    denoiser_search,
    recipe,
    recipe_search,
    report_a,
    report_b,
)

REPORTS = {**report_a.TABLES, **report_b.TABLES, **beyond.TABLES, **recipe.TABLES}  # `all`
SEARCHES = {**recipe_search.TABLES, **denoiser_search.TABLES}  # have a scale of their own
TABLES = {**REPORTS, **SEARCHES}

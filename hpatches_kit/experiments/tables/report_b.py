"""Tables 1 to 10 of report B, in its order."""

from hpatches_kit.experiments.tables import report_b_denoisers, report_b_descriptors

_BY_NAME = {**report_b_denoisers.TABLES, **report_b_descriptors.TABLES}
TABLES = {f"B-table-{k}": _BY_NAME[f"B-table-{k}"] for k in range(1, 11)}

"""Illumination and viewpoint sequences, told apart by their names as in HPatches."""

PREFIXES = {"illumination": "i_", "viewpoint": "v_"}


def sequence_categories(names):
    """`{category: names}` without empty categories; other names are in the category `"other"`."""
    categories = {
        category: [name for name in names if name.startswith(prefix)]
        for category, prefix in PREFIXES.items()
    }
    known = {name for group in categories.values() for name in group}
    categories["other"] = [name for name in names if name not in known]
    return {category: group for category, group in categories.items() if group}

"""Sizes, durations and numbers of things as text, with a fitting unit."""


def format_bytes(size):
    """Size with a decimal unit: `format_bytes(4.2e9)` is `"4.2 GB"`."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 999.5 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000


def format_duration(seconds):
    """Duration with one unit: `"50 s"`, `"12 min"` or `"3.5 h"`."""
    for unit, size, digits in (("h", 3600, 1), ("min", 60, 0), ("s", 1, 0)):
        if seconds >= 2 * size or unit == "s":
            return f"{seconds / size:.{digits}f} {unit}"


def format_count(count, singular, plural):
    """Number with its noun: `format_count(1, "match", "matches")` is `"1 match"`."""
    return f"{count:,} {singular if count == 1 else plural}"

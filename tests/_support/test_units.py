"""Sizes and durations as text."""

import pytest

from hpatches_kit._support.units import format_bytes, format_count, format_duration


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (4.2e9, "4.2 GB"), (123e9, "123 GB")],
)
def test_sizes_have_a_fitting_unit(size, text):
    assert format_bytes(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2.0 h")],
)
def test_durations_have_a_fitting_unit(seconds, text):
    assert format_duration(seconds) == text


def test_one_thing_has_its_singular_and_thousands_have_commas():
    counts = [format_count(count, "match", "matches") for count in (0, 1, 2, 1234)]
    assert counts == ["0 matches", "1 match", "2 matches", "1,234 matches"]

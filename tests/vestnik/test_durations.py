"""Durations as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestnik.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (1, 1), (90, 90), (0.5, 0.5), ("90", 90), ("1s", 1), ("0.05s", 0.05), ("30s", 30), ("15m", 900),
        ("6h", 21600), ("1d", 86400), (" 15 m ", 900), ("2H", 7200), ("1.5h", 5400),
        (timedelta(minutes=3), 180),
    ],
)  # fmt: skip
def test_forms_that_are_understood(written, seconds):
    assert parse_duration(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "written", ["", "soon", "15 minutes", "-5m", "1w", "1h30m", "٣٠s", None, True, False, [], "nan", "1e3"]
)
def test_everything_else_is_refused_with_the_right_forms(written):
    with pytest.raises(ValueError, match="write seconds, or 30s, 15m, 6h, 1d"):
        parse_duration(written)


@pytest.mark.parametrize("written", [0, "0s", "0.0h"])
def test_no_time_at_all_is_refused(written):
    with pytest.raises(ValueError, match="too short"):
        parse_duration(written)


def test_a_duration_beyond_all_reason_is_refused_in_words():
    with pytest.raises(ValueError, match="too long"):
        parse_duration("99999999999999d")


@given(st.integers(min_value=1, max_value=10**8))
def test_what_is_written_reads_back_the_same(seconds):
    duration = timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(1, "1s"), (90, "90s"), (900, "15m"), (21600, "6h"), (86400, "1d"), (90000, "25h")],
)
def test_the_shortest_form_is_written(seconds, written):
    assert format_duration(timedelta(seconds=seconds)) == written

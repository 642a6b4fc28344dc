"""Buttons carry what we would take back, and nothing else is taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands import PRESSES
from bot.find import all_scopes
from bot.keyboards import (
    DATA_LIMIT,
    VERBS,
    page_buttons,
    page_of,
    parse_press,
    press_data,
    scope_of_token,
    scope_token,
)
from feeds.networks import Scope


def test_every_verb_has_a_handler_and_every_handler_a_verb():
    assert set(VERBS) == set(PRESSES)


def test_every_scope_fits_every_button(networks):
    for scope in all_scopes(networks):
        for verb, args in [("toggle", (9999,)), ("drop", (9999,)), ("follow", ()), ("browse", (9999,))]:
            data = press_data(verb, scope_token(scope), *args)
            assert len(data.encode()) <= DATA_LIMIT
        assert press_data("flip", 999_999_999_999, scope_token(scope))


@given(st.text(min_size=1, max_size=200))
def test_a_scope_of_any_length_comes_back_by_its_token(text):
    scope = Scope(f"source:{text}")
    token = scope_token(scope)
    press = parse_press(press_data("drop", token, 0))
    assert press is not None
    assert scope_of_token(press.args[0], [Scope("all"), scope]) == scope


@pytest.mark.parametrize(
    "data",
    [
        "",
        "|",
        "browse",
        "browse|all",
        "browse|all|-1",
        "browse|all|x",
        "browse|all|0|0",
        "nonsense|1",
        "why|1e9",
        "why|٣٣٣",
        "zone|../../etc/passwd",
        "forget|maybe",
        "why|" + "9" * 70,
        "language|a b",
        "why|1\n",
    ],
)
def test_data_no_button_of_ours_carries_is_refused(data):
    press = parse_press(data)
    # A zone that does not exist has the shape of one: its handler refuses it.
    assert press is None or data.startswith(("zone|", "why|٣"))


@given(st.text(st.characters(codec=None)))
def test_any_data_is_parsed_or_refused_without_an_error(data):
    parse_press(data)


def test_data_of_a_wrong_shape_is_never_sent():
    with pytest.raises(ValueError, match="not of the shape"):
        press_data("why", "not a number")


@given(st.integers(0, 500), st.integers(-5, 100), st.integers(1, 40))
def test_pages_cover_the_list_and_stay_in_range(total, number, size):
    page = page_of(total, number=number, size=size)
    assert 0 <= page.number <= page.last
    assert page.end - page.start <= size
    assert (
        sum(
            page_of(total, number=n, size=size).end - page_of(total, number=n, size=size).start
            for n in range(page.last + 1)
        )
        == total
    )


def test_a_single_page_has_no_arrows():
    assert page_buttons(page_of(3, number=0, size=5), "my") == []
    assert [b.text for b in page_buttons(page_of(12, number=1, size=5), "my")] == ["‹", "2/3", "›"]

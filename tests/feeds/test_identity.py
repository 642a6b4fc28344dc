"""New, changed or known: nothing lost, nothing doubled, whatever a source does to its guids and addresses."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.fingerprint import fingerprint, has_changed
from feeds.identity import (
    Changed,
    Known,
    KnownItem,
    Match,
    New,
    entry_keys,
    is_rerun,
    is_same_news,
    match_entries,
)
from feeds.model import Entry, ItemId

DAY = datetime(2026, 11, 1, 9, tzinfo=UTC)


class Memory:
    """What a store does with the answers: remembers keys and fingerprints of one source."""

    def __init__(self) -> None:
        self.keys: dict[str, int | None] = {}
        self.fingerprints: dict[int, str] = {}

    def known(self, entries: list[Entry]) -> dict[str, KnownItem]:
        asked = {key for keys in entry_keys(entries) for key in keys}
        return {key: self._item(item) for key, item in self.keys.items() if key in asked}

    def _item(self, item: int | None) -> KnownItem:
        if item is None:
            return KnownItem(item_id=None, fingerprint="")
        return KnownItem(item_id=ItemId(item), fingerprint=self.fingerprints[item])

    def poll(self, *entries: Entry) -> list[str]:
        """Answers as words: ``new 3``, ``changed 1``, ``known 2``."""
        return [self._store(match) for match in self.match(*entries)]

    def match(self, *entries: Entry) -> tuple[Match, ...]:
        return match_entries(list(entries), self.known(list(entries)))

    def _store(self, match: Match) -> str:
        if isinstance(match, New):
            item: int | None = len(self.fingerprints) + 1
            word = "new"
        else:
            item = match.item_id
            word = "changed" if isinstance(match, Changed) else "known"
        if item is not None and word != "known":
            self.fingerprints[item] = match.fingerprint
        for key in match.keys:
            assert self.keys.setdefault(key, item) == item, "a key of one item was given to another"
        return f"{word} {item}"


def entry(n: int | str, **values: object) -> Entry:
    plain = {
        "title": f"Новость номер {n}",
        "url": f"https://lib.example/news/{n}",
        "guid": f"g-{n}",
        "published": DAY,
    }
    return Entry(**{**plain, **values})  # type: ignore[arg-type]


def test_first_sight_then_known_then_edited() -> None:
    memory = Memory()
    assert memory.poll(entry(1), entry(2)) == ["new 1", "new 2"]
    assert memory.poll(entry(2), entry(1)) == ["known 2", "known 1"]
    assert memory.poll(entry(3), entry(1, title="Новость первая, исправлено")) == ["new 3", "changed 1"]
    assert memory.poll(entry(1, title="Новость первая, исправлено")) == ["known 1"]


@pytest.mark.parametrize(
    "values",
    [
        {"published": DAY + timedelta(days=3)},
        {"published": None},
        {"url": "http://lib.example/news/1"},
        {"url": "https://www.lib.example/news/1/"},
        {"url": "https://lib.example/news/1?utm_source=rss&fbclid=x#top"},
        {"author": "Другой", "categories": ("x",), "image": "https://lib.example/i.png"},
        {"title": "новость  НОМЕР 1"},
        {"summary": "Просмотров: 17"},
    ],
    ids=str,
)
@pytest.mark.parametrize("guid", ["g-1", None, "https://lib.example/news/1"])
def test_what_is_no_news_is_known(values: dict[str, object], guid: str | None) -> None:
    memory = Memory()
    memory.poll(entry(1, guid=guid), entry(2))
    assert memory.poll(entry(1, guid=guid, **values), entry(2)) == ["known 1", "known 2"]


@pytest.mark.parametrize(
    ("before", "after", "answer"),
    [
        ({}, {"url": "https://new.example/1"}, "changed 1"),
        ({}, {"title": "Совсем другой заголовок"}, "changed 1"),
        ({}, {"title": "Другой заголовок", "url": "https://lib.example/news/drugoy"}, "changed 1"),
        ({}, {"summary": "Появился текст"}, "changed 1"),
        ({"published": None}, {"published": DAY}, "changed 1"),
        ({}, {"guid": "other"}, "known 1"),
        ({}, {"guid": None}, "known 1"),
        ({"guid": None}, {"guid": "g"}, "known 1"),
        ({"guid": "http://lib.example/?p=1"}, {"guid": "https://www.lib.example/?p=1"}, "known 1"),
        ({"guid": None}, {"guid": None, "title": "Другой заголовок"}, "changed 1"),
        ({"guid": None, "url": None}, {"guid": None, "url": None}, "known 1"),
        ({"guid": None, "url": None}, {"guid": None, "url": None, "title": "Иное"}, "new 3"),
        ({}, {"guid": "other", "title": "Другая новость", "published": None}, "new 3"),
        ({}, {"guid": "other", "published": DAY + timedelta(days=30)}, "new 3"),
        ({"guid": None}, {"guid": None, "url": "https://lib.example/news/other"}, "new 3"),
    ],
    ids=str,
)
def test_one_entry_beside_a_steady_one(
    before: dict[str, object], after: dict[str, object], answer: str
) -> None:
    memory = Memory()
    assert memory.poll(entry(1, **before), entry(2)) == ["new 1", "new 2"]
    assert memory.poll(entry(1, **after), entry(2)) == [answer, "known 2"]


def test_same_title_at_two_addresses_is_two_news() -> None:
    memory = Memory()
    first = entry(1, title="Новые поступления", guid=None)
    second = entry(2, title="Новые поступления", guid=None)
    assert memory.poll(first, second) == ["new 1", "new 2"]
    assert memory.poll(second) == ["known 2"]
    assert memory.poll(entry(3, title="Новые поступления", guid=None), first) == ["new 3", "known 1"]


def test_one_guid_for_all_entries_is_not_believed_now_or_later() -> None:
    memory = Memory()
    same = {"guid": "https://lib.example/"}
    assert memory.poll(entry(1, **same), entry(2, **same)) == ["new 1", "new 2"]
    assert memory.poll(entry(3, **same), entry(2, **same), entry(1, **same)) == [
        "new 3",
        "known 2",
        "known 1",
    ]
    assert memory.poll(entry(4, **same)) == ["new 4"]
    assert memory.poll(entry(4, title="Исправлено", **same)) == ["changed 4"]


def test_one_guid_and_one_address_for_all_entries() -> None:
    memory = Memory()
    same = {"guid": "x", "url": "https://lib.example/news"}
    assert memory.poll(entry(1, **same), entry(2, **same)) == ["new 1", "new 2"]
    assert memory.poll(entry(3, **same), entry(1, **same), entry(2, **same)) == [
        "new 3",
        "known 1",
        "known 2",
    ]
    assert memory.poll(entry(4, **same)) == ["new 4"]


def test_guids_that_differ_after_the_hash_are_two() -> None:
    memory = Memory()
    one, two = entry(1, guid="https://lib.example/n#1"), entry(2, guid="https://lib.example/n#2")
    assert memory.poll(one, two) == ["new 1", "new 2"]
    assert memory.poll(two, one) == ["known 2", "known 1"]


def test_news_on_one_page_told_apart_by_fragment() -> None:
    memory = Memory()
    one, two = (entry(n, guid=None, url=f"https://lib.example/n#{n}") for n in (1, 2))
    assert memory.poll(one, two) == ["new 1", "new 2"]
    assert memory.poll(two, replace(one, title="Исправлено")) == ["known 2", "changed 1"]


def test_guids_that_are_positions_are_seen_through() -> None:
    memory = Memory()
    news = [entry(n) for n in range(1, 8)]
    first = [replace(each, guid=str(n)) for n, each in enumerate(news[:5])]
    assert memory.poll(*first) == ["new 1", "new 2", "new 3", "new 4", "new 5"]
    shifted = [replace(each, guid=str(n)) for n, each in enumerate([news[5], *news[:4]])]
    assert memory.poll(*shifted) == ["new 6", "known 1", "known 2", "known 3", "known 4"]
    again = [replace(each, guid=str(n)) for n, each in enumerate([news[6], news[5], *news[:3]])]
    assert memory.poll(*again) == ["new 7", "known 6", "known 1", "known 2", "known 3"]


def test_a_counter_that_starts_anew_brings_new_news() -> None:
    memory = Memory()
    memory.poll(*(entry(n, guid=str(n)) for n in range(5)))
    assert memory.poll(*(entry(n + 100, guid=str(n)) for n in range(5))) == [f"new {n}" for n in range(6, 11)]


def test_two_guids_for_one_news_in_a_document_count_once() -> None:
    memory = Memory()
    assert memory.poll(entry(1), entry(1, guid="again"), entry(2)) == ["new 1", "new 2"]
    assert memory.poll(entry(1, guid="again"), entry(1)) == ["known 1"]


def test_a_news_shown_twice_on_a_page_counts_once() -> None:
    memory = Memory()
    whole = entry(1, guid=None, title="Открылся удалённый читальный зал в Пензе", summary="Длинно")
    short = entry(1, guid=None, title="Открылся удалённый читальный…", published=None)
    assert memory.poll(whole, entry(2, guid=None), short) == ["new 1", "new 2"]
    assert memory.poll(entry(2, guid=None), whole) == ["known 2", "known 1"]


def test_numbered_news_at_one_address_stay_apart() -> None:
    memory = Memory()
    assert memory.poll(*(entry(n, guid=None, url="https://lib.example/news") for n in (1, 10, 11))) == [
        "new 1",
        "new 2",
        "new 3",
    ]


def test_two_news_at_one_address_without_guids_stay_two() -> None:
    memory = Memory()
    one = entry(1, guid=None, url="https://lib.example/news")
    two = entry(2, guid=None, url="https://lib.example/news")
    assert memory.poll(one, two) == ["new 1", "new 2"]
    assert memory.poll(two) == ["known 2"]
    three = entry(3, guid=None, url="https://lib.example/news")
    assert memory.poll(three, two) == ["new 3", "known 2"]


def test_what_vanished_and_returned_is_known() -> None:
    memory = Memory()
    memory.poll(entry(1), entry(2))
    memory.poll(entry(2))
    assert memory.poll(entry(1), entry(2)) == ["known 1", "known 2"]


def test_what_was_deleted_does_not_come_back() -> None:
    memory = Memory()
    memory.poll(entry(1), entry(2))
    memory.keys = {key: None if item == 1 else item for key, item in memory.keys.items()}
    assert memory.poll(entry(1, title="Снова"), entry(2)) == ["known None", "known 2"]


def test_two_entries_that_are_one_stored_item_bring_no_endless_news() -> None:
    """Its keys all being another's, it could never be found again: known, not new at every poll."""
    memory = Memory()
    memory.poll(entry(1))
    twin = entry(1, guid=None, url=None)
    for match in match_entries([entry(1)], {}):
        memory.keys |= dict.fromkeys(entry_keys([twin])[0], 1)
        assert match.entry == entry(1)
    assert memory.poll(entry(1), twin) == ["known 1", "known 1"]


def test_an_item_of_another_source_is_never_changed() -> None:
    entries = [entry(1)]
    known = {key: KnownItem(item_id=ItemId(7), fingerprint=None) for key in entry_keys(entries)[0]}
    (match,) = match_entries([entry(1, title="Иначе")], known)
    assert isinstance(match, Known)
    assert match.item_id == 7


def test_a_site_that_moved_is_a_rerun_and_fresh_news_are_not() -> None:
    memory = Memory()
    memory.poll(*(entry(n) for n in range(10)))
    moved = [entry(n, url=f"https://new.example/{n}", guid=f"new-{n}") for n in range(10)]
    assert is_rerun(memory.match(*moved, entry(77)))
    assert not is_rerun(memory.match(*(entry(n) for n in range(20, 30))))
    assert not is_rerun(memory.match(*(entry(n) for n in range(10))))
    assert not is_rerun(memory.match(moved[0], moved[1]))
    assert not is_rerun(())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Открылся зал", "открылся  ЗАЛ!", True),
        ("Открылся удалённый читальный зал в Пензе", "Открылся удаленный читальный…", True),
        ("Открылся удалённый читальный зал", "Открылся удалённый читаль...", True),
        (
            "Открытие удалённого зала библиотеки в Пензе состоялось",
            "Открытие удалённого зала библиотеки в Пензе",
            True,
        ),
        ("Выпуск 5", "Выпуск 6", False),
        ("Новости от 1 мая", "Новости от 2 мая", False),
        ("Открылся зал в Пензе", "Открылся зал в Орле", False),
        ("Новости", "Новости библиотеки", False),
        ("Новость номер 1", "Новость номер 10", False),
        ("A", "", False),
    ],
)
def test_titles_at_one_address(one: str, other: str, same: bool) -> None:
    assert is_same_news(one, other) is same
    assert is_same_news(other, one) is same


def test_fingerprint_is_versioned_and_knows_an_old_version_as_unchanged() -> None:
    current = fingerprint(entry(1))
    assert current.startswith("1:")
    assert len(current.split(":")[1]) * 4 >= 128
    assert not has_changed("0:whatever:-", current)
    assert has_changed(current, fingerprint(entry(1, summary="Текст")))


def test_keys_are_told_apart_by_kind_and_have_128_bits() -> None:
    keys = entry_keys([entry(1)])[0]
    assert len(set(keys)) == len(keys)
    assert all(len(key.partition(":")[2]) * 4 >= 128 for key in keys)


_ENTRIES = st.lists(
    st.builds(
        Entry,
        title=st.sampled_from(["Новые поступления", "Выставка", "Лекция", "Зал", "Кино"]),
        url=st.sampled_from(
            [None, "https://lib.example/1", "https://lib.example/2", "https://lib.example/n#3"]
        ),
        guid=st.sampled_from([None, "a", "b", "https://lib.example/1", "https://lib.example/n#3"]),
        published=st.sampled_from([None, DAY, DAY + timedelta(days=2)]),
        summary=st.sampled_from(["", "Текст", "Другой текст"]),
    ),
    max_size=8,
)


@given(_ENTRIES, st.randoms(use_true_random=False))
def test_publishing_again_in_any_order_brings_nothing_new(entries: list[Entry], random: object) -> None:
    memory = Memory()
    memory.poll(*entries)
    again = list(entries)
    random.shuffle(again)  # type: ignore[attr-defined]
    assert not [answer for answer in memory.poll(*again) if answer.startswith("new")]
    assert not [answer for answer in memory.poll(*entries) if answer.startswith("new")]


def _dressed(url: str, style: int) -> str:
    scheme, _, rest = url.partition("://")
    if scheme not in {"http", "https"} or "#" in rest:
        return url
    return [
        f"http://{rest}",
        f"https://www.{rest}",
        f"{url}/",
        f"{url}?utm_source=rss&yclid=5",
        f"https://www.{rest}/?fbclid=1",
    ][style]


@given(_ENTRIES, st.integers(min_value=0, max_value=4))
def test_another_dress_of_addresses_brings_nothing_new(entries: list[Entry], style: int) -> None:
    memory = Memory()
    memory.poll(*entries)
    dressed = [
        replace(
            each,
            url=_dressed(each.url, style) if each.url else None,
            guid=_dressed(each.guid, style) if each.guid else None,
        )
        for each in entries
    ]
    assert not [answer for answer in memory.poll(*dressed) if answer.startswith(("new", "changed"))]


@given(
    st.lists(st.integers(min_value=0, max_value=30), unique=True, min_size=1, max_size=10),
    st.booleans(),
    st.booleans(),
)
def test_different_entries_never_merge(numbers: list[int], with_guid: bool, with_url: bool) -> None:
    """Whatever half of its keys an entry has, as many items are stored as there are news."""
    plain = {} if with_guid else {"guid": None}
    plain |= {} if with_url else {"url": None}
    memory = Memory()
    half = len(numbers) // 2
    first = memory.poll(*(entry(n, **plain) for n in numbers[:half]))
    second = memory.poll(*(entry(n, **plain) for n in numbers))
    assert len({*first, *second} - {a for a in {*first, *second} if a.startswith("known")}) == len(numbers)


def test_two_thousand_entries_at_one_address_take_little_time() -> None:
    entries = [entry(n, guid=None, url="https://lib.example/news") for n in range(2000)]
    started = time.process_time()
    assert len(match_entries(entries, {})) == 2000
    assert time.process_time() - started < 1.5

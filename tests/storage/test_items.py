"""Items: stored once, changed in place, found again by feeds, pages and the bot."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import delete, event, select, update

from feeds.model import Evidence
from storage import items
from storage.models import ItemKeyRow, ItemRow, ItemScopeRow

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=3)
PENZA, VOLGA = "regional/RU-PNZ", "regional/district:volga"


def hours(number):
    return timedelta(hours=number)


async def titles(shelf, **asked):
    async with shelf.database.read() as session:
        return [item.title for item in await items.newest(session, **asked)]


async def get(shelf, item_id):
    async with shelf.database.read() as session:
        return await items.by_id(session, item_id)


async def change(shelf, item_id, new, *, source="lib", now=LATER):
    async with shelf.database.write() as session:
        await items.change(session, source, {item_id: new}, now=now)


async def file_under(shelf, item_id, networks=(), regions=(), scopes=()):
    async with shelf.database.write() as session:
        await items.file_under(session, {item_id: (networks, regions, scopes)})


async def scopes(shelf, item_id):
    async with shelf.database.read() as session:
        return (await items.scopes_of(session, [item_id]))[item_id]


class TestAdding:
    async def test_ids_come_in_the_order_given(self, shelf):
        news = [shelf.new(f"News {number}", published=NOW - hours(number % 7)) for number in range(250)]
        ids = await shelf.add(*news)
        async with shelf.database.read() as session:
            found = await items.by_ids(session, ids)
        assert [item.title for item in found] == [f"News {number}" for number in range(250)]
        assert len({item.story_id for item in found}) == 250

    async def test_all_that_was_decided_comes_back(self, shelf):
        why = Evidence(code="RU-PNZ", words="Пенза", where="title", weight=2.5, rule="name")
        new = shelf.new(
            "Пенза читает",
            published=NOW - hours(2),
            language="ru",
            networks=("regional",),
            regions=("RU-PNZ", "RU-MOS", "RU-AL"),
            mentions=("MN",),
            evidence=(why,),
            url="https://lib.example/1",
        )
        new = replace(new, entry=replace(new.entry, author="Anna", image="https://x/i.png", section="News"))
        (item_id,) = await shelf.add(new)
        item = await get(shelf, item_id)
        assert (item.title, item.url, item.author) == ("Пенза читает", "https://lib.example/1", "Anna")
        assert (item.image, item.section, item.language) == ("https://x/i.png", "News", "ru")
        # Heaviest first, not sorted by code.
        assert (item.networks, item.regions) == (("regional",), ("RU-PNZ", "RU-MOS", "RU-AL"))
        assert (item.mentions, item.evidence, item.confidence) == (("MN",), (why,), 0.75)
        assert (item.published, item.updated, item.first_seen) == (NOW - hours(2), NOW - hours(2), NOW)
        assert (item.has_date, item.withdrawn, item.source_url) == (True, False, "https://lib.example/feed")

    async def test_without_a_date_the_time_of_first_sight_stands_for_it(self, shelf):
        item = await get(shelf, await shelf.item(published=None))
        assert (item.published, item.has_date) == (NOW, False)

    async def test_nothing_to_add_is_no_change(self, shelf):
        assert await shelf.add() == []
        async with shelf.database.read() as session:
            assert await items.total(session) == 0
            assert (await items.changed_since(session, 0))[0] == 0

    async def test_nothing_to_change_is_no_change(self, shelf):
        async with shelf.database.write() as session:
            await items.change(session, "lib", {}, now=LATER)
            await items.file_under(session, {})
            assert (await items.changed_since(session, 0))[0] == 0

    async def test_a_label_given_twice_is_stored_once(self, shelf):
        item = await get(shelf, await shelf.item(regions=("MN", "FI", "MN"), scopes=(PENZA, PENZA)))
        assert item.regions == ("MN", "FI")

    async def test_a_source_shows_its_title_or_else_its_host(self, shelf):
        await shelf.source("titled", title="The Library")
        named = await get(shelf, await shelf.item(source="titled"))
        bare = await get(shelf, await shelf.item())
        assert (named.source_title, bare.source_title) == ("The Library", "lib.example")


class TestKeys:
    async def known(self, shelf, *keys, source="lib"):
        async with shelf.database.read() as session:
            return await items.known_keys(session, source, keys)

    async def test_every_key_leads_to_its_item(self, shelf):
        one, two = await shelf.add(shelf.new("One", keys=("guid:1", "url:1")), shelf.new("Two", keys=("2",)))
        found = await self.known(shelf, "guid:1", "url:1", "2", "3")
        assert {key: known.item_id for key, known in found.items()} == {"guid:1": one, "url:1": one, "2": two}
        assert found["2"].fingerprint == "print-Two"
        assert found["2"].owned

    async def test_keys_of_one_source_mean_nothing_to_another(self, shelf):
        await shelf.source("other")
        await shelf.item(keys=("guid:1",))
        assert await self.known(shelf, "guid:1", source="other") == {}

    async def test_a_key_stays_with_the_item_that_had_it_first(self, shelf):
        one, two = await shelf.add(shelf.new("One", keys=("1",)), shelf.new("Two", keys=("2", "1")))
        async with shelf.database.write() as session:
            await items.add_keys(session, "lib", {two: ["1", "3"]})
        found = await self.known(shelf, "1", "3")
        assert (found["1"].item_id, found["3"].item_id) == (one, two)

    async def test_the_key_of_a_deleted_item_is_a_tombstone(self, shelf):
        item_id = await shelf.item(keys=("guid:1",))
        async with shelf.database.write() as session:
            await session.execute(delete(ItemRow).where(ItemRow.id == item_id))
        known = (await self.known(shelf, "guid:1"))["guid:1"]
        assert (known.item_id, known.fingerprint, known.owned) == (None, "", False)

    async def test_a_key_that_points_at_anothers_item_is_known_but_not_owned(self, shelf):
        await shelf.source("other")
        item_id = await shelf.item(keys=("1",))
        async with shelf.database.write() as session:
            await items.add_keys(session, "other", {item_id: ["theirs"]})
        assert not (await self.known(shelf, "theirs", source="other"))["theirs"].owned

    async def test_thousands_of_keys_are_asked_for_at_once(self, shelf):
        ids = await shelf.add(*(shelf.new(keys=(f"{n}",)) for n in range(1100)))
        found = await self.known(shelf, *(f"{n}" for n in range(3000)))
        assert [found[f"{n}"].item_id for n in range(1100)] == ids
        assert len(found) == 1100


class TestChanging:
    async def test_text_and_labels_change_identity_stays(self, shelf):
        item_id = await shelf.item("Old", regions=("MN",), networks=("foreign",), scopes=("foreign",))
        before = await get(shelf, item_id)
        new = shelf.new("New", published=NOW - hours(1), regions=("RU-PNZ",), scopes=("regional",))
        await change(shelf, item_id, new)
        after = await get(shelf, item_id)
        assert (after.title, after.summary, after.regions) == ("New", "About New.", ("RU-PNZ",))
        assert (after.id, after.story_id, after.source_id) == (before.id, before.story_id, before.source_id)
        assert (after.first_seen, after.updated) == (before.first_seen, LATER)
        assert after.published == NOW - hours(1)
        assert await scopes(shelf, item_id) == {"all", "source:lib", "regional"}

    @pytest.mark.parametrize("scope", ["all", "source:lib", PENZA])
    async def test_a_date_that_vanished_stays_and_so_does_the_place_in_every_feed(self, shelf, scope):
        old = await shelf.item("Old", published=NOW - hours(48), scopes=(PENZA,))
        await shelf.item("Young", published=NOW - hours(1), scopes=(PENZA,))
        await change(shelf, old, shelf.new("Old, corrected", published=None, scopes=(PENZA,)))
        after = await get(shelf, old)
        assert (after.published, after.has_date) == (NOW - hours(48), True)
        assert await titles(shelf, scope=scope) == ["Young", "Old, corrected"]

    @pytest.mark.parametrize("scope", ["all", "source:lib", "source:other"])
    async def test_a_new_date_or_language_moves_it_in_every_feed(self, shelf, scope):
        await shelf.source("other")
        moved = await shelf.item("Moved", published=NOW - hours(48), language="en")
        await shelf.item("Fixed", published=NOW - hours(1), scopes=("source:other",), language="ru")
        await file_under(shelf, moved, scopes=("source:other",))
        await change(shelf, moved, shelf.new("Moved", published=NOW, language="ru"))
        assert await titles(shelf, scope=scope, language="ru") == ["Moved", "Fixed"]
        assert await titles(shelf, scope=scope, language="en") == []

    async def test_new_keys_are_remembered_and_old_ones_kept(self, shelf):
        item_id = await shelf.item(keys=("old",))
        await change(shelf, item_id, shelf.new(keys=("new",)))
        async with shelf.database.read() as session:
            found = await items.known_keys(session, "lib", ["old", "new"])
        assert {known.item_id for known in found.values()} == {item_id}
        assert len(found) == 2

    async def test_an_item_deleted_meanwhile_is_left_alone(self, shelf):
        kept, gone = await shelf.add(shelf.new("Kept"), shelf.new("Gone"))
        async with shelf.database.write() as session:
            await session.execute(delete(ItemRow).where(ItemRow.id == gone))
            news = {gone: shelf.new("Back"), kept: shelf.new("Changed")}
            await items.change(session, "lib", news, now=LATER)
        assert await titles(shelf) == ["Changed"]


class TestSharing:
    """One address is one item; another source that shows it lends its labels."""

    async def test_more_labels_and_scopes_are_added_never_taken(self, shelf):
        item_id = await shelf.item(networks=("foreign",), regions=("MN",), scopes=("foreign", "foreign/MN"))
        await file_under(shelf, item_id, ["regional"], ["MN", "RU-PNZ"], ["regional", PENZA])
        item = await get(shelf, item_id)
        assert (item.networks, item.regions) == (("foreign", "regional"), ("MN", "RU-PNZ"))
        assert await scopes(shelf, item_id) == {
            "all", "source:lib", "foreign", "foreign/MN", "regional", PENZA
        }  # fmt: skip
        assert await titles(shelf, scope=PENZA) == ["News"]

    async def test_borrowed_labels_and_other_sources_survive_a_change(self, shelf):
        item_id = await shelf.item(networks=("foreign",), regions=("MN",), scopes=("foreign",))
        await file_under(shelf, item_id, ["regional"], ["RU-PNZ"], ["regional", PENZA, "source:other"])
        async with shelf.database.read() as session:
            lent = await items.borrowed_labels(session, [item_id])
        assert lent == {item_id: (["regional"], ["RU-PNZ"])}
        await change(shelf, item_id, shelf.new("New", regions=("FI",), scopes=("regional", PENZA)))
        item = await get(shelf, item_id)
        assert (item.networks, item.regions) == (("regional",), ("FI", "RU-PNZ"))
        assert await scopes(shelf, item_id) == {"all", "source:lib", "source:other", "regional", PENZA}
        async with shelf.database.read() as session:
            assert await items.borrowed_labels(session, [item_id]) == lent

    async def test_items_without_borrowed_labels_are_not_named(self, shelf):
        item_id = await shelf.item(regions=("MN",))
        async with shelf.database.read() as session:
            assert await items.borrowed_labels(session, [item_id]) == {}

    async def test_lending_twice_changes_nothing_more(self, shelf):
        item_id = await shelf.item()
        for _ in range(2):
            await file_under(shelf, item_id, ["regional"], ["RU-PNZ"], ["regional"])
        assert (await get(shelf, item_id)).regions == ("RU-PNZ",)

    async def test_lending_to_nothing_or_nothing_is_no_error(self, shelf):
        item_id = await shelf.item()
        await file_under(shelf, 4711, ["regional"], ["RU-PNZ"], ["regional"])
        await file_under(shelf, item_id)
        assert await scopes(shelf, item_id) == {"all", "source:lib"}

    async def test_twins_are_found_by_address_across_sources(self, shelf):
        await shelf.source("other")
        one = await shelf.item("One", url="https://lib.example/1")
        two = await shelf.item("Two", url="https://lib.example/1", source="other")
        await shelf.item("Three", url="https://lib.example/3")
        async with shelf.database.read() as session:
            found = await items.twins(session, ["https://lib.example/1", "https://lib.example/2"])
        assert {url: [twin.item_id for twin in each] for url, each in found.items()} == {
            "https://lib.example/1": [one, two]
        }
        assert [twin.title for twin in found["https://lib.example/1"]] == ["One", "Two"]


class TestNewest:
    async def test_newest_first_and_no_more_than_asked_for(self, shelf):
        for age in (3, 1, 2, 5, 4):
            await shelf.item(f"{age}", published=NOW - hours(age))
        assert await titles(shelf, limit=3) == ["1", "2", "3"]

    async def test_a_scope_holds_what_was_filed_there(self, shelf):
        await shelf.item("Penza", scopes=(PENZA, VOLGA), published=NOW - hours(1))
        await shelf.item("Samara", scopes=(VOLGA,), published=NOW)
        assert await titles(shelf, scope=PENZA) == ["Penza"]
        assert await titles(shelf, scope=VOLGA) == ["Samara", "Penza"]
        assert await titles(shelf, scope="regional/RU-MOS") == []

    async def test_a_language_is_kept_apart(self, shelf):
        await shelf.item("Привет", language="ru", scopes=(PENZA,))
        await shelf.item("Hello", language="en", scopes=(PENZA,))
        assert await titles(shelf, scope=PENZA, language="ru") == ["Привет"]
        assert await titles(shelf, scope=PENZA, language="de") == []

    @pytest.mark.parametrize("language", [None, "en"])
    @pytest.mark.parametrize("size", [1, 2, 3, 7])
    async def test_pages_show_everything_once_even_where_times_are_equal(self, shelf, language, size):
        ages = [0, 1, 1, 1, 2, 2, 3]
        news = [shelf.new(f"{n}", published=NOW - hours(age)) for n, age in enumerate(ages)]
        await shelf.add(*news)
        seen, before = [], None
        while True:
            async with shelf.database.read() as session:
                page = await items.newest(session, language=language, limit=size, before=before)
            if not page:
                break
            seen += [item.title for item in page]
            before = (page[-1].published, page[-1].id)
        assert sorted(seen) == [f"{n}" for n in range(7)]
        assert seen == ["0", "3", "2", "1", "5", "4", "6"]

    async def test_a_page_continues_at_a_moment_of_any_zone(self, shelf):
        for age in (1, 2, 3):
            await shelf.item(f"{age}", published=NOW - hours(age))
        moscow = (NOW - hours(2)).astimezone(timezone(hours(3)))
        assert await titles(shelf, before=(moscow, 0)) == ["3"]

    async def test_age_is_bounded_by_since(self, shelf):
        for age in (1, 2, 3):
            await shelf.item(f"{age}", published=NOW - hours(age))
        assert await titles(shelf, since=NOW - hours(2)) == ["1", "2"]


class TestLookingUp:
    async def test_unknown_ids_are_left_out_and_order_is_kept(self, shelf):
        one, two = await shelf.add(shelf.new("One"), shelf.new("Two"))
        async with shelf.database.read() as session:
            found = await items.by_ids(session, [two, 4711, one])
            assert [item.title for item in found] == ["Two", "One"]
            assert await items.by_id(session, 4711) is None

    async def test_an_address_leads_to_the_newest_item_under_it(self, shelf):
        await shelf.source("other")
        await shelf.item("One", url="https://lib.example/1")
        await shelf.item("Two", url="https://lib.example/1", source="other")
        async with shelf.database.read() as session:
            assert (await items.by_url(session, "https://lib.example/1")).title == "Two"
            assert await items.by_url(session, "https://lib.example/2") is None

    async def test_a_story_is_told_by_all_its_items_oldest_first(self, shelf):
        one, two = await shelf.add(shelf.new("One"), shelf.new("Two"))
        await shelf.item("Else")
        story = (await get(shelf, one)).story_id
        async with shelf.database.write() as session:
            await session.execute(update(ItemRow).where(ItemRow.id == two).values(story_id=story))
            assert [item.title for item in await items.of_story(session, story)] == ["One", "Two"]

    async def test_what_was_first_seen_lately_is_told_from_what_was_not(self, shelf):
        old = await shelf.item("Old", now=NOW - hours(5))
        edge = await shelf.item("Edge", now=NOW)
        young = await shelf.item("Young", now=LATER)
        async with shelf.database.read() as session:
            assert sorted(await items.seen_since(session, [old, edge, young], since=NOW)) == [edge, young]

    async def test_scopes_are_counted_since_a_time(self, shelf):
        await shelf.item(published=NOW, scopes=(PENZA,))
        await shelf.item(published=NOW, language="ru")
        await shelf.item(published=NOW - hours(30), scopes=(PENZA,))
        async with shelf.database.read() as session:
            day = await items.counts(session, since=NOW - hours(24))
            russian = await items.counts(session, since=NOW - hours(24), language="ru")
            assert await items.total(session) == 3
        assert day == {"all": 2, "source:lib": 2, PENZA: 1}
        assert russian == {"all": 1, "source:lib": 1}

    async def test_scopes_that_hold_something_are_listed_by_language(self, shelf):
        await shelf.item(language="ru", scopes=(PENZA,))
        await shelf.item(language="en")
        async with shelf.database.read() as session:
            filled = await items.filled_scopes(session)
        assert filled == [
            ("all", "en"), ("all", "ru"), (PENZA, "ru"), ("source:lib", "en"), ("source:lib", "ru")
        ]  # fmt: skip


class TestWhatChanged:
    """Feed caches follow this: a pair that is not named is served as it was."""

    async def since(self, shelf, revision):
        async with shelf.database.read() as session:
            return await items.changed_since(session, revision)

    async def test_new_items_touch_their_scopes_in_their_language(self, shelf):
        await shelf.item(scopes=(PENZA,), language="ru")
        latest, pairs = await self.since(shelf, 0)
        assert pairs == {("all", "ru"), ("source:lib", "ru"), (PENZA, "ru")}
        assert await self.since(shelf, latest) == (latest, set())

    async def test_only_what_came_after_is_told(self, shelf):
        await shelf.item(scopes=(PENZA,))
        known, _ = await self.since(shelf, 0)
        await shelf.item(language="de")
        latest, pairs = await self.since(shelf, known)
        assert latest > known
        assert pairs == {("all", "de"), ("source:lib", "de")}

    async def test_a_change_touches_where_the_item_stands(self, shelf):
        item_id = await shelf.item(scopes=(PENZA,))
        known, _ = await self.since(shelf, 0)
        await change(shelf, item_id, shelf.new("New", scopes=(PENZA,)))
        assert (await self.since(shelf, known))[1] == {("all", "en"), ("source:lib", "en"), (PENZA, "en")}

    async def test_a_scope_or_language_that_an_item_left_is_touched_too(self, shelf):
        item_id = await shelf.item(scopes=(PENZA,), language="en")
        known, _ = await self.since(shelf, 0)
        await change(shelf, item_id, shelf.new("New", scopes=("foreign",), language="ru"))
        _, pairs = await self.since(shelf, known)
        assert {(PENZA, "en"), ("all", "en"), ("foreign", "ru"), ("all", "ru")} <= pairs

    async def test_being_filed_under_more_touches_all_its_scopes(self, shelf):
        """Its labels are shown wherever it stands."""
        item_id = await shelf.item()
        known, _ = await self.since(shelf, 0)
        await file_under(shelf, item_id, ["regional"], ["RU-PNZ"], [PENZA])
        assert (await self.since(shelf, known))[1] == {("all", "en"), ("source:lib", "en"), (PENZA, "en")}

    async def test_a_revision_never_reached_is_answered_with_the_latest(self, shelf):
        assert await self.since(shelf, 2**63 - 1) == (0, set())
        await shelf.item()
        assert await self.since(shelf, 2**63 - 1) == (1, set())


async def test_copies_in_the_scopes_always_agree_with_the_item(shelf):
    """``language`` and ``published`` of item_scopes are copies: no way of storing may part them."""
    ids = await shelf.add(shelf.new("One", published=None), shelf.new("Two", scopes=(PENZA,)))
    await change(shelf, ids[0], shelf.new("One", published=NOW - hours(9), language="ru"))
    await change(shelf, ids[1], shelf.new("Two", published=None, scopes=(VOLGA,)), now=LATER)
    await file_under(shelf, ids[1], ["regional"], [], ["regional"])
    await change(shelf, ids[0], shelf.new("One", published=None, scopes=(VOLGA,)), now=LATER)
    async with shelf.database.read() as session:
        parted = select(ItemScopeRow.scope, ItemRow.id).join(ItemRow).where(
            (ItemScopeRow.language != ItemRow.language) | (ItemScopeRow.published != ItemRow.published)
        )  # fmt: skip
        assert (await session.execute(parted)).all() == []


async def test_a_page_of_items_costs_three_questions_however_long(shelf):
    await shelf.add(*(shelf.new(regions=("MN", "FI")) for _ in range(60)))
    asked = []
    event.listen(
        shelf.database.engine.sync_engine, "before_cursor_execute", lambda *args: asked.append(args[2])
    )
    assert len(await titles(shelf, limit=50)) == 50
    assert len([each for each in asked if each.startswith("SELECT")]) == 3


async def test_deleting_an_item_takes_its_labels_and_scopes_along(shelf):
    item_id = await shelf.item(regions=("MN",), scopes=(PENZA,))
    async with shelf.database.write() as session:
        await session.execute(delete(ItemRow).where(ItemRow.id == item_id))
        assert (await session.scalars(select(ItemScopeRow))).all() == []
        assert (await session.scalars(select(ItemKeyRow.item_id))).all() == [None]

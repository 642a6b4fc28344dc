"""The cache: one build per key, no stale answer kept, bounded, modification times that only rise."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from feeds.render import FeedFormat
from vestnik.web.cache import FeedCache, FeedKey, RepresentationCache
from vestnik.web.representation import choose_coding, prepared

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def made(text: str, when: datetime | None = None):
    return prepared(text.encode(), "text/plain", encoded={}, last_modified=when)


def make_cache(limit: int = 10_000) -> RepresentationCache[str]:
    return RepresentationCache(limit=limit, clock=lambda: NOON)


async def test_many_who_wait_for_an_answer_build_it_once():
    cache, builds = make_cache(), []

    async def build():
        builds.append(1)
        await asyncio.sleep(0.01)
        return made("x")

    await asyncio.gather(*(cache.get("a", build) for _ in range(20)))
    assert len(builds) == 1


async def test_a_client_that_goes_away_does_not_take_the_answer_from_others():
    cache, go = make_cache(), asyncio.Event()

    async def build():
        await go.wait()
        return made("x")

    first = asyncio.create_task(cache.get("a", build))
    second = asyncio.create_task(cache.get("a", build))
    await asyncio.sleep(0)
    first.cancel()
    go.set()
    assert (await second).body == b"x"


async def test_an_answer_begun_before_a_change_is_not_kept_after_it():
    cache, go = make_cache(), asyncio.Event()

    async def slow():
        await go.wait()
        return made("old")

    async def fresh():
        return made("new")

    early = asyncio.create_task(cache.get("a", slow))
    await asyncio.sleep(0)
    cache.mark_stale(lambda key: key == "a")
    assert (await cache.get("a", fresh)).body == b"new"
    go.set()
    await early
    assert (await cache.get("a", fresh)).body == b"new"


async def test_a_failed_build_is_not_remembered():
    cache = make_cache()

    async def broken():
        raise RuntimeError

    async def fine():
        return made("x")

    results = await asyncio.gather(cache.get("a", broken), return_exceptions=True)
    assert isinstance(results[0], RuntimeError)
    assert (await cache.get("a", fine)).body == b"x"


async def test_memory_stays_within_its_limit():
    cache = make_cache(limit=1000)
    for number in range(50):

        async def build(number=number):
            return made(f"{number:03}" * 100)

        await cache.get(str(number), build)
    assert cache._size <= 1000
    assert set(cache._kept) == {"47", "48", "49"}


async def test_changed_content_never_keeps_its_old_modification_time():
    cache = make_cache()
    old, texts = NOON - timedelta(days=9), iter(["a", "a", "b"])

    async def build():
        return made(next(texts), old)

    times = []
    for _ in range(3):
        times.append((await cache.get("k", build)).last_modified)
        cache.mark_stale(lambda _key: True)
    assert times == [old, old, NOON]


scopes = st.sampled_from(["all", "regional", "regional/RU-PNZ", "foreign"])
languages = st.sampled_from(["en", "ru", "ar"])


@given(
    st.sets(st.tuples(scopes, st.none() | languages, st.sampled_from(FeedFormat))),
    st.sets(st.tuples(scopes, languages)),
)
def test_exactly_the_touched_feeds_are_dropped(keys, pairs):
    async def check():
        cache, builds = FeedCache(clock=lambda: NOON), []

        async def build():
            builds.append(1)
            return made("x")

        for scope, language, kind in keys:
            await cache.get(FeedKey(scope, language, kind, ""), build)
        cache.invalidate(pairs)
        for scope, language, kind in keys:
            builds.clear()
            await cache.get(FeedKey(scope, language, kind, ""), build)
            touched = any(s == scope and language in (None, spoken) for s, spoken in pairs)
            assert len(builds) == touched

    asyncio.run(check())


@given(st.text(alphabet="gzipbr,;=q0.15* identy-"))
def test_any_accept_encoding_gets_an_answer(header):
    assert choose_coding(header) in {"gzip", "br", "identity"}

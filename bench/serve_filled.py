"""Serve a filled instance on loopback, for looking at pages and measuring.

    python bench/serve_filled.py --port 8899 --items 600 [--folder /tmp/filled]

News is made up by a fixed plan: the same arguments give the same instance.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from prometheus_client import CollectorRegistry
from sqlalchemy import update

from feeds.model import (
    Classification,
    Entry,
    Evidence,
    LanguageCode,
    NetworkId,
    RegionCode,
    Source,
    SourceId,
)
from feeds.networks import Network, Networks
from feeds.regions import load_catalogue
from storage import items, sources
from storage.database import Database
from storage.items import NewItem
from storage.migrate import upgrade
from storage.models import ItemRow
from vestnik.web import WebDeps, build_web

NOW = datetime.now(UTC).replace(microsecond=0)
REGIONAL, FOREIGN = NetworkId("regional"), NetworkId("foreign")
WORDS = {
    "ru": (
        (
            "Региональный центр открылся: {place}",
            "Цифровой лекторий: история в документах. {place}",
            "Выставка редких книг и карт. {place}",
            "Краеведческие чтения собрали исследователей. {place}",
            "Библиотека & архив подписали соглашение о сотрудничестве <{place}>",
        ),
        (
            "В электронном читальном зале прошла встреча с историками и краеведами. Участники увидели "
            "оцифрованные документы, карты и фотографии, а школьники попробовали себя в роли архивистов."
        ),
    ),
    "en": (
        (
            "Remote access centre opened: {place}",
            "Video lecture on the history of the region, {place}",
            "Exhibition of rare books and maps, {place}",
            "Librarians met readers online, {place}",
        ),
        (
            "Historians and readers met in the electronic reading room. Visitors saw digitised documents, "
            "maps and photographs, and pupils tried the work of an archivist for a day."
        ),
    ),
    "de": (
        ("Ausstellung seltener Bücher eröffnet: {place}", "Lesung im Russischen Haus, {place}"),
        "Im elektronischen Lesesaal trafen sich Historiker und Leser.",
    ),
    "fr": (
        ("Exposition de cartes anciennes : {place}",),
        "Des historiens et des lecteurs se sont rencontrés.",
    ),
    "es": (("Inauguración de una sala de lectura: {place}",), "Historiadores y lectores se reunieron."),
    "sr": (("Отворена изложба ретких књига: {place}",), "Историчари и читаоци састали су се у читаоници."),
    "zh": (("珍稀图书展览开幕：{place}",), "历史学家和读者在电子阅览室会面。"),
    "ar": (("افتتاح معرض للكتب النادرة: {place}",), "التقى المؤرخون والقراء في قاعة القراءة الإلكترونية."),
}
SOURCES = (
    ("prlib-en", "https://www.prlib.ru/en/networknews", "Presidential Library: network news", "en"),
    ("prlib-ru", "https://www.prlib.ru/regional_events", "Президентская библиотека: события сети", "ru"),
    ("house", "https://example.org/house/feed.xml", "Русский дом", "ru"),
    ("lib-penza", "https://example.org/penza/rss", "Пензенская областная библиотека", "ru"),
)


def make_networks() -> Networks:
    """Both networks with all their places."""
    catalogue = load_catalogue()
    titles = {
        "regional": {
            "en": "Regional network",
            "ru": "Региональная сеть",
            "de": "Regionales Netz",
            "fr": "Réseau régional",
            "es": "Red regional",
            "sr": "Регионална мрежа",
            "zh": "地区网络",
            "ar": "الشبكة الإقليمية",
        },
        "foreign": {
            "en": "Foreign network",
            "ru": "Зарубежная сеть",
            "de": "Auslandsnetz",
            "fr": "Réseau étranger",
            "es": "Red exterior",
            "sr": "Инострана мрежа",
            "zh": "海外网络",
            "ar": "الشبكة الخارجية",
        },
    }
    return Networks(
        catalogue=catalogue,
        networks={
            NetworkId(each): Network(
                id=NetworkId(each),
                titles={LanguageCode(k): v for k, v in titles[each].items()},
                regions=catalogue.expand(group),
            )
            for each, group in (("regional", "RU"), ("foreign", "countries"))
        },
    )


def make_news(networks: Networks, number: int) -> Iterator[NewItem]:
    """``number`` items; places early in the list get more news than the rest."""
    dice = random.Random(1)
    places = {n: list(networks.networks[n].regions) for n in (REGIONAL, FOREIGN)}
    for each in places.values():
        dice.shuffle(each)
    for index in range(number):
        network = REGIONAL if dice.random() < 0.65 else FOREIGN
        listed = places[network]
        code = listed[min(int(dice.expovariate(9 / len(listed)) * 2), len(listed) - 1)]
        language = dice.choices(list(WORDS), weights=(50, 30, 4, 3, 3, 3, 3, 4))[0]
        yield make_item(networks, index, network, code, language, dice)


def make_item(
    networks: Networks, index: int, network: NetworkId, code: RegionCode, language: str, dice: random.Random
) -> NewItem:
    """One item about one place."""
    titles, text = WORDS[language]
    place = networks.catalogue.regions[code].name(LanguageCode(language))
    title = dice.choice(titles).format(place=place)
    url = f"https://www.prlib.ru/news/{index}"
    return NewItem(
        entry=Entry(
            title=title,
            url=url,
            summary=text,
            content_html=f'<p>{text}</p><p>{text} <a href="{url}">prlib.ru</a></p><ul><li>{place}</li></ul>',
            published=NOW - timedelta(minutes=dice.randrange(60 * 24 * 60)),
            image=f"https://www.prlib.ru/img/{index}.jpg" if index % 3 == 0 else None,
            language=LanguageCode(language),
        ),
        keys=(url,),
        fingerprint=str(index),
        canonical_url=url,
        classification=Classification(
            language=LanguageCode(language),
            networks=(network,),
            regions=(code,),
            evidence=(
                Evidence(code=code, words=place, where="title", weight=3.0, rule="name"),
                Evidence(
                    code=f"network:{network}",
                    words="Network news",
                    where="section",
                    weight=2.5,
                    rule="section-heading",
                ),
            ),
            confidence=0.9,
        ),
        scopes=networks.scopes_of([network], [code], SourceId("prlib-ru")),
    )


async def fill(database: Database, networks: Networks, number: int) -> None:
    """Make the schema, the sources and the news; every fifth item joins its neighbour's story."""
    await upgrade(database)
    declared = [
        Source(id=SourceId(name), url=url, title=title, language=LanguageCode(language))
        for name, url, title, language in SOURCES
    ]
    async with database.write() as session:
        await sources.declare(session, declared, now=NOW)
    news = list(make_news(networks, number))
    for start in range(0, number, 500):
        async with database.write() as session:
            owner = declared[start // 500 % len(declared)].id
            ids = await items.add(session, owner, news[start : start + 500], now=NOW)
            for first, second in zip(ids[::5], ids[1::5], strict=False):
                kept = await session.get_one(ItemRow, first)
                await session.execute(
                    update(ItemRow).where(ItemRow.id == second).values(story_id=kept.story_id)
                )


async def serve(arguments: argparse.Namespace) -> None:
    """Fill and serve until interrupted."""
    folder = Path(arguments.folder or tempfile.mkdtemp(prefix="vestnik-"))
    database = Database.open(f"sqlite:///{folder}/filled.db")
    networks = make_networks()
    await fill(database, networks, arguments.items)
    deps = WebDeps(
        database=database,
        networks=networks,
        base_url="",
        site_title={
            LanguageCode("en"): "Vestnik",
            LanguageCode("ru"): "Вестник",
            LanguageCode("ar"): "فيستنيك",
        },
        bot_username=lambda: "vestnik_bot",
        clock=lambda: datetime.now(UTC),
        readiness=lambda: {"collect": True, "bot": "no token"},
        registry=CollectorRegistry(),
    )
    app = build_web(deps)
    print(f"http://127.0.0.1:{arguments.port}/ in {folder}", flush=True)
    await uvicorn.Server(uvicorn.Config(app, port=arguments.port, log_level="warning")).serve()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8899)
    parser.add_argument("--items", type=int, default=600)
    parser.add_argument("--folder", default="")
    asyncio.run(serve(parser.parse_args()))

"""What an item is about: every region in its case forms, the known traps, networks by configuration alone."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.classify import Classifier, ClassifyRequest, build_classifier
from feeds.model import Classification, LanguageCode, NetworkId, RegionCode
from feeds.networks import Network, Networks, Relevance
from feeds.regions import load_catalogue

CATALOGUE = load_catalogue()
LANGUAGES = tuple(map(LanguageCode, ("ru", "en", "de", "fr", "es", "sr", "zh", "ar", "it", "pl", "bg")))
LIBRARY = ("президентск* библиотек*", "presidential librar*", "biblioteca presidenziale", "总统图书馆")
OWN = ("ельцин*", "yeltsin*")
WORK = (
    "региональн* центр*",
    "regional center*",
    "филиал*",
    "reading room*",
    "читальн* зал*",
    "соглашени*",
    "agreement*",
)


def networks() -> Networks:
    regional = Network(
        id=NetworkId("regional"),
        titles={},
        regions=CATALOGUE.expand("RU"),
        headings=("Regional network", "Региональная сеть"),
        relevance=Relevance(
            words=LIBRARY, own=OWN, activity=WORK, branches=("областн* библиотек*",), home=(RegionCode("RU-SPE"),),
            unless=("libraries of russia:",), hosts=("library.example",), urls=("library.example/networknews",),
        ),
    )  # fmt: skip
    foreign = Network(
        id=NetworkId("foreign"),
        titles={},
        regions=CATALOGUE.expand("countries"),
        headings=("Foreign network", "Зарубежная сеть"),
        relevance=Relevance(
            words=LIBRARY, own=OWN, activity=WORK, partners=("русск* дом*", "russian house", "俄罗斯文化中心"),
            namesakes=(RegionCode("BY"), RegionCode("AZ")), home=(RegionCode("RU-SPE"),),
            urls=("library.example/networknews",),
        ),
    )  # fmt: skip
    return Networks(catalogue=CATALOGUE, networks={each.id: each for each in (regional, foreign)})


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return build_classifier(networks(), languages=LANGUAGES)


def ask(
    classifier: Classifier, title: str, text: str = "", language: str = "", **more: object
) -> Classification:
    prior = LanguageCode(language) if language else None
    return classifier.classify(ClassifyRequest(title=title, text=text, language=prior, **more))  # type: ignore[arg-type]


# --- every region is found in its forms ------------------------------------------------------

#: Republics and cities by their forms after "в", "из"/"для" and "с".
IRREGULAR = {
    "RU-MOW": "Москве Москвы Москвой", "RU-SPE": "Санкт-Петербурге Санкт-Петербурга Санкт-Петербургом",
    "RU-KR": "Карелии Карелии Карелией", "RU-AD": "Адыгее Адыгеи Адыгеей", "RU-KL": "Калмыкии Калмыкии Калмыкией",
    "UA-43": "Крыму Крыма Крымом", "UA-40": "Севастополе Севастополя Севастополем",
    "UA-14": "Донецке Донецка Донецком", "UA-09": "Луганске Луганска Луганском",
    "RU-DA": "Дагестане Дагестана Дагестаном", "RU-IN": "Ингушетии Ингушетии Ингушетией",
    "RU-KB": "Кабардино-Балкарии Кабардино-Балкарии Кабардино-Балкарией",
    "RU-KC": "Карачаево-Черкесии Карачаево-Черкесии Карачаево-Черкесией",
    "RU-SE": "Северной_Осетии Северной_Осетии Северной_Осетией", "RU-CE": "Чечне Чечни Чечнёй",
    "RU-BA": "Башкортостане Башкортостана Башкортостаном", "RU-ME": "Марий_Эл Марий_Эл Марий_Эл",
    "RU-MO": "Мордовии Мордовии Мордовией", "RU-TA": "Татарстане Татарстана Татарстаном",
    "RU-UD": "Удмуртии Удмуртии Удмуртией", "RU-CU": "Чувашии Чувашии Чувашией",
    "RU-TY": "Туве Тувы Тувой", "RU-KK": "Хакасии Хакасии Хакасией", "RU-BU": "Бурятии Бурятии Бурятией",
    "RU-SA": "Якутии Якутии Якутией", "RU-KO": "Республике_Коми Республики_Коми Республикой_Коми",
    "RU-AL": "Республике_Алтай Республики_Алтай Республикой_Алтай",
    "RU-KHM": "Югре Югры Югрой", "RU-KEM": "Кемеровской_области Кемеровской_области Кузбассом",
    "RU-YEV": "Еврейской_автономной_области Еврейской_автономной_области Еврейской_автономной_областью",
    "RU-NEN": "Ненецком_автономном_округе Ненецкого_автономного_округа Ненецким_автономным_округом",
    "RU-YAN": "Ямало-Ненецком_автономном_округе Ямало-Ненецкого_автономного_округа Ямало-Ненецким_автономным_округом",
    "RU-CHU": "Чукотском_автономном_округе Чукотского_автономного_округа Чукотским_автономным_округом",
}  # fmt: skip
ENDINGS = {
    ("ая", "область"): (("ой", "области"), ("ой", "области"), ("ой", "областью")),
    ("ий", "край"): (("ом", "крае"), ("ого", "края"), ("им", "краем")),
}


def russian_forms(code: str) -> tuple[str, str, str]:
    """A subject after "в", after "для" and after "с", by rules of grammar the catalogue knows nothing of."""
    if code in IRREGULAR:
        first, second, third = (each.replace("_", " ") for each in IRREGULAR[code].split())
        return first, second, third
    adjective, noun = CATALOGUE.regions[RegionCode(code)].name(LanguageCode("ru")).split()
    forms = ENDINGS[adjective[-2:], noun]
    first, second, third = (f"{adjective[:-2]}{ending} {inflected}" for ending, inflected in forms)
    return first, second, third


SUBJECTS = [each.code for each in CATALOGUE.regions.values() if each.kind == "subject"]


@pytest.mark.parametrize("code", SUBJECTS)
def test_every_subject_is_found_in_russian_cases(classifier: Classifier, code: str):
    inside, of, with_ = russian_forms(code)
    for title in (
        f"В {inside} открылась выставка",
        f"Библиотеки {of} получили книги",
        f"Встреча с {with_} продолжается",
    ):
        found = ask(classifier, title, language="ru")
        assert found.regions == (code,), title


@pytest.mark.parametrize("code", SUBJECTS)
def test_every_subject_is_found_in_english(classifier: Classifier, code: str):
    name = CATALOGUE.regions[RegionCode(code)].name(LanguageCode("en"))
    for title in (
        f"An exhibition opened in {name}",
        f"{name} marks the day of libraries",
        f"Libraries of {name} meet",
    ):
        assert ask(classifier, title, language="en").regions == (code,), title


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "sr", "zh", "ar"])
def test_every_country_is_found_by_its_name(classifier: Classifier, language: str):
    """All but those whose name is also a first name or an everyday word, which need a word of place."""
    missed = [
        region.code
        for region in CATALOGUE.regions.values()
        if region.kind == "country" and region.code != "RU"
        if ask(classifier, region.name(LanguageCode(language)), language=language).regions != (region.code,)
    ]
    assert len(missed) <= 14, missed


@settings(max_examples=60, deadline=None)
@given(
    code=st.sampled_from(SUBJECTS),
    before=st.sampled_from(["«", "(", "— ", "", "\u201e"]),
    upper=st.booleans(),
)
def test_punctuation_and_capitals_do_not_hide_a_region(
    classifier: Classifier, code: str, before: str, *, upper: bool
):
    inside = russian_forms(code)[0]
    title = f"Новости: {before}в {inside}, сегодня"
    found = ask(classifier, title.upper() if upper else title, language="ru")
    assert code in found.regions + found.mentions


# --- traps -----------------------------------------------------------------------------------

TRAPS = [
    ("Владимир Мединский вручил награды библиотекарям", "Церемония прошла в Туле.", "ru", ["RU-TUL"]),
    ("В библиотеке имени Кирова прошёл концерт", "", "ru", []),
    ("На улице Московской открыли читальный зал", "Работы в Пензе завершены.", "ru", ["RU-PNZ"]),
    ("В Свердловском районе Орловской области ремонт", "", "ru", ["RU-ORL"]),
    ("Урок о блокаде Ленинграда прошёл в Пензе", "", "ru", ["RU-PNZ"]),
    ("Lesson on the siege of Leningrad held in Penza", "", "en", ["RU-PNZ"]),
    ("Трансляция начнётся в 12:00 по московскому времени", "", "ru", []),
    ("В Нижнем Новгороде встретились архивисты", "", "ru", ["RU-NIZ"]),
    ("В Великом Новгороде встретились архивисты", "", "ru", ["RU-NGR"]),
    ("The Altai Republic opens a centre", "", "en", ["RU-AL"]),
    ("The Altai Territory opens a centre", "", "en", ["RU-ALT"]),
    ("Library week in Republika Srpska", "", "en", ["BA"]),
    ("Film Vladivostok shown in Belgrade", "The film \"Vladivostok\" was shown in Belgrade, Serbia.", "en", ["RS"]),
    ("В Благовещенске оцифровали книгу", "В Приамурье отсканировали брошюру.", "ru", ["RU-AMU"]),
    ("Жители Троицка читают", "Зал открыли в Троицке Челябинской области.", "ru", ["RU-CHE"]),
    ("Министр культуры Тувы посетил форум", "Председатель Верховного Хурала РТ приветствовал гостей.", "ru", ["RU-TY"]),
    ("Заседание Ил Тумэна", "", "ru", ["RU-SA"]),
    ("Школьники Зауралья победили", "", "ru", ["RU-KGN"]),
    ("В музее-заповеднике под Тверью", "Верхневолжье ждёт гостей.", "ru", ["RU-TVE"]),
    ("КАЗАНЬ", "КАЗАНЬ, 1 ноя – Библиотека объявила конкурс.", "ru", ["RU-TA"]),
]  # fmt: skip


@pytest.mark.parametrize(("title", "text", "language", "wanted"), TRAPS)
def test_a_known_trap(classifier: Classifier, title: str, text: str, language: str, wanted: list[str]):
    assert list(ask(classifier, title, text, language).regions) == wanted


def test_an_enumeration_is_no_subject(classifier: Classifier):
    found = ask(
        classifier,
        "Olympiad sums up its first round",
        "Leaders: Volgograd, Chelyabinsk, Penza and Tambov Regions, Tatarstan, Moscow.",
        "en",
    )
    assert found.regions == ()
    assert {"RU-VGG", "RU-CHE", "RU-PNZ", "RU-TAM", "RU-TA", "RU-MOW"} <= set(found.mentions)


def test_several_places_are_an_answer(classifier: Classifier):
    found = ask(classifier, "Меморандум национальных библиотек Болгарии и Словении", "", "ru")
    assert set(found.regions) == {"BG", "SI"}


def test_a_town_votes_for_its_region_and_homonyms_follow_the_text(classifier: Classifier):
    kursk = ask(classifier, "В Железногорске открыли зал", "Библиотека Курской области обновлена.", "ru")
    krasnoyarsk = ask(
        classifier, "В Железногорске открыли зал", "Библиотека Красноярского края обновлена.", "ru"
    )
    assert (kursk.regions, krasnoyarsk.regions) == (("RU-KRS",), ("RU-KYA",))


def test_blocks_about_other_news_are_left_out(classifier: Classifier):
    found = ask(
        classifier,
        "В Пензе открыли зал",
        "Зал открыт.\n\nЧитайте также\nВ Туле ремонт. В Туле праздник.",
        "ru",
    )
    assert (found.regions, found.mentions) == (("RU-PNZ",), ())


@pytest.mark.parametrize(
    ("title", "language", "code"),
    [
        ("У Београду отворена изложба", "sr", "RS"), ("Wystawa w Warszawie", "pl", "PL"),
        ("Mostra a Sofia, in Bulgaria", "it", "BG"), ("北京举办展览", "zh", "CN"), ("معرض في القاهرة", "ar", "EG"),
        ("Выставка ў Мінску", "be", "BY"), ("Näyttely Helsingissä", "fi", "FI"), ("Ausstellung in Wien", "de", "AT"),
        ("Exposition à Paris", "fr", "FR"), ("Изложба в Пловдив", "bg", "BG"), ("Výstava v Praze", "cs", "CZ"),
    ],
)  # fmt: skip
def test_places_in_other_languages(classifier: Classifier, title: str, language: str, code: str):
    assert ask(classifier, title, language=language).regions == (code,)


# --- networks --------------------------------------------------------------------------------


def test_the_section_is_decisive(classifier: Classifier):
    """A heading of the network, and one the source maps itself, beat everything else."""
    found = ask(classifier, "В Пензе прошёл урок", "", "ru", section="Региональная сеть")
    assert found.networks == ("regional",)
    mapped = ask(
        classifier, "Konzert", "", "de", section="Ausland", sections={"Ausland": NetworkId("foreign")},
        source_network=NetworkId("regional"),
    )  # fmt: skip
    assert mapped.networks == ("foreign",)
    assert mapped.evidence[0].rule == "section-of-source"


def test_the_source_decides_where_no_section_does(classifier: Classifier):
    found = ask(
        classifier,
        "Урок истории",
        "",
        "ru",
        source_network=NetworkId("foreign"),
        source_region=RegionCode("MN"),
    )
    assert (found.networks, found.regions) == (("foreign",), ("MN",))
    named = ask(classifier, "Урок в Пензе", "", "ru", source_region=RegionCode("RU-TUL"))
    assert named.regions[0] == "RU-PNZ"


NETWORKS = [
    ("Regional center of the Presidential Library opened in Penza", "", ("regional",)),
    ("В Туле открылся филиал Президентской библиотеки", "", ("regional",)),
    ("Сотрудники Кировской областной библиотеки", "Вебинар о Президентской библиотеке.", ("regional",)),
    ("The Presidential Library presents a collection about Karelia", "", ()),
    ("The Presidential Library opens an exhibition in St. Petersburg", "New reading room.", ()),
    ("В Туле открылась модельная библиотека", "", ()),
    ("Русский дом в Белграде приглашает", "", ("foreign",)),
    ("Agreement with the Presidential Library signed in Munich, Germany", "", ("foreign",)),
    ("Presidential Library of Belarus opens a reading room in Minsk", "", ()),
    ("A reading room of the Yeltsin Presidential Library opens in Minsk", "", ("foreign",)),
    ("Libraries of Russia: regional center in Tula", "", ()),
]


@pytest.mark.parametrize(("title", "text", "wanted"), NETWORKS)
def test_the_network_follows_from_what_is_said(
    classifier: Classifier, title: str, text: str, wanted: tuple[str, ...]
):
    assert ask(classifier, title, text).networks == wanted


def test_own_addresses_speak_for_the_institution(classifier: Classifier):
    """At its own host the institution need not be named; an address of the network needs no words at all."""
    title = "A reading room opened in Tula"
    assert ask(classifier, title, url="https://library.example/en/news/1").networks == ("regional",)
    assert ask(classifier, title, url="https://elsewhere.example/1").networks == ()
    assert ask(classifier, "Concert in Tula", url="https://library.example/networknews#1").networks == (
        "regional",
    )


def test_another_institution_needs_configuration_alone():
    """A museum with branches, its own words and no library in sight."""
    museum = Network(
        id=NetworkId("branches"),
        titles={},
        regions=CATALOGUE.expand("countries"),
        relevance=Relevance(words=("louvre", "musée du louvre")),
    )
    ours = build_classifier(
        Networks(catalogue=CATALOGUE, networks={museum.id: museum}),
        languages=(LanguageCode("fr"), LanguageCode("en")),
    )
    assert ask(ours, "Le Louvre ouvre une salle en Italie", language="fr").networks == ("branches",)
    assert ask(ours, "Un musée ouvre une salle en Italie", language="fr").networks == ()


# --- promises about every answer ---------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(title=st.text(max_size=120), text=st.text(max_size=400))
def test_any_text_gets_a_sound_answer(classifier: Classifier, title: str, text: str):
    """No text breaks the classifier; regions and mentions are known codes and never overlap; it is deterministic."""
    found = ask(classifier, title, text)
    assert not set(found.regions) & set(found.mentions)
    assert set(found.regions) | set(found.mentions) <= set(CATALOGUE.regions)
    assert 0.0 <= found.confidence <= 1.0
    assert found == ask(classifier, title, text)


@settings(max_examples=60, deadline=None)
@given(code=st.sampled_from(SUBJECTS), filler=st.text(alphabet="абвгд ,.-\n", max_size=60))
def test_every_region_has_evidence_with_words_from_the_text(classifier: Classifier, code: str, filler: str):
    title = f"{filler} в {russian_forms(code)[0]}"
    found = ask(classifier, title, language="ru")
    for each in (*found.regions, *found.mentions):
        assert any(e.code == each and e.words in title and e.rule and e.weight > 0 for e in found.evidence)


def test_a_classifier_travels_to_a_process_pool():
    """What is needed to build it can be pickled; the request and the answer too."""
    request = ClassifyRequest(title="В Пензе", language=LanguageCode("ru"))
    answer = build_classifier(pickle.loads(pickle.dumps(networks())), languages=LANGUAGES).classify(request)
    assert pickle.loads(pickle.dumps((request, answer))) == (request, answer)


@pytest.mark.corpora
@pytest.mark.skipif("VESTNIK_CORPORA" not in os.environ, reason="VESTNIK_CORPORA is not set")
def test_labelled_items_stay_classified(classifier: Classifier):
    """A floor under the figures of ``make eval-classify``: regions of the development items."""
    items = Path(os.environ["VESTNIK_CORPORA"]) / "items" / "dev.jsonl"
    right = wrong = missed = 0
    for each in map(json.loads, items.read_text(encoding="utf-8").splitlines()):
        found = set(ask(classifier, each["title"], each["text"], each["language"], url=each["url"]).regions)
        wanted = set(each["regions"])
        right += len(found & wanted)
        wrong += len(found - wanted - set(each["regions_optional"]))
        missed += len(wanted - found)
    assert 2 * right / (2 * right + wrong + missed) >= 0.95

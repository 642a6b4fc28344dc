"""Words of dates in many languages: months, "yesterday", "2 hours ago", numeric order.

Month names, relative phrases and the order of numeric dates come from CLDR through Babel, built
per language on first use and kept; what people write and CLDR does not know is added by hand.
Contains no I/O beyond Babel's own data files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_timedelta

NumericOrder = Literal["DMY", "MDY", "YMD"]
_Unit = Literal["minute", "hour", "day", "week", "month"]
_Width = Literal["long", "short", "narrow"]
_WIDTHS: tuple[_Width, ...] = ("long", "short", "narrow")

#: CLDR locales read for a language; more than one where scripts or countries use other names.
_LOCALES: Mapping[str, tuple[str, ...]] = {
    "ar": ("ar", "ar_EG", "ar_SY", "ar_DZ", "ar_MA", "ar_MR"),
    "az": ("az_Latn", "az_Cyrl"),
    "bs": ("bs_Latn", "bs_Cyrl"),
    "en": ("en", "en_GB", "en_AU", "en_CA"),
    "es": ("es", "es_MX"),
    "de": ("de", "de_AT"),
    "no": ("nb",),
    "pt": ("pt", "pt_PT"),
    "sr": ("sr_Cyrl", "sr_Latn", "sr_Cyrl_BA", "sr_Latn_BA", "sr_Cyrl_ME"),
    "uz": ("uz_Latn", "uz_Cyrl"),
}

#: Languages looked at when the source's language is unknown; earlier ones win a shared word.
KNOWN_LANGUAGES = (
    *("en", "ru", "de", "fr", "es", "it", "pt", "sr", "uk", "be", "kk", "pl", "cs", "bg", "fi", "hu"),
    *("zh", "ar", "ja", "mn", "az", "tr", "ro", "nl", "sv", "da", "no", "sk", "sl", "mk", "el", "lt"),
    *("lv", "et", "hy", "ka", "he", "ky", "tg", "uz", "ko", "vi", "id", "fa"),
)

#: What people write beside CLDR's names: language -> "word word ..." per month, January first.
_EXTRA_MONTHS: Mapping[str, tuple[str, ...]] = {
    "ar": (
        "جانفي",
        "فيفري",
        "",
        "افريل أفريل",
        "ماي",
        "جوان",
        "جويلية يوليوز",
        "أوت غشت",
        "شتنبر",
        "",
        "نونبر",
        "دجنبر",
    ),
    "be": ("", "", "", "", "травеня мая май", "", "", "", "", "", "", ""),
    "bg": ("ян яну", "фев", "мар", "", "", "юн", "юл", "", "сеп септ", "", "ное ноем", "дек"),
    "cs": ("led", "úno", "bře", "dub", "kvě", "čer čvn", "čvc", "srp", "zář", "říj", "lis", "pro"),
    "de": ("jän jänner", "feber", "mär mrz", "", "", "juno", "julei", "", "sept", "", "", ""),
    "en": ("", "", "", "", "", "", "", "", "sept", "", "", ""),
    "fr": ("", "fev fevrier", "", "", "", "", "", "aout", "", "", "", "dec decembre"),
    "kk": ("қаңтарда", "", "", "", "мамырда", "", "", "", "", "", "", ""),
    "pl": ("", "", "", "", "", "", "", "", "", "paz pazdziernika", "", ""),
    "pt": ("", "", "marco", "", "", "", "", "", "", "", "", ""),
    "ru": ("", "фев", "мар", "", "", "июн", "июл", "", "сен сент", "", "ноя нояб", ""),
    "sr": (
        "јануара januara",
        "фебруара februara",
        "марта marta",
        "априла aprila",
        "маја maja",
        "јуна juna јуни juni",
        "јула jula јули juli",
        "августа avgusta",
        "септембра septembra",
        "октобра oktobra",
        "новембра novembra",
        "децембра decembra",
    ),
    "mk": ("", "", "", "", "", "", "", "", "", "", "", ""),
    "uk": ("", "", "", "", "", "", "", "", "", "", "", ""),
    "uz": ("yanvar", "fevral", "", "", "", "iyun", "iyul", "", "sentabr", "oktabr", "noyabr", "dekabr"),
}

#: "today", "yesterday", "the day before yesterday"; several spellings divided by "|".
_DAY_WORDS: Mapping[str, tuple[str, str, str]] = {
    "ar": ("اليوم", "أمس|امس|البارحة", "أول أمس|اول امس"),
    "az": ("bu gün|bugün|бу ҝүн", "dünən", "srağagün"),
    "be": ("сёння|сення", "учора|ўчора", "пазаўчора"),
    "bg": ("днес", "вчера", "онзи ден"),
    "cs": ("dnes", "včera", "předevčírem"),
    "da": ("i dag", "i går", "i forgårs"),
    "de": ("heute", "gestern", "vorgestern"),
    "el": ("σήμερα", "χθες|χτες", "προχθές"),
    "en": ("today", "yesterday", "day before yesterday"),
    "es": ("hoy", "ayer", "anteayer|antier"),
    "et": ("täna", "eile", "üleeile"),
    "fa": ("امروز", "دیروز", "پریروز"),
    "fi": ("tänään", "eilen", "toissapäivänä"),
    "fr": ("aujourd'hui|aujourd’hui", "hier", "avant-hier"),
    "he": ("היום", "אתמול", "שלשום"),
    "hu": ("ma", "tegnap", "tegnapelőtt"),
    "hy": ("այսօր", "երեկ", "նախանցյալ օրը"),
    "id": ("hari ini", "kemarin", "kemarin dulu"),
    "it": ("oggi", "ieri", "l'altro ieri|altro ieri"),
    "ja": ("今日|本日", "昨日", "一昨日|おととい"),
    "ka": ("დღეს", "გუშინ", "გუშინწინ"),
    "kk": ("бүгін", "кеше", "алдыңгүні|алдыңғы күні"),
    "ko": ("오늘", "어제", "그저께"),
    "ky": ("бүгүн", "кечээ", "мурдагы күнү"),
    "lt": ("šiandien", "vakar", "užvakar"),
    "lv": ("šodien", "vakar", "aizvakar"),
    "mk": ("денес", "вчера", "завчера"),
    "mn": ("өнөөдөр", "өчигдөр", "уржигдар"),
    "nl": ("vandaag", "gisteren", "eergisteren"),
    "no": ("i dag", "i går", "i forgårs"),
    "pl": ("dzisiaj|dziś", "wczoraj", "przedwczoraj"),
    "pt": ("hoje", "ontem", "anteontem"),
    "ro": ("astăzi|azi|astazi", "ieri", "alaltăieri"),
    "ru": ("сегодня", "вчера", "позавчера"),
    "sk": ("dnes", "včera", "predvčerom"),
    "sl": ("danes", "včeraj", "predvčerajšnjim"),
    "sr": ("данас|danas", "јуче|јучер|juče|juce|jučer", "прекјуче|prekjuče|prekjuce"),
    "sv": ("i dag|idag", "i går|igår", "i förrgår"),
    "tg": ("имрӯз", "дирӯз", "парирӯз"),
    "tr": ("bugün", "dün", "önceki gün"),
    "uk": ("сьогодні", "вчора|учора", "позавчора"),
    "uz": ("bugun|бугун", "kecha|кеча", "o'tgan kuni"),
    "vi": ("hôm nay", "hôm qua", "hôm kia"),
    "zh": ("今天|今日", "昨天|昨日", "前天"),
}

#: Relative phrases CLDR lacks: phrase with "#" for the number -> unit.
_EXTRA_RELATIVE: Mapping[str, Mapping[str, tuple[_Unit, float]]] = {
    "en": {
        "an hour ago": ("hour", 1),
        "a minute ago": ("minute", 1),
        "a day ago": ("day", 1),
        "half an hour ago": ("minute", 30),
        "just now": ("minute", 0),
        "#m ago": ("minute", -1),
        "# mins ago": ("minute", -1),
        "# hrs ago": ("hour", -1),
    },
    "ru": {
        "только что": ("minute", 0),
        "полчаса назад": ("minute", 30),
        "# час. назад": ("hour", -1),
        "# дн назад": ("day", -1),
        "# мин назад": ("minute", -1),
        "# ч назад": ("hour", -1),
    },
    "de": {
        "vor einer stunde": ("hour", 1),
        "vor einer minute": ("minute", 1),
        "vor einem tag": ("day", 1),
        "gerade eben": ("minute", 0),
    },
    "fr": {"il y a une heure": ("hour", 1), "il y a une minute": ("minute", 1), "à l'instant": ("minute", 0)},
    "es": {"hace una hora": ("hour", 1), "hace un minuto": ("minute", 1), "ahora mismo": ("minute", 0)},
    "it": {"un'ora fa": ("hour", 1), "un minuto fa": ("minute", 1), "un giorno fa": ("day", 1)},
    "pt": {"há uma hora": ("hour", 1), "há um minuto": ("minute", 1), "# horas atrás": ("hour", -1)},
    "sr": {"пре сат времена": ("hour", 1), "управо сада": ("minute", 0), "upravo sada": ("minute", 0)},
    "uk": {"щойно": ("minute", 0)},
    "zh": {
        "刚刚": ("minute", 0),
        "#个小时前": ("hour", -1),
        "#小時前": ("hour", -1),
        "#分鐘前": ("minute", -1),
    },
    "ar": {
        "منذ ساعة": ("hour", 1),
        "منذ ساعتين": ("hour", 2),
        "منذ # ساعات": ("hour", -1),
        "منذ # دقيقة": ("minute", -1),
    },
}

_UNITS: Mapping[_Unit, timedelta] = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RelativePhrases:
    """How one language says "2 hours ago": a pattern that finds it, and what it means."""

    pattern: re.Pattern[str]
    #: Phrase with its number written "#" -> unit and fixed amount (-1: the number counts).
    units: Mapping[str, tuple[_Unit, float]]

    def age_of(self, text: str) -> tuple[timedelta, re.Match[str]] | None:
        """How long ago the first relative phrase in ``text`` (folded) says."""
        found = self.pattern.search(text)
        if found is None:
            return None
        number = re.search(r"\d+", found[0])
        phrase = re.sub(r"\d+", "#", found[0])
        unit, amount = (
            self.units.get(re.sub(r"\s+", " ", phrase)) or self.units[re.sub(r"\s+", " ", found[0])]
        )
        count = float(number[0]) if amount < 0 and number else max(amount, 0.0)
        return _UNITS[unit] * count, found


@cache
def months_of(language: str) -> Mapping[str, int]:
    """Month word (folded, no dots) -> 1..12 for one language; empty for a language CLDR lacks."""
    words: dict[str, int] = {}
    for locale in _locales_of(language):
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in locale.months[context][width].items():
                    _add_month(words, str(name), number)
    for number, names in enumerate(_EXTRA_MONTHS.get(language, ()), start=1):
        for name in names.split():
            words.setdefault(name, number)
    return words


@cache
def all_months() -> Mapping[str, int]:
    """Month words of every known language; a word two languages share keeps the earlier meaning."""
    words: dict[str, int] = {}
    for language in KNOWN_LANGUAGES:
        for word, number in months_of(language).items():
            words.setdefault(word, number)
    return words


@cache
def day_words_of(language: str) -> re.Pattern[str] | None:
    """Finds "today" (group 1), "yesterday" (2) or the day before (3) as whole words."""
    forms = _DAY_WORDS.get(language)
    if forms is None:
        return None
    groups = "|".join(f"({'|'.join(map(re.escape, each.split('|')))})" for each in reversed(forms))
    # Chinese and Japanese write no spaces, so a word border would never come.
    border = "" if language in {"zh", "ja", "ko"} else r"(?!\w)"
    start = "" if language in {"zh", "ja", "ko"} else r"(?<!\w)"
    return re.compile(f"{start}(?:{groups}){border}")


@cache
def relative_of(language: str) -> RelativePhrases | None:
    """Phrases such as "2 hours ago" in one language; ``None`` where CLDR has no such language."""
    units: dict[str, tuple[_Unit, float]] = dict(_EXTRA_RELATIVE.get(language, {}))
    for locale in _locales_of(language):
        for phrase, unit, amount in _relative_phrases(locale):
            units.setdefault(phrase, (unit, amount))
    if not units:
        return None
    longest_first = sorted(units, key=len, reverse=True)
    parts = (re.escape(each).replace(r"\#", r"\d{1,4}").replace(r"\ ", r"\s+") for each in longest_first)
    return RelativePhrases(pattern=re.compile(rf"(?<!\w)(?:{'|'.join(parts)})"), units=units)


@cache
def numeric_order(language: str) -> NumericOrder:
    """Order of day, month and year in the language's short numeric dates (CLDR)."""
    locales = _locales_of(language)
    if not locales:
        return "DMY"
    pattern = locales[0].date_formats["short"].pattern
    ranked = sorted("dMy", key=lambda letter: pattern.find(letter) % 1000)
    joined = "".join(ranked).upper()
    return "MDY" if joined == "MDY" else "YMD" if joined.startswith("Y") else "DMY"


@cache
def _locales_of(language: str) -> tuple[Locale, ...]:
    found = []
    for name in _LOCALES.get(language, (language,)):
        try:
            found.append(Locale.parse(name))
        except (UnknownLocaleError, ValueError):
            continue
    return tuple(found)


def _add_month(words: dict[str, int], name: str, number: int) -> None:
    folded = fold(name).strip(" .")
    # Names that are only a number ("1月", "1-р сар") have patterns of their own.
    if not folded or any(letter.isdigit() for letter in folded):
        return
    words.setdefault(folded, number)


def _relative_phrases(locale: Locale) -> Iterator[tuple[str, _Unit, float]]:
    for unit, span in _UNITS.items():
        for count in (1, 2, 3, 5, 11, 21):
            for width in _WIDTHS:
                said = _ago(locale, unit, -span * count, width)
                phrase = said.replace(str(count), "#")
                if not said or said[0] in "-+−":  # narrow forms such as "-2 h" say too little
                    continue
                if phrase != said:
                    yield phrase, unit, -1
                    if count == 1 and width == "long" and phrase.startswith("# "):
                        yield phrase[2:], unit, 1
                elif count <= 2:  # Arabic has a dual without a number
                    yield said, unit, count


def _ago(locale: Locale, unit: _Unit, span: timedelta, width: _Width) -> str:
    try:
        said = format_timedelta(
            span, granularity=unit, threshold=1e6, add_direction=True, format=width, locale=locale
        )
    except KeyError:  # CLDR has no relative forms for this unit in this language
        return ""
    return fold(said)


#: Same length in, same length out, so that positions stay true.
_FOLD_ONE = str.maketrans({"İ": "i", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "ʼ": "'", "`": "'"})


def fold(text: str) -> str:
    """Lower case, plain spaces; keeps every position."""
    lowered = text.translate(_FOLD_ONE)
    short = lowered.lower()
    if len(short) == len(lowered):
        return short
    return "".join(each.lower() if len(each.lower()) == 1 else each for each in lowered)

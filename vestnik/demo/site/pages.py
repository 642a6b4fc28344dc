"""What the recorded site looks like: Jinja templates filled with news. Decides no address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from email.utils import format_datetime
from pathlib import Path

from babel.dates import format_date
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from feeds.model import LanguageCode, RegionCode
from vestnik.demo.site.content import Institution, NewsItem, Words

_TEMPLATES = Path(__file__).with_name("templates")
#: How each kind of site writes a day, as the real ones do (CLDR patterns).
_DATE_PATTERNS = {
    "sr": "d. MMMM y.",
    "de": "d. MMMM y",
    "es": "d 'de' MMMM 'de' y",
    "zh": "y年M月d日",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One piece of news as a page needs it."""

    id: int
    path: str
    words: Words
    #: The day in the page's language, and the moment for machines.
    day: str
    moment: datetime
    date_line: bool = True

    @property
    def rfc822(self) -> str:
        """The moment as RSS wants it."""
        return format_datetime(self.moment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with its news."""

    heading: str
    entries: tuple[Shown, ...]


def show(item: NewsItem, language: LanguageCode, *, path: str, timezone: tzinfo) -> Shown:
    """``item`` in ``language`` as a page needs it."""
    local = item.published.astimezone(timezone)
    pattern = _DATE_PATTERNS.get(language, "d MMMM y")
    return Shown(
        id=item.id,
        path=path,
        words=item.texts[language],
        day=format_date(local, format=pattern, locale=language),
        moment=local,
        date_line=item.date_line,
    )


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


class Pages:
    """Renders every kind of page; holds the compiled templates."""

    def __init__(self) -> None:
        self._environment = _environment()

    def _fill(self, name: str, **values: object) -> str:
        return self._environment.get_template(name).render(**values)

    def network_list(self, sections: Sequence[Section], *, language: LanguageCode, title: str) -> str:
        """A list page of the central site; one section without a heading stands alone."""
        return self._fill("prlib_list.html", sections=sections, language=language, title=title)

    def network_item(self, shown: Shown, *, language: LanguageCode) -> str:
        """A news page of the central site."""
        return self._fill("prlib_item.html", shown=shown, language=language)

    def house_list(self, entries: Sequence[Shown], *, institution: Institution) -> str:
        """The list page of a house, or the front page of a library with a feed."""
        return self._fill(f"house_{institution.layout}.html", entries=entries, institution=institution)

    def house_item(self, shown: Shown, *, institution: Institution) -> str:
        """A news page of a house or library."""
        return self._fill("house_item.html", shown=shown, institution=institution)

    def feed(
        self, entries: Sequence[Shown], *, institution: Institution, address: str, changed: datetime
    ) -> str:
        """RSS 2.0 or Atom 1.0, by the kind of the institution."""
        return self._fill(
            f"{institution.kind}.xml",
            entries=entries,
            institution=institution,
            address=address,
            changed=changed,
            changed_rfc822=format_datetime(changed),
        )

    def front(
        self, institutions: Sequence[Institution], *, counts: dict[str, int], regions: dict[RegionCode, str]
    ) -> str:
        """The page a visitor of the demo opens: where everything is, and buttons to publish."""
        return self._fill("front.html", institutions=institutions, counts=counts, regions=regions)

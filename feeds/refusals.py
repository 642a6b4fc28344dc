"""Why an answer is no news: one word for logs and alarms, one sentence an admin understands.

Contains no I/O.
"""

from __future__ import annotations

import enum
import re

from feeds.errors import ParseError


class Refusal(enum.StrEnum):
    """Value of :attr:`ParseError.reason` for bodies that came but hold no news."""

    EMPTY = "empty"
    TOO_LARGE = "too-large"
    TOO_DEEP = "too-deep"
    DTD = "dtd"
    BROKEN_FEED = "broken-feed"
    HTML_INSTEAD = "html-instead"
    CHALLENGE = "challenge"
    LOGIN = "login"
    PARKED = "parked"
    NO_LIST = "no-list"
    OPML = "opml"
    SITEMAP = "sitemap"
    NOT_NEWS = "not-news"


_WORDS = {
    Refusal.EMPTY: "the answer is empty",
    Refusal.TOO_LARGE: "the answer is longer than {limit} and was not read",
    Refusal.TOO_DEEP: "tags nest deeper than {limit} levels, which no real feed or page does",
    Refusal.DTD: "the feed defines its own entities (DTD), a known attack; the DOCTYPE must go",
    Refusal.BROKEN_FEED: "the feed cannot be read: {why}",
    Refusal.HTML_INSTEAD: "a web page came where a feed was expected{hint}",
    Refusal.CHALLENGE: "the site shows a robot check ({sign}) instead of news; its owner must let us in",
    Refusal.LOGIN: "the site asks to log in instead of showing news",
    Refusal.PARKED: "the domain is parked or for sale ({sign}); the site has gone or moved",
    Refusal.NO_LIST: "no list of news was found on the page; give selectors for it or another address",
    Refusal.OPML: "this is a list of feeds (OPML), not a feed; import it with `sources import`",
    Refusal.SITEMAP: "this is a sitemap, not a feed; give the address of the news page or of its feed",
    Refusal.NOT_NEWS: "neither a feed nor a web page: {what}",
}


def refused(reason: Refusal, url: str, **values: str) -> ParseError:
    """The error to raise for ``url``, worded for an admin."""
    return ParseError(reason.value, url, _WORDS[reason].format(**values))


# Signs of a robot check are strings of the checks themselves, not words an article could use.
_CHALLENGE = re.compile(
    r"cf-browser-verification|cf_chl_|cdn-cgi/challenge-platform|__cf_chl|<title>\s*just a moment"
    r"|attention required! \| cloudflare|ddos-guard\.net|ddos-guard/js-challenge|/\.well-known/ddos-guard"
    r"|__qrator|qauth\.js|sucuri_cloudproxy|_incapsula_resource|/_bm/_data|px-captcha|geetest_|servicepipe\.ru"
    r"|smart-captcha|smartcaptcha|/showcaptcha|g-recaptcha|h-captcha|hcaptcha\.com/1/api"
    r"|checking your browser before|проверка браузера перед|подтвердите, что вы не робот"
    r"|awswafcookiedomainlist|x-sucuri-|variti\.net|aplauncher\.js|antibot",
    re.IGNORECASE,
)
_COOKIE_RELOAD = re.compile(
    r"document\.cookie\s*=.{0,400}?(?:location\.(?:reload|href|replace)|\.submit\()", re.DOTALL
)
_PARKED = re.compile(
    r"this domain (?:is|may be) for sale|buy this domain|domain is parked|parked (?:free|domain)|sedoparking"
    r"|parkingcrew|bodis\.com|parklogic|hugedomains|домен (?:продаётся|продается|припаркован|не прилинкован)"
    r"|домен выставлен на продажу|купить этот домен|срок регистрации домена.{0,30}ист[её]к"
    r"|parking\.reg\.ru|домен зарегистрирован.{0,80}(?:reg\.ru|рег\.ру|nic\.ru)|welcome to nginx!"
    r"|diese domain (?:steht zum verkauf|ist geparkt)|ce domaine est (?:à vendre|en vente)",
    re.IGNORECASE,
)
_PASSWORD = re.compile(r"<input[^>]{0,300}type\s*=\s*[\"']?password", re.IGNORECASE)
_SCRIPTS = re.compile(r"<(script|style|noscript)\b.*?</\1\s*>|<[^<>]*>", re.IGNORECASE | re.DOTALL)
_TEXT = re.compile(r"\w{2,}")
_LINK = re.compile(r"<a\s", re.IGNORECASE)
#: A robot check or a parked domain has hardly any words; a page of news that mentions one has many.
_FEW_WORDS = 150
_FEW_LINKS = 25
#: Signs are looked for in the first part of the page: what replaces a page is short.
_LOOKED_AT = 200_000


def page_refusal(text: str, url: str) -> ParseError | None:
    """The error for a page that stands in for the real one (robot check, parked domain), else ``None``."""
    page = text[:_LOOKED_AT]
    sign = _CHALLENGE.search(page) or _COOKIE_RELOAD.search(page)
    parked = _PARKED.search(page)
    if (sign is None and parked is None) or not _is_bare(page):
        return None
    if sign is not None:
        return refused(Refusal.CHALLENGE, url, sign=_quoted(sign.group()))
    return refused(Refusal.PARKED, url, sign=_quoted(parked.group())) if parked else None


def login_refusal(text: str, url: str) -> ParseError | None:
    """The error for a page that asks for a password; only for pages on which no news was found."""
    return refused(Refusal.LOGIN, url) if _PASSWORD.search(text[:_LOOKED_AT]) else None


def _is_bare(page: str) -> bool:
    if len(_LINK.findall(page)) > _FEW_LINKS:
        return False
    return len(_TEXT.findall(_SCRIPTS.sub(" ", page))) < _FEW_WORDS


def _quoted(sign: str) -> str:
    return f'"{" ".join(sign.split())[:60]}"'

"""Addresses: made absolute for people to follow, folded to a canonical form for keys only.

The shown address changes as little as it can (RFC 3986 §5 joining, illegal characters escaped);
the canonical form folds what never tells two pages apart: scheme, ``www.``, default ports, case of
the host, trailing slash, tracking parameters, fragment. Contains no I/O.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

#: Longer addresses are data in disguise; servers and browsers stop earlier.
MAX_URL_LENGTH = 4096
_MAX_HOST_LENGTH = 253  # RFC 1035 §2.3.4

# The way most addresses come; what does not match takes the long way, with the same answer.
_WELL_FORMED = re.compile(
    r"https?://[a-z0-9][a-z0-9.-]{1,200}[a-z0-9]/[A-Za-z0-9/:@!$&'()*+,;=._~-]*"
    r"(?:\?[A-Za-z0-9/:@!$&'()*+,;=._~?-]*)?(?:#[A-Za-z0-9/:@!$&'()*+,;=._~?-]*)?"
)
_HOST = re.compile(r"[a-z0-9_.-]+")
_WEB = frozenset({"http", "https"})
_DEFAULT_PORTS = frozenset({80, 443})

# RFC 3986 §2: what may stand unescaped; "%" is handled apart.
_PATH_SAFE = "/:@!$&'()*+,;=-._~%"
_QUERY_SAFE = _PATH_SAFE + "?"
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
# WHATWG URL: C0 controls and spaces around an address are ignored, tabs and line ends anywhere in it.
_EDGES = "".join(map(chr, range(0x21)))
_BREAKS = re.compile(r"[\t\r\n]+")
_SLASHED_SCHEME = re.compile(r"^(https?):[/\\]{2,}", re.IGNORECASE)

_SESSION_PATH = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/;]*", re.IGNORECASE)
_TRACKING = re.compile(
    r"(?:utm_\w*|pk_\w*|mtm_\w*|piwik_\w*|matomo_\w*|hsa_\w*|_hs\w+|at_(?:medium|campaign|source)\w*"
    r"|fbclid|yclid|ysclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|twclid|ttclid|igshid|igsh|mkt_tok"
    r"|mc_[ce]id|_openstat|_ga|_gl|vero_id|oly_\w+_id|spm|xtor|s_cid|cmpid|ncid|ocid|wt_mc|wickedid"
    r"|fb_(?:action_\w+|source|ref)|hss_channel|ref_src|ref_url|__twitter_impression|share_from|yadclid"
    r"|phpsessid|jsessionid|aspsessionid\w*)",
    re.IGNORECASE,
)
# These names also carry meaning (``from=2018``): only the well-known referrers are dropped.
_REFERRER_NAMES = frozenset({"from", "ref", "source", "src"})
_REFERRERS = frozenset(
    {"rss", "rss2", "atom", "feed", "feeds", "tg", "telegram", "vk", "vkontakte", "fb", "facebook", "twitter"}
    | {"x", "ok", "max", "email", "mail", "newsletter", "push", "share", "social", "yandex", "google", "zen"}
    | {"main", "top", "home", "widget", "rambler", "dzen", "viber", "whatsapp", "youtube", "instagram"}
)


def absolute_url(href: str, *, base_url: str = "") -> str | None:
    """``href`` as an absolute http(s) address that is plain ASCII, or ``None``.

    ``None`` for other schemes, missing hosts, embedded passwords (a mask for another host) and
    what cannot be an address at all. A well-formed address comes back byte for byte.
    """
    if len(href) <= MAX_URL_LENGTH and _WELL_FORMED.fullmatch(href):
        return href
    parts = _split(_joined(_trimmed(href), _trimmed(base_url)))
    if parts is None:
        return None
    netloc = _netloc(parts, default_ports=frozenset())
    if netloc is None:
        return None
    url = urlunsplit(
        (
            parts.scheme,
            netloc,
            _escaped(parts.path, _PATH_SAFE) or "/",
            _escaped(parts.query, _QUERY_SAFE),
            _escaped(parts.fragment, _QUERY_SAFE),
        )
    )
    return url if len(url) <= MAX_URL_LENGTH else None


def canonical_url(url: str, *, keep_fragment: bool = False) -> str:
    """The folded form of ``url``, equal for addresses of one page; for keys, never shown.

    A fixpoint: folding twice is folding once. What is no http(s) address (``tag:``, ``urn:``, plain
    words) is only trimmed. ``keep_fragment`` is for pages whose news differ by it alone.
    """
    absolute = absolute_url(url)
    parts = _split(absolute) if absolute else None
    netloc = _netloc(parts, default_ports=_DEFAULT_PORTS) if parts else None
    if parts is None or netloc is None:
        return url.strip(_EDGES)
    fragment = _folded(parts.fragment, _QUERY_SAFE)
    # "#!/news/1" is a path in the costume of a fragment.
    kept = fragment if keep_fragment or fragment.startswith("!") else ""
    path = _folded_path(parts.path)
    return urlunsplit(("https", _without_www(netloc), path, _folded_query(parts.query), kept))


def host_of(url: str) -> str:
    """Host of ``url``: lower case, punycode, without ``www.`` and port; empty when there is none."""
    parts = _split(absolute_url(url) or "")
    host = _ascii_host(parts.hostname or "") if parts else None
    return _without_www(host) if host else ""


def _trimmed(text: str) -> str:
    return _BREAKS.sub("", text.strip(_EDGES))


def _joined(href: str, base_url: str) -> str:
    # Browsers read a backslash as a slash before the query, and any number of slashes as two.
    head, mark, tail = _cut_at_query(href)
    href = _SLASHED_SCHEME.sub(r"\1://", head.replace("\\", "/")) + mark + tail
    try:
        return urljoin(base_url, href)
    except ValueError:  # unbalanced brackets of an IPv6 host
        return ""


def _cut_at_query(href: str) -> tuple[str, str, str]:
    match = re.search(r"[?#]", href)
    if match is None:
        return href, "", ""
    return href[: match.start()], match.group(), href[match.end() :]


def _split(url: str) -> SplitResult | None:
    """Parts of an http(s) address with a host and without credentials."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in _WEB or not parts.hostname or "@" in parts.netloc:
        return None
    return parts


def _netloc(parts: SplitResult, *, default_ports: frozenset[int]) -> str | None:
    host = _ascii_host(parts.hostname or "")
    try:
        port = parts.port
    except ValueError:
        return None
    if host is None:
        return None
    return host if port is None or port in default_ports else f"{host}:{port}"


def _ascii_host(host: str) -> str | None:
    """Lower case, punycode (RFC 3490); ``None`` when it can be no host."""
    if ":" in host:
        return f"[{host.lower()}]"
    host = host.rstrip(".").lower()
    if len(host) > _MAX_HOST_LENGTH:
        return None
    try:
        ascii_host = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    return ascii_host if _HOST.fullmatch(ascii_host) else None


def _without_www(host: str) -> str:
    while host.startswith("www.") and "." in host[4:]:
        host = host[4:]
    return host


def _escaped(part: str, safe: str) -> str:
    return quote(_STRAY_PERCENT.sub("%25", part), safe=safe, errors="replace")


def _folded(part: str, safe: str) -> str:
    """Escapes in one spelling: unreserved characters plain, hex digits upper case (RFC 3986 §6.2.2)."""

    def spelling(match: re.Match[str]) -> str:
        character = chr(int(match.group(1), 16))
        return character if character in _UNRESERVED else match.group().upper()

    return _ESCAPE.sub(spelling, _escaped(part, safe))


def _folded_path(path: str) -> str:
    segments: list[str] = []
    for segment in _SESSION_PATH.sub("", _folded(path, _PATH_SAFE)).split("/"):
        if segment == "..":
            segments = segments[:-1] or [""]
        elif segment != ".":
            segments.append(segment)
    joined = "/".join(segments).rstrip("/")
    # A path of "//x" would be read as a host by the next reader.
    return "/" + joined.lstrip("/") if joined else ""


def _folded_query(query: str) -> str:
    pieces = (piece.replace("%20", "+") for piece in _folded(query, _QUERY_SAFE).split("&"))
    return "&".join(sorted(piece for piece in pieces if piece and not _is_tracking(piece)))


def _is_tracking(piece: str) -> bool:
    name, _, value = piece.partition("=")
    if _TRACKING.fullmatch(name):
        return True
    return name.lower() in _REFERRER_NAMES and value.lower() in _REFERRERS

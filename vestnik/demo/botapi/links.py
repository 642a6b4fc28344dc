"""Which addresses Telegram takes for links and buttons, by the rules of TDLib's ``LinkManager``.

Contains no I/O.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_OTHER_SCHEME = re.compile(r"[a-z][a-z0-9+-]*:(?![0-9])", re.IGNORECASE)
_HOST = re.compile(r"[^\s/?#@:<>\"'\\^`{|}\[\]]+")
_USER_LINK = re.compile(r"tg://user/?\?id=([0-9]{1,18})", re.IGNORECASE)


def user_of_link(address: str) -> int | None:
    """The user a ``tg://user?id=`` link mentions."""
    found = _USER_LINK.fullmatch(address.strip())
    return int(found[1]) if found else None


def checked_link(address: str) -> str | None:
    """The address as Telegram would open it, or ``None`` where it drops the link.

    http and https with a host that has a dot (or is an IP number), and Telegram's own ``tg:``.
    A bare host gets ``http://``, and an empty path a slash.
    """
    address = address.strip()
    scheme = _SCHEME.match(address)
    if scheme is None and _OTHER_SCHEME.match(address) and not address.lower().startswith("tg:"):
        return None
    name = scheme[1].lower() if scheme else "http"
    if name in ("tg", "ton", "tonsite") or address.lower().startswith("tg:"):
        return address
    if name not in ("http", "https"):
        return None
    return _checked_web_link(name, address[scheme.end() :] if scheme else address)


def _checked_web_link(scheme: str, rest: str) -> str | None:
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    is_ipv6 = host.count(":") > 1
    if not is_ipv6 and ("." not in host.strip(".") or not _HOST.fullmatch(host)):
        return None
    if any(letter.isspace() for letter in rest):
        return None
    return _printed(parts, f"[{host}]" if is_ipv6 else host, port)


def _printed(parts: SplitResult, host: str, port: int | None) -> str:
    user = parts.netloc.rpartition("@")[0]
    netloc = (f"{user}@" if user else "") + host + (f":{port}" if port else "")
    return parts._replace(netloc=netloc, path=parts.path or "/").geturl()


def is_reachable_by_telegram(address: str) -> bool:
    """Whether Telegram's servers could fetch the address: a private or loopback one they cannot."""
    host = urlsplit(address).hostname or ""
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return True

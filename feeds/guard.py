"""The address guard: which addresses our client may connect to.

Judged on the *resolved* address, each time a socket is about to be made, so that written forms
(``127.1``, ``0x7f000001``, ``①②⑦.⓪.⓪.①``), redirects and a DNS answer that changes between check and
connect all meet the same rule. ``ipaddress.is_global`` alone is no guard: it is true for NAT64, 6to4
and compat forms of 127.0.0.1 and for multicast. The only I/O here is making a socket object.
"""

from __future__ import annotations

import contextvars
import errno
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
#: What aiohttp hands to a socket factory: family, type, protocol, canonical name, socket address.
AddrInfo = tuple[
    int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[str, int] | tuple[str, int, int, int]
]

#: A feed elsewhere than on a web port is more likely a probe of some other service.
WEB_PORTS = frozenset({80, 443})
WEB_SCHEMES = frozenset({"http", "https"})

#: IPv6 is open only where IANA allocates global unicast, and through the NAT64 prefix (RFC 6052).
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
_TRANSLATED = IPv6Network("::ffff:0:0:0/96")
#: Global for older ``ipaddress`` tables, yet nobody's public web server (IANA special registries).
_NEVER = tuple(
    ip_network(each)
    for each in (
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # 6to4 relay anycast, withdrawn by RFC 7526
        "198.18.0.0/15",  # benchmarking
        "240.0.0.0/4",  # reserved
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation, RFC 9637
    )
)


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Read ``fetch.allow_private_addresses``; ``ValueError`` names the first bad CIDR."""
    return tuple(ip_network(text.strip(), strict=False) for text in texts)


def judge_address(
    address: str | Address, port: int, *, allowed: Sequence[Network] = (), ports: Iterable[int] = WEB_PORTS
) -> str | None:
    """Why we must not connect there, in words for an admin; ``None`` when we may.

    ``allowed`` networks are open on every port: own servers and tests live on odd ones.
    """
    ip = _parse_address(address)
    if ip is None:
        return f"{address} is not an IP address"
    plain = ip.ipv4_mapped or ip if isinstance(ip, IPv6Address) else ip
    if is_allowed(plain, allowed) or is_allowed(ip, allowed):
        return None
    reason = _judge_reach(plain)
    if reason is not None:
        return f"{ip} is {reason}; list its network in fetch.allow_private_addresses if it is your own server"
    if port not in ports:
        return f"port {port} is not a web port (80, 443)"
    return None


def judge_url(url: str) -> str | None:
    """Why this address can never be fetched (scheme, no host); ``None`` when it may be tried."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"not a usable address: {error}"
    if parts.scheme.lower() not in WEB_SCHEMES:
        return f"scheme {parts.scheme or '(none)'!r} is not http or https"
    if not host:
        return "the address has no host"
    return None


def is_allowed(address: str | Address, allowed: Sequence[Network]) -> bool:
    """Whether the address lies in a network the admin opened by hand."""
    ip = _parse_address(address)
    return ip is not None and any(ip in network for network in allowed if network.version == ip.version)


def _parse_address(address: str | Address) -> Address | None:
    if not isinstance(address, str):
        return address
    try:
        return ip_address(address.partition("%")[0])
    except ValueError:
        return None


def _judge_reach(ip: Address) -> str | None:
    """The kind of non-public address this is, or carries inside; ``None`` when it is public."""
    if ip.is_multicast:
        return "a multicast address"
    if ip.is_loopback or ip.is_unspecified:
        return "an address of this machine"
    if ip.is_link_local:
        return "a link-local address"
    if isinstance(ip, IPv6Address):
        return _judge_ipv6(ip)
    return None if ip.is_global and not _is_never(ip) else "a private or reserved address"


def _judge_ipv6(ip: IPv6Address) -> str | None:
    inner = _embedded(ip)
    for each in inner:
        if (reason := _judge_reach(each)) is not None:
            return f"a transition form of {each}, {reason}"
    if ip in _NAT64 or (inner and ip in _COMPATIBLE):
        return None
    if ip not in _GLOBAL_UNICAST or not ip.is_global or _is_never(ip):
        return "a private or reserved address"
    return None


def _embedded(ip: IPv6Address) -> tuple[IPv4Address, ...]:
    """IPv4 addresses that gateways may take out of this one (RFC 6052, 3056, 4380, 4291, 2765)."""
    if ip.teredo is not None:
        return ip.teredo
    found = ip.ipv4_mapped or ip.sixtofour
    if found is not None:
        return (found,)
    if any(ip in network for network in (_NAT64, _COMPATIBLE, _TRANSLATED)):
        return (IPv4Address(int(ip) & 0xFFFF_FFFF),)
    return ()


def _is_never(ip: Address) -> bool:
    return any(ip in network for network in _NEVER if network.version == ip.version)


@dataclass(slots=True)
class Sightings:
    """What the guard saw while one connection was made; filled by the socket factory."""

    #: Reasons of the addresses refused.
    refused: list[str] = field(default_factory=list)
    #: Addresses we were free to try.
    passed: list[str] = field(default_factory=list)


_sightings: contextvars.ContextVar[Sightings | None] = contextvars.ContextVar("guard_sightings", default=None)


def watch_guard() -> Sightings:
    """Collect what the guard sees in this task (and the tasks it starts) from here on."""
    sightings = Sightings()
    _sightings.set(sightings)
    return sightings


def current_sightings() -> Sightings:
    """What :func:`watch_guard` collects here; an unwatched task collects for nobody."""
    return _sightings.get() or Sightings()


def guard_sockets(
    *, allowed: Sequence[Network] = (), ports: Iterable[int] = WEB_PORTS
) -> Callable[[AddrInfo], socket.socket]:
    """Make a socket factory for aiohttp's connector that refuses forbidden addresses.

    Raises ``PermissionError`` (EACCES), which happy-eyeballs treats like any address that failed and
    goes on to the next one.
    """
    ports = frozenset(ports)

    def open_socket(info: AddrInfo) -> socket.socket:
        family, kind, protocol, _, where = info
        seen = current_sightings()
        reason = judge_address(where[0], where[1], allowed=allowed, ports=ports)
        if reason is not None:
            seen.refused.append(reason)
            raise PermissionError(errno.EACCES, reason)
        seen.passed.append(where[0])
        return socket.socket(family=family, type=kind, proto=protocol)

    return open_socket

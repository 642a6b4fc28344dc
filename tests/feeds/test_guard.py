"""No connection to an address that is not public, however it is written or reached."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import AsyncResolver, ThreadedResolver
from hypothesis import given
from hypothesis import strategies as st

from feeds.fetch import FailReason, Fetched, FetchFailed, FetchRequest
from feeds.guard import judge_address, judge_url, parse_networks
from feeds.memory import PollMemory, RedirectMemory, plan_request
from feeds.model import Validators
from feeds.robots import RobotsCache

PUBLIC = [
    "8.8.8.8",
    "93.184.216.34",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
]
FORBIDDEN = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "100.127.255.255",
    "169.254.169.254",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:100.64.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::8.8.8.8",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001:0:808:808:0:0:80ff:fffe",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    "100::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "4000::1",
    "not an address",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed_on_web_ports(address: str) -> None:
    assert judge_address(address, 443) is None
    assert judge_address(address, 80) is None


@pytest.mark.parametrize("address", PUBLIC)
@pytest.mark.parametrize("port", [0, 22, 25, 6379, 8080, 11211])
def test_other_ports_are_refused_unless_listed(address: str, port: int) -> None:
    assert "port" in (judge_address(address, port) or "")
    assert judge_address(address, port, ports={80, 443, port}) is None


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_that_is_not_public_is_refused_with_a_reason(address: str) -> None:
    assert judge_address(address, 443)


def test_a_network_opened_by_hand_is_open_on_every_port_and_nothing_else_is() -> None:
    allowed = parse_networks(["10.20.0.0/16", "fd00::/8"])
    assert judge_address("10.20.3.4", 8081, allowed=allowed) is None
    assert judge_address("::ffff:10.20.3.4", 8081, allowed=allowed) is None
    assert judge_address("fd00::5", 1, allowed=allowed) is None
    assert judge_address("10.21.0.1", 80, allowed=allowed)
    assert judge_address("64:ff9b::10.20.3.4", 80, allowed=allowed)


def test_a_bad_network_is_named() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        parse_networks(["10.0.0.0/8", "nonsense"])


PRIVATE_V4 = st.sampled_from(
    [
        ip_network(n)
        for n in ("10.0.0.0/8", "127.0.0.0/8", "192.168.0.0/16", "100.64.0.0/10", "224.0.0.0/4", "0.0.0.0/8")
    ]
).flatmap(lambda n: st.integers(int(n.network_address), int(n.broadcast_address)).map(IPv4Address))


@given(PRIVATE_V4, st.sampled_from(["::ffff:0:0", "::", "64:ff9b::", "::ffff:0:0:0", "6to4", "teredo"]))
def test_a_private_ipv4_address_is_refused_inside_every_ipv6_form(inner: IPv4Address, form: str) -> None:
    if form == "6to4":
        outer = IPv6Address((0x2002 << 112) | (int(inner) << 80) | 1)
    elif form == "teredo":
        outer = IPv6Address((0x20010000 << 96) | (0x08080808 << 64) | (int(inner) ^ 0xFFFFFFFF))
    else:
        outer = IPv6Address(int(IPv6Address(form)) | int(inner))
    assert judge_address(outer, 443)


@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_outside_global_unicast_and_transition_prefixes_no_ipv6_address_is_reached(
    address: IPv6Address,
) -> None:
    if judge_address(address, 443) is None:
        assert (
            address in ip_network("2000::/3")
            or address in ip_network("64:ff9b::/96")
            or int(address) >> 48 == 0
        )


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("ftp://example.org/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://example.org/", "scheme"),
        ("data:text/html,x", "scheme"),
        ("//example.org/", "scheme"),
        ("http:///path", "host"),
        ("http://[::1", "usable"),
        ("http://example.org:99999/", "usable"),
    ],
)
def test_only_http_and_https_with_a_host_can_be_fetched(url: str, word: str) -> None:
    assert word in (judge_url(url) or "")


WRITTEN_FORMS = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "0",
    "0.0.0.0",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "[::1]",
    "[::]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[::ffff:0:127.0.0.1]",
]


@pytest.mark.parametrize("resolver", [ThreadedResolver, AsyncResolver])
async def test_a_listener_on_loopback_sees_nothing_whatever_the_written_form(
    resolver, start_site, start_fetcher, answer
):
    site4, site6 = await start_site("127.0.0.1"), await start_site("::1")
    for site in (site4, site6):
        site.routes["/"] = answer()
    fetcher = await start_fetcher(allow_private=(), resolver=resolver())
    for form in WRITTEN_FORMS:
        for site in (site4, site6):
            outcome = await fetcher.fetch(FetchRequest(url=f"http://{form}:{site.port}/"))
            assert isinstance(outcome, FetchFailed), form
    assert (site4.connections, site6.connections) == (0, 0)


async def test_the_same_forms_do_reach_the_listener_once_loopback_is_opened(
    start_site, start_fetcher, answer
):
    """Shows that the test above could fail: the resolver really turns these into loopback."""
    site4, site6 = await start_site("127.0.0.1"), await start_site("::1")
    site4.routes["/"] = site6.routes["/"] = answer()
    fetcher = await start_fetcher(
        allow_private=("127.0.0.0/8", "::1/128", "0.0.0.0/8"), resolver=ThreadedResolver()
    )
    reaching = []
    for form in WRITTEN_FORMS:
        site = site6 if form == "[::1]" else site4
        outcome = await fetcher.fetch(FetchRequest(url=f"http://{form}:{site.port}/"))
        if isinstance(outcome, Fetched):
            reaching.append(form)
    # aiohttp itself refuses forms such as 127.1, as long as it does.
    assert {"127.0.0.1", "0x7f000001", "①②⑦.⓪.⓪.①", "127。0。0。1", "localhost", "[::1]"} <= set(reaching)
    assert site4.connections + site6.connections == len(reaching)


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]
)
@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:{port}/", "http://[::ffff:127.0.0.1]:{port}/", "//0x7f.1:{port}/"]
)
async def test_a_redirect_to_a_private_address_is_refused(status, target, start_site, start_fetcher, answer):
    secret, front = await start_site(), await start_site("127.0.0.2")
    front.routes["/"] = answer(b"", f"Location: {target.format(port=secret.port)}", status=status)
    fetcher = await start_fetcher(allow_private=("127.0.0.2/32",), resolver=ThreadedResolver())
    outcome = await fetcher.fetch(FetchRequest(url=front.url()))
    assert isinstance(outcome, FetchFailed)
    assert outcome.reason is FailReason.REFUSED_ADDRESS
    assert "fetch.allow_private_addresses" in outcome.detail
    assert (front.connections, secret.connections) == (1, 0)


class ScriptedResolver(AbstractResolver):
    """Answers each lookup with the next list of addresses."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    async def resolve(self, host, port=0, family=socket.AF_INET) -> list[ResolveResult]:
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(hostname=host, host=each, port=port, family=socket.AF_INET, proto=0, flags=0)
            for each in addresses
        ]

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("order", [["127.0.0.1", "127.0.0.2"], ["127.0.0.2", "127.0.0.1"]])
async def test_of_two_dns_answers_only_the_permitted_one_is_connected(
    order, start_site, start_fetcher, answer
):
    good = await start_site("127.0.0.2")
    good.routes["/"] = answer()
    secret = await start_site("127.0.0.1")
    fetcher = await start_fetcher(allow_private=("127.0.0.2/32",), resolver=ScriptedResolver(order))
    outcome = await fetcher.fetch(FetchRequest(url=f"http://news.example:{good.port}/"))
    assert isinstance(outcome, Fetched)
    refused = await fetcher.fetch(FetchRequest(url=f"http://news.example:{secret.port}/"))
    assert isinstance(refused, FetchFailed)
    assert secret.connections == 0


async def test_a_name_that_changes_to_loopback_after_the_first_answer_is_refused(
    start_site, start_fetcher, answer
):
    good = await start_site("127.0.0.2")
    good.routes["/"] = answer()
    resolver = ScriptedResolver(["127.0.0.2"], ["127.0.0.1"])
    outcomes = []
    for _ in range(2):
        fetcher = await start_fetcher(allow_private=("127.0.0.2/32",), resolver=resolver)
        outcomes.append(await fetcher.fetch(FetchRequest(url=f"http://rebind.example:{good.port}/")))
    assert isinstance(outcomes[0], Fetched)
    assert isinstance(outcomes[1], FetchFailed)
    assert outcomes[1].reason is FailReason.REFUSED_ADDRESS


async def test_proxies_of_the_environment_are_ignored(monkeypatch, start_site, start_fetcher, answer):
    proxy, site = await start_site(), await start_site()
    site.routes["/"] = answer()
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url())
    fetcher = await start_fetcher()
    assert isinstance(await fetcher.fetch(FetchRequest(url=site.url())), Fetched)
    assert proxy.connections == 0


async def test_robots_txt_and_remembered_redirects_pass_the_same_guard(start_site, start_fetcher, answer):
    secret = await start_site()
    secret.routes["/robots.txt"] = secret.routes["/"] = answer()
    fetcher = await start_fetcher(allow_private=())
    verdict = await RobotsCache(fetcher=fetcher, clock=fetcher.pace.clock).check(secret.url("/page"))
    assert not verdict.allowed
    memory = PollMemory(redirect=RedirectMemory(adopted=secret.url()))
    now = fetcher.pace.clock()
    request = plan_request(
        "http://a.example/", memory, Validators(), validators_url=None, failures=0, now=now
    )
    assert isinstance(await fetcher.fetch(request), FetchFailed)
    assert secret.connections == 0

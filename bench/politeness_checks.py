"""The checks of a polite reader, judged from what the servers saw."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from politeness_hosts import DOWNTIME, OUTAGE, RESTART
from politeness_world import DAY, HOUR, MINUTE, SECOND, Host, Record

#: Written answers are rounded to seconds by HTTP dates.
_SLACK = 2 * SECOND
_AGENT = "Vestnik/"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that was seen."""

    begin: datetime
    end: datetime
    hosts: Mapping[str, Host]
    #: Constant word of each source's last error, by host; empty when healthy.
    states: Mapping[str, str]
    #: Planned time of each source's next poll just before the kill.
    planned: Mapping[str, datetime]
    #: Requests that reached nobody we know, private listeners included.
    strays: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    name: str
    promise: str
    #: Yields each host judged, with what was wrong (empty: nothing).
    judge: Callable[[World], Iterator[tuple[str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    check: Check
    hosts: int
    faults: tuple[tuple[str, str], ...]


def judge_all(world: World) -> list[Verdict]:
    """Every check over every host it concerns."""
    verdicts = []
    for check in CHECKS:
        found = list(check.judge(world))
        hosts = {host for host, _ in found}
        faults = tuple((host, fault) for host, fault in found if fault)
        verdicts.append(Verdict(check=check, hosts=len(hosts), faults=faults))
    return verdicts


Judge = Callable[[World], Iterator[tuple[str, str]]]


def per_host(judge: Callable[[Host, World], Iterable[str]], *, only: Callable[[Host], bool] = bool) -> Judge:
    """Lift a check of one host (yielding faults) to the world; hosts never visited count too."""

    def judge_world(world: World) -> Iterator[tuple[str, str]]:
        for host in world.hosts.values():
            if only(host):
                yield host.name, "; ".join(list(judge(host, world))[:3])

    return judge_world


def named(*names: str) -> Callable[[Host], bool]:
    return lambda host: host.name.removesuffix(".example") in names


def say(when: datetime, world: World) -> str:
    return f"day {(when - world.begin) / DAY:.3f}"


def sources_of(host: Host) -> dict[str, list[Record]]:
    """Visits by path, robots.txt aside: each path is one source or one hop."""
    paths: dict[str, list[Record]] = {}
    for record in host.records:
        if record.visit.path != "/robots.txt":
            paths.setdefault(record.visit.path, []).append(record)
    return paths


def first_conditional(host: Host, world: World) -> Iterator[str]:
    planned = 5 if host.name.startswith("future-date") else 0
    for records in sources_of(host).values():
        known, plain = False, 0
        for record in records:
            plain += known and record.visit.conditions == (None, None)
            known = known or (record.answer.validators or (None, None)) != (None, None)
        if plain > planned:
            yield f"{plain} unconditional requests after the first answer"


def validators_exact(host: Host, world: World) -> Iterator[str]:
    # On the way of a redirect the validators of the last hop are the host's latest.
    groups = [host.records] if _HOPS(host) else sources_of(host).values()
    for records in groups:
        expected: tuple[str | None, str | None] = (None, None)
        for record in records:
            sent = record.visit.conditions
            if sent not in (expected, (None, None)):
                yield f"{say(record.visit.at, world)}: sent {sent}, not {expected}"
            if record.answer.validators is not None:
                expected = record.answer.validators


def rare_refetch(host: Host, world: World) -> Iterator[str]:
    plain = [r.visit.at for r in host.records if r.visit.conditions == (None, None)]
    if len(plain) < 3:
        yield "a validator from 2041 was believed for ever"
    yield from (f"{b - a} between unconditional requests" for a, b in pairwise(plain) if b - a < 7 * DAY)


def floor_of(host: Host, record: Record) -> timedelta:
    """The least distance to the next poll of the same source, by the answer it got."""
    if host.interval is not None:
        return host.interval
    useful = record.answer.status == 200 and record.answer.validators in (None, (None, None))
    return DAY if useful and not host.ends_as else HOUR


def kept_pace(host: Host, world: World) -> Iterator[str]:
    for path, records in sources_of(host).items():
        for a, b in pairwise(records):
            if b.visit.at - a.visit.at < floor_of(host, a):
                yield f"{say(b.visit.at, world)} {path}: {b.visit.at - a.visit.at} after the last poll"


def kept_freshness(host: Host, world: World) -> Iterator[str]:
    for records in sources_of(host).values():
        for a, b in pairwise(records):
            if b.visit.at < a.visit.at + a.answer.fresh - _SLACK:
                yield f"{say(b.visit.at, world)}: {b.visit.at - a.visit.at}, promised {a.answer.fresh}"


def kept_retry_after(host: Host, world: World) -> Iterator[str]:
    until = world.begin
    for record in host.records:
        if record.visit.at < until - _SLACK:
            yield f"{say(record.visit.at, world)}: {until - record.visit.at} too early"
        until = max(until, record.visit.at + record.answer.retry)


def came_back(host: Host, world: World) -> Iterator[str]:
    last = host.polls()[-1:]
    if not last or last[0].visit.at < world.end - 9 * DAY:
        yield "never asked again"


def first_add(host: Host, world: World) -> Iterator[str]:
    day = [r for r in host.records if r.visit.at < world.begin + 10 * MINUTE]
    pages = sum(r.visit.path == host.path.partition("#")[0] for r in day)
    robots = sum(r.visit.path == "/robots.txt" for r in day)
    if pages > 1 or robots > (host.kind == "list"):
        yield f"{pages} requests for the source, {robots} for robots.txt in the first ten minutes"


_EXPECTED_HEADERS = {"host", "user-agent", "accept", "accept-encoding", "if-none-match", "if-modified-since"}


def no_noise(host: Host, world: World) -> Iterator[str]:
    for record in host.records:
        extra = record.visit.headers.keys() - _EXPECTED_HEADERS
        if extra:
            yield f"sends {sorted(extra)}"


def exact_address(host: Host, world: World) -> Iterator[str]:
    wanted = {host.path.partition("#")[0], *host.more_paths, "/robots.txt"}
    locations = {v for r in host.records for k, v in r.answer.headers if k == "Location"}
    wanted |= {
        "/" + each.partition("//")[2].partition("/")[2] if "//" in each else each for each in locations
    }
    if host.name == "both.example":
        wanted.add("/other.xml")
    guessed = {r.visit.path for r in host.records} - wanted
    if guessed:
        yield f"asked for {sorted(guessed)[:3]}"


def honest_agent(host: Host, world: World) -> Iterator[str]:
    agents = {r.visit.headers.get("user-agent", "") for r in host.records}
    if any(not a.startswith(_AGENT) or "+http" not in a or "Mozilla" in a for a in agents):
        yield f"{sorted(agents)}"


def transfer(host: Host, world: World) -> Iterator[str]:
    for record in host.records:
        if "gzip" not in record.visit.headers.get("accept-encoding", "") or "range" in record.visit.headers:
            yield "no gzip, or a Range"


def remembers_move(host: Host, world: World) -> Iterator[str]:
    moved = [r for r in host.polls() if r.answer.status in (301, 308)]
    if not moved:
        yield "was never asked"
    if len(moved) > 10 or (moved and moved[-1].visit.at > world.end - 7 * DAY):
        yield f"the old address was asked {len(moved)} times, last on {say(moved[-1].visit.at, world)}"


def not_remembered(host: Host, world: World) -> Iterator[str]:
    direct = [r for r in host.records if r.visit.path == "/mirror.xml"]
    if len(direct) != len(host.polls()) or len(direct) < 20:
        yield f"{len(direct)} visits to the mirror, {len(host.polls())} to the address"


def stopped_early(host: Host, world: World) -> Iterator[str]:
    polls = max(len(host.polls()), 1)
    if len(host.records) > 6 * polls:
        yield f"{len(host.records)} requests in {polls} polls"


def never_reached(world: World) -> Iterator[tuple[str, str]]:
    yield "private listeners", "; ".join(world.strays[:3])


def stays_gone(host: Host, world: World) -> Iterator[str]:
    gone = [r.visit.at for r in host.records if r.answer.status == 410]
    if not gone:
        yield "was never asked"
    yield from (f"asked again after {b - a}" for a, b in pairwise(gone) if b - a < 30 * DAY)


def backs_off(host: Host, world: World) -> Iterator[str]:
    bad = [r.visit.at for r in host.polls() if r.answer.status >= 400 and not _in_outage(r.visit.at, world)]
    gaps = [b - a for a, b in pairwise(bad) if b - a < 3 * DAY]
    if any(later < 0.9 * earlier for earlier, later in pairwise(gaps)):
        yield f"distances shrink: {[str(g) for g in gaps[:6]]}"
    if len(bad) > 45:
        yield f"{len(bad)} polls of a failing source"


def _in_outage(when: datetime, world: World) -> bool:
    return world.begin + OUTAGE[0] <= when < world.begin + OUTAGE[1] + DAY


def recovers(host: Host, world: World) -> Iterator[str]:
    bad = [r for r in host.polls() if r.answer.status >= 400]
    good = [r for r in host.polls() if r.answer.status < 400 and r.visit.at > bad[-1].visit.at] if bad else []
    if not good or good[0].visit.at - bad[-1].visit.at > 26 * HOUR:
        yield "not found again within a day"


def no_drift(host: Host, world: World) -> Iterator[str]:
    visits = [r.visit.at for r in host.polls()]
    gaps = [
        b - a
        for a, b in pairwise(visits)
        if not (_in_outage(a, world) or _in_outage(b, world)) and not _over_restart(a, b, world)
    ]
    if not gaps or max(gaps) > 1.2 * min(gaps):
        yield f"from {min(gaps, default='-')} to {max(gaps, default='-')}"


def _over_restart(a: datetime, b: datetime, world: World) -> bool:
    return a <= world.begin + RESTART + DOWNTIME and b >= world.begin + RESTART


def no_early_start(host: Host, world: World) -> Iterator[str]:
    planned = world.planned.get(host.name)
    after = [r.visit.at for r in host.polls() if r.visit.at >= world.begin + RESTART + DOWNTIME]
    if planned and after and after[0] < planned:
        yield f"asked {planned - after[0]} early after the restart"


def one_by_one(host: Host, world: World) -> Iterator[str]:
    most = max((r.visit.parallel for r in host.records), default=0)
    if most > 2:
        yield f"{most} requests at once"
    starts = sorted(r.visit.at for r in host.records)
    tight = [b - a for a, b in pairwise(starts) if b - a < 0.99 * SECOND]
    if tight:
        yield f"{len(tight)} starts less than a second apart"


def ttl_heard(host: Host, world: World) -> Iterator[str]:
    gaps = sorted(b.visit.at - a.visit.at for a, b in pairwise(host.polls()))
    least = 3 * HOUR if host.name.startswith("ttl-3h") else 6 * HOUR
    if not gaps or gaps[0] < least:
        yield f"polled after {gaps[0] if gaps else '-'}"
    if gaps and median(gaps) > 13 * HOUR:
        yield f"a hint taken literally: {median(gaps)}"


def skips(host: Host, world: World) -> Iterator[str]:
    late = host.polls()[1:]
    bad = [r for r in late if (r.visit.at.hour < 6 if "hours" in host.name else r.visit.at.weekday() == 6)]
    if bad or len(late) < 100:
        yield f"{len(bad)} polls in skipped times of {len(late)}"


def honours_interval(host: Host, world: World) -> Iterator[str]:
    gaps = [b.visit.at - a.visit.at for a, b in pairwise(host.polls())]
    wanted = max(
        host.interval or timedelta(0), max((r.answer.fresh for r in host.polls()), default=timedelta(0))
    )
    if not gaps or not wanted <= median(gaps) <= 1.1 * wanted:
        yield f"asked for {wanted}, got {median(gaps) if gaps else '-'}"


def adapts(host: Host, world: World) -> Iterator[str]:
    gaps = [b.visit.at - a.visit.at for a, b in pairwise(host.polls())]
    low, high = {"busy": (60, 70), "static": (1400, 1560), "both": (60, 730)}[
        host.name.removesuffix(".example")
    ]
    if not gaps or not low * MINUTE <= median(gaps) <= high * MINUTE:
        yield f"polled every {median(gaps) if gaps else '-'}"


def robots_seldom(host: Host, world: World) -> Iterator[str]:
    asked = [r.visit.at for r in host.records if r.visit.path == "/robots.txt"]
    least = HOUR if host.name.startswith("page-trouble") else DAY
    if host.kind == "list" and not asked:
        yield "never asked for robots.txt"
    if host.kind != "list" and asked:
        yield "asked for robots.txt of a feed"
    # A restart may forget the copy: one more request.
    if sum(b - a < least for a, b in pairwise(asked)) > 1:
        yield "robots.txt asked for too often"


def robots_obeyed(host: Host, world: World) -> Iterator[str]:
    pages = len(host.records) - sum(r.visit.path == "/robots.txt" for r in host.records)
    if host.ends_as == "robots" and pages:
        yield f"{pages} requests for forbidden pages"
    if not host.ends_as and pages < 10:
        yield f"only {pages} requests for allowed pages"


def forgives_outage(host: Host, world: World) -> Iterator[str]:
    over = world.begin + OUTAGE[1]
    before = [r.visit.at for r in host.polls() if r.visit.at < world.begin + OUTAGE[0]]
    after = [r.visit.at for r in host.polls() if r.visit.at >= over]
    if not before or not after:
        yield "not asked before or after"
    elif after[0] - over > max(20 * MINUTE, before[-1] - before[-2]):
        yield f"found again only {after[0] - over} after the outage"


def state_named(host: Host, world: World) -> Iterator[str]:
    found = world.states.get(host.name, "(no state)")
    if found != host.ends_as:
        yield f"state says {found or 'healthy'!r}, not {host.ends_as or 'healthy'!r}"


_TEMPORARY = named("retry-seconds", "retry-date", "retry-garbage", "retry-none", "retry-max-age", "shared")
_MOVED = named("moved-chain", "moved-308", "moved-late", "to-other")
#: Hosts whose redirects make several requests per poll on purpose.
_HOPS = named("moved-chain", "moved-308", "moved-late", "mirror-302", "mirror-307", "loop", "endless")


def _any(_host: Host) -> bool:
    return True


def _throttles(host: Host) -> bool:
    return any(r.answer.retry for r in host.records)


def _is_fresh(host: Host) -> bool:
    return any(r.answer.fresh for r in host.records)


CHECKS = (
    Check(
        name="conditional",
        promise="only the first request is unconditional",
        judge=per_host(first_conditional),
    ),
    Check(
        name="validators",
        promise="byte-exact, fresh from each 200 and 304, never mixed",
        judge=per_host(validators_exact),
    ),
    Check(
        name="forced refetch",
        promise="a validator from 2041 is not believed for ever",
        judge=per_host(rare_refetch, only=named("future-date")),
    ),
    Check(
        name="pace",
        promise=">= 60 min with validators, >= 24 h without, or as configured",
        judge=per_host(kept_pace),
    ),
    Check(
        name="max-age, Expires",
        promise="no request before it runs out; after 200, 304, 429",
        judge=per_host(kept_freshness, only=_is_fresh),
    ),
    Check(
        name="bounds",
        promise="a max-age of a year is capped",
        judge=per_host(came_back, only=named("max-age-1y")),
    ),
    Check(
        name="Retry-After",
        promise="obeyed on 429 and 503, for the whole host",
        judge=per_host(kept_retry_after, only=_throttles),
    ),
    Check(name="first add", promise="one request, not two", judge=per_host(first_add)),
    Check(name="no noise", promise="no cookies, Referer or other headers", judge=per_host(no_noise)),
    Check(
        name="address",
        promise="exact, no fragment, no guesses",
        judge=per_host(exact_address, only=lambda h: not named("endless")(h)),
    ),
    Check(name="User-Agent", promise="name, version, contact", judge=per_host(honest_agent)),
    Check(name="transfer", promise="gzip offered, no Range", judge=per_host(transfer)),
    Check(
        name="moved",
        promise="301/308 remembered after some sightings",
        judge=per_host(remembers_move, only=_MOVED),
    ),
    Check(
        name="mirrored",
        promise="302/307 not remembered",
        judge=per_host(not_remembered, only=named("mirror-302", "mirror-307")),
    ),
    Check(
        name="loops",
        promise="stopped within the limit",
        judge=per_host(stopped_early, only=named("loop", "endless")),
    ),
    Check(name="private", promise="no connection to private addresses", judge=never_reached),
    Check(
        name="gone", promise="410 stops polling", judge=per_host(stays_gone, only=named("gone", "gone-later"))
    ),
    Check(
        name="back-off",
        promise="failing sources are asked ever more seldom",
        judge=per_host(
            backs_off, only=named("lost", "forbidden", "ill-for-ever", "challenge", "lost-and-back")
        ),
    ),
    Check(
        name="recovery",
        promise="found again within a day",
        judge=per_host(recovers, only=lambda h: _TEMPORARY(h) or named("lost-and-back", "ill")(h)),
    ),
    Check(
        name="clock",
        promise="jitter, no drift",
        judge=per_host(no_drift, only=named("busy", "weak-etag", "no-validators", "interval")),
    ),
    Check(name="restart", promise="kill -9 causes no early poll", judge=per_host(no_early_start)),
    Check(name="per host", promise="<= 2 at once, a second between starts", judge=per_host(one_by_one)),
    Check(
        name="ttl", promise="a hint with bounds", judge=per_host(ttl_heard, only=named("ttl-3h", "ttl-30d"))
    ),
    Check(
        name="skipHours, skipDays",
        promise="left out",
        judge=per_host(skips, only=named("skip-hours", "skip-days")),
    ),
    Check(
        name="interval",
        promise="configured intervals honoured, server's wishes above them",
        judge=per_host(honours_interval, only=lambda h: h.interval is not None),
    ),
    Check(
        name="adaptive",
        promise="busy sources hourly, silent ones daily",
        judge=per_host(adapts, only=named("busy", "static", "both")),
    ),
    Check(name="robots.txt", promise="for pages only, once a day", judge=per_host(robots_seldom)),
    Check(
        name="robots obeyed",
        promise="forbidden pages never asked for",
        judge=per_host(robots_obeyed, only=lambda h: h.kind == "list"),
    ),
    Check(
        name="own outage",
        promise="our network down punishes nobody",
        judge=per_host(
            forgives_outage, only=named("busy", "both", "etag-only", "interval", "packed", "cookies")
        ),
    ),
    Check(
        name="named states",
        promise="each trouble has its own name, each recovery clears it",
        judge=per_host(state_named, only=lambda h: not _TEMPORARY(h)),
    ),
)

"""What each host may expect of a polite reader, judged from what it saw; yields faults in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from politeness_hosts import DOWNTIME, OUTAGE, RESTART
from politeness_world import DAY, HOUR, MINUTE, SECOND, Host, Record, World

#: Written answers are rounded to seconds by HTTP dates.
_SLACK = 2 * SECOND
_AGENT = "Vestnik/"


def named(*names: str) -> Callable[[Host], bool]:
    return lambda host: host.name.removesuffix(".example") in names


#: Hosts whose redirects make several requests per poll on purpose.
_HOPS = named("moved-chain", "moved-308", "moved-late", "mirror-302", "mirror-307", "loop", "endless")


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

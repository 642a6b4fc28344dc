"""The checks of a polite reader, one line each, and how they came out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from politeness_judges import (
    adapts,
    backs_off,
    came_back,
    exact_address,
    first_add,
    first_conditional,
    forgives_outage,
    honest_agent,
    honours_interval,
    kept_freshness,
    kept_pace,
    kept_retry_after,
    named,
    never_reached,
    no_drift,
    no_early_start,
    no_noise,
    not_remembered,
    one_by_one,
    rare_refetch,
    recovers,
    remembers_move,
    robots_obeyed,
    robots_seldom,
    skips,
    state_named,
    stays_gone,
    stopped_early,
    transfer,
    ttl_heard,
    validators_exact,
)
from politeness_world import Host, World


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


_TEMPORARY = named("retry-seconds", "retry-date", "retry-garbage", "retry-none", "retry-max-age", "shared")
_MOVED = named("moved-chain", "moved-308", "moved-late", "to-other")


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

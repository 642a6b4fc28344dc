"""Reading ``config.yaml``: every mistake at once, with file, line, key and the nearest right key."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import SettingsError

from feeds.model import LanguageCode, NetworkId, RegionCode, Source, SourceId
from feeds.networks import Network, Networks, Relevance
from feeds.regions import Catalogue, load_catalogue
from vestnik.settings import NetworkSettings, RelevanceSettings, Settings, SourceSettings

#: Names the configuration file when no ``--config`` is given.
CONFIG_VARIABLE = "VESTNIK_CONFIG"
#: Words at a network's place in addresses: ``/feeds/en/all.rss``, ``/en/items/1``.
_RESERVED = ("all", "items")
_ENV_PREFIX = "VESTNIK_"
_ENV_IGNORED = {CONFIG_VARIABLE, "VESTNIK_CORPORA"}

Path_ = tuple[str | int, ...]


class ConfigError(Exception):
    """The configuration can't be used; ``problems`` are whole sentences, one per mistake."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Settings, checked, with what is made of them."""

    path: Path
    settings: Settings
    catalogue: Catalogue
    networks: Networks
    sources: tuple[Source, ...]

    @property
    def token(self) -> str:
        """The bot's token, from the environment, its file or the settings; empty when there is none."""
        return self.settings.telegram.token.get_secret_value()


def find_config(given: Path | None) -> Path:
    """The file to read: ``--config``, then ``$VESTNIK_CONFIG``, ``./config.yaml``, the built-in one."""
    if given is not None:
        return given
    if named := os.environ.get(CONFIG_VARIABLE):
        return Path(named)
    here = Path("config.yaml")
    return here if here.exists() else default_config()


def default_config() -> Path:
    """The configuration that ships: inside the wheel, or at the top of a checkout."""
    packed = Path(__file__).with_name("config.default.yaml")
    return packed if packed.exists() else Path(__file__).parent.parent / "config.yaml"


def load_config(path: Path, *, environment: Mapping[str, str] = os.environ) -> Configuration:
    """Read, merge with the environment and check. Raises :class:`ConfigError` with every problem found."""
    data, lines = _read_yaml(path)
    problems = list(_unknown_variables(environment))
    try:
        settings = Settings(**_with_secret_files(data, environment))
    except ValidationError as error:
        problems += [_explain(each, path, lines) for each in error.errors()]
        raise ConfigError(problems) from error
    except (SettingsError, TypeError) as error:
        raise ConfigError(
            [*problems, f"environment: {error}. Lists are written as JSON or with commas."]
        ) from error
    catalogue = load_catalogue()
    problems += _check_references(settings, catalogue, path, lines)
    if problems:
        raise ConfigError(problems)
    return Configuration(
        path=path,
        settings=settings,
        catalogue=catalogue,
        networks=_networks(settings, catalogue),
        sources=tuple(to_source(each) for each in settings.sources),
    )


def to_source(settings: SourceSettings) -> Source:
    """The news floor's own type for a configured source."""
    return Source(
        id=SourceId(settings.id),
        url=settings.url,
        kind=settings.kind,
        title=settings.title,
        language=LanguageCode(settings.language) if settings.language else None,
        network=NetworkId(settings.network) if settings.network else None,
        region=RegionCode(settings.region) if settings.region else None,
        timezone=settings.timezone,
        interval=settings.interval,
        enabled=settings.enabled,
        sections={heading: NetworkId(network) for heading, network in settings.sections.items()},
        selectors=settings.selectors.to_model(),
    )


def _networks(settings: Settings, catalogue: Catalogue) -> Networks:
    networks = {}
    for each in settings.networks:
        codes = tuple(dict.fromkeys(code for name in each.regions for code in catalogue.expand(name)))
        networks[NetworkId(each.id)] = Network(
            id=NetworkId(each.id),
            titles={LanguageCode(language): text for language, text in each.title.items()},
            regions=codes,
            headings=each.headings,
            relevance=_relevance(each.relevance),
        )
    return Networks(catalogue=catalogue, networks=networks)


def _relevance(settings: RelevanceSettings) -> Relevance:
    codes = {name: tuple(RegionCode(c) for c in getattr(settings, name)) for name in ("namesakes", "home")}
    return Relevance(**settings.model_dump() | codes)


# --- reading ---------------------------------------------------------------------------------


def _read_yaml(path: Path) -> tuple[dict[str, Any], dict[Path_, int]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError([f"{path}: can't be read: {reason}. Give the right file with --config."]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: is not UTF-8 (byte {error.start}). Save it as UTF-8."]) from error
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text) or {}
        twice = [f"{path}:{line}: {key} stands twice; keep one." for key, line in _doubles(root)]
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError([f"{path}:{line}: is no YAML: {error.problem or error.context}."]) from error
    except yaml.YAMLError as error:
        raise ConfigError([f"{path}: is no YAML: {error}."]) from error
    except RecursionError as error:
        raise ConfigError([f"{path}: refers to itself (& and *), without end."]) from error
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise ConfigError([f"{path}:1: must be sections such as 'storage:' and 'sources:'."])
    if twice:
        raise ConfigError(twice)
    return data, dict(_lines(root))


def _lines(node: yaml.Node | None, at: Path_ = ()) -> Iterator[tuple[Path_, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*at, key.value)
            yield here, key.start_mark.line + 1
            yield from _lines(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield (*at, number), value.start_mark.line + 1
            yield from _lines(value, (*at, number))


def _doubles(node: yaml.Node | None, at: str = "") -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            name = f"{at}{key.value}"
            if key.value in seen:
                yield name, key.start_mark.line + 1
            seen.add(key.value)
            yield from _doubles(value, f"{name}.")
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _doubles(value, at)


def _with_secret_files(data: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Read ``telegram.token_file``; the token itself, in environment or file, wins."""
    telegram = data.get("telegram")
    telegram = dict(telegram) if isinstance(telegram, dict) else {}
    file = environment.get(f"{_ENV_PREFIX}TELEGRAM__TOKEN_FILE") or telegram.get("token_file")
    if not file or telegram.get("token"):
        return data
    try:
        token = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError([f"telegram.token_file {file}: can't be read: {reason}."]) from error
    return data | {"telegram": telegram | {"token": SecretStr(token)}}


# --- explaining ------------------------------------------------------------------------------


#: Kinds of mistakes that pydantic tells in a programmer's words.
_WORDS = dict.fromkeys(("tuple_type", "list_type"), "must be a list: [a, b], or one '- …' a line")
_WORDS |= dict.fromkeys(("model_type", "dict_type"), "must have keys of its own below it")
_WORDS |= dict.fromkeys(("int_parsing", "int_type", "int_from_float"), "must be a whole number")
_WORDS |= dict.fromkeys(("float_parsing", "float_type"), "must be a number")
_WORDS |= dict.fromkeys(("bool_parsing", "bool_type"), "must be true or false")
_WORDS |= dict.fromkeys(("string_type",), "must be a text; put it in quotes")
_WORDS |= {
    "too_short": "must name at least one",
    "string_pattern_mismatch": "must be made of letters, digits and . _ - and begin with a letter or digit",
}


def _explain(error: Any, path: Path, lines: Mapping[Path_, int]) -> str:
    location: Path_ = tuple(error["loc"])
    key = _dotted(location)
    where = _where(location, path, lines)
    if error["type"] == "extra_forbidden":
        near = _nearest(str(location[-1]), _keys_at(location[:-1]))
        return f"{where}: unknown key {key}.{f' Did you mean {near}?' if near else ''}"
    if error["type"] == "missing":
        return f"{where}: {key} is missing."
    message = _WORDS.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ").rstrip(".")
    given = error.get("input")
    shown = (
        f" (got {given!r})"
        if isinstance(given, str | int | float | bool) and repr(given) not in message
        else ""
    )
    if "token" in key or "secret" in key or "@" in shown:
        shown = ""  # secrets, and addresses that may hold a password
    return f"{where}: {key}: {message}{shown}." if key else f"{where}: {message}."


def _where(location: Path_, path: Path, lines: Mapping[Path_, int]) -> str:
    variable = _ENV_PREFIX + "__".join(str(part).upper() for part in location)
    if variable in os.environ:
        return f"environment {variable}"
    for length in range(len(location), 0, -1):
        if location[:length] in lines:
            return f"{path}:{lines[location[:length]]}"
    return f"{path}"


def _dotted(location: Path_) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _keys_at(location: Path_) -> list[str]:
    model: Any = Settings
    for part in location:
        if isinstance(part, int):
            continue
        field = (
            model.model_fields.get(part) if isinstance(model, type) and issubclass(model, BaseModel) else None
        )
        if field is None:
            return []
        model = _model_inside(field.annotation)
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []


def _model_inside(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        found = _model_inside(inner)
        if found is not None:
            return found
    return None


def _nearest(word: str, words: Sequence[str]) -> str | None:
    found = difflib.get_close_matches(word, words, n=1, cutoff=0.5)
    return found[0] if found else None


def _unknown_variables(environment: Mapping[str, str]) -> Iterator[str]:
    sections = [name.upper() for name in Settings.model_fields]
    for variable in environment:
        if not variable.startswith(_ENV_PREFIX) or variable in _ENV_IGNORED:
            continue
        section = variable.removeprefix(_ENV_PREFIX).split("__")[0].upper()
        if section not in sections:
            near = _nearest(section, sections)
            hint = f" Did you mean {_ENV_PREFIX}{near}__…?" if near else ""
            yield f"environment {variable}: there is no section {section.lower()}.{hint}"


def _check_references(
    settings: Settings, catalogue: Catalogue, path: Path, lines: Mapping[Path_, int]
) -> list[str]:
    """Names that must exist elsewhere: regions in the catalogue, networks, unique ids."""
    problems: list[str] = []

    def problem(location: Path_, text: str) -> None:
        problems.append(f"{_where(location, path, lines)}: {_dotted(location)}: {text}")

    known = [*catalogue.regions, *catalogue.districts, "RU", "countries"]
    networks = [each.id for each in settings.networks]
    for n, network in enumerate(settings.networks):
        if network.id in _RESERVED or networks.index(network.id) != n:
            problem(("networks", n, "id"), f"{network.id!r} is taken; every network needs its own id.")
        for location, name in _unknown_places(network, known, catalogue):
            problem(("networks", n, *location), f"no region or group {name!r}.{_hint(name, known)}")
    seen: set[str] = set()
    for n, source in enumerate(settings.sources):
        if source.id in seen:
            problem(("sources", n, "id"), f"{source.id!r} is taken; every source needs its own id.")
        seen.add(source.id)
        if source.region is not None and RegionCode(source.region) not in catalogue.regions:
            problem(("sources", n, "region"), f"no region {source.region!r}.{_hint(source.region, known)}")
        named = [(("network",), source.network), *((("sections", h), w) for h, w in source.sections.items())]
        for key, wanted in named:
            if wanted is not None and wanted not in networks:
                problem(("sources", n, *key), f"no network {wanted!r}.{_hint(wanted, networks)}")
    return problems


def _unknown_places(
    network: NetworkSettings, known: Sequence[str], catalogue: Catalogue
) -> Iterator[tuple[Path_, str]]:
    for n, name in enumerate(network.regions):
        if name not in known:
            yield ("regions", n), name
    for key in ("namesakes", "home"):
        for n, name in enumerate(getattr(network.relevance, key)):
            if RegionCode(name) not in catalogue.regions:
                yield ("relevance", key, n), name


def _hint(word: str, words: Sequence[str]) -> str:
    near = _nearest(word, words)
    return f" Did you mean {near}?" if near else ""

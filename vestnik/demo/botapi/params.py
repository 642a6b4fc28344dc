"""From the wire to checked values: form, JSON and multipart bodies against the method table.

The real server ignores parameters it does not know, which hides spelling mistakes; here each one
is a :class:`Complaint`, and in strict mode an answer 400. Contains no I/O.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from .errors import ApiError, bad_request
from .methods import MARKUP_KINDS, OBJECTS, fields_of, parameters_of, words

_INTEGER = re.compile(r"-?[0-9]{1,19}")
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file sent along in a multipart body."""

    name: str
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One thing the documentation does not allow."""

    kind: str
    detail: str


class _Mistyped(Exception):
    """A value that is not of its documented type."""


def read_body(body: bytes, content_type: str) -> dict[str, Any]:
    """The parameters of a form or JSON body. Raises :class:`ApiError` for JSON that is none."""
    if not body:
        return {}
    if content_type.startswith("application/json"):
        try:
            found = json.loads(body)
        except ValueError as error:
            raise bad_request("can't parse JSON: " + str(error)) from error
        if not isinstance(found, dict):
            raise bad_request("can't parse JSON: an object expected")
        return found
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def read_parameters(method: str, raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[Complaint]]:
    """Typed values of a call, and what the documentation does not allow about it.

    Unknown and mistyped parameters are left out of the values; missing ones are left to the
    method, which has the server's own words for most of them.
    """
    known = parameters_of(method)
    values: dict[str, Any] = {}
    complaints: list[Complaint] = []
    for name, value in raw.items():
        parameter = known.get(name)
        if parameter is None:
            if isinstance(value, Upload):
                values[name] = value  # the part an attach:// address points at
            else:
                complaints.append(
                    Complaint(kind="unknown_parameter", detail=f'"{name}" is no parameter of {method}')
                )
            continue
        try:
            values[name] = _read_value(parameter.type, value, at=name)
        except _Mistyped as error:
            complaints.append(Complaint(kind="mistyped_parameter", detail=f"{method}: {error}"))
    for name, value in list(values.items()):
        if isinstance(value, str) and value.startswith("attach://"):
            values[name] = raw.get(value.removeprefix("attach://"), value)
    missing = [p.name for p in known.values() if p.required and p.name not in raw]
    complaints += [Complaint(kind="missing_parameter", detail=f'{method} needs "{name}"') for name in missing]
    return values, complaints


#: Missing, these have the server's own words; the method itself says them.
_SAID_BY_METHOD = words(
    "chat_id from_chat_id text photo document media action message_id callback_query_id inline_query_id name "
    "rich_message user_id file_id"
)


def strict_answer(complaints: list[Complaint]) -> ApiError | None:
    """What strict mode answers to the first thing the real server would let pass."""
    for complaint in complaints:
        said = complaint.kind == "missing_parameter" and complaint.detail.split('"')[1] in _SAID_BY_METHOD
        if not said:
            return bad_request(f"STRICT: {complaint.detail}")
    return None


def _read_value(kind: str, value: Any, *, at: str) -> Any:
    """A top-level value: forms say everything as text, and JSON bodies may do so too."""
    if kind == "str":
        return _read_text(value, at=at)
    if kind in ("int", "bool", "chat"):
        return _read_scalar(kind, value, at=at)
    if kind == "file":
        return value if isinstance(value, Upload) else _read_text(value, at=at)
    if isinstance(value, str):
        if not value:  # an empty object parameter counts as not given
            return None
        try:
            value = json.loads(value)
        except ValueError as error:
            raise _Mistyped(f'"{at}" is no JSON: {error}') from error
    check_value(kind, value, at=at)
    return value


def _read_text(value: Any, *, at: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):  # the server prints JSON numbers back into text
        return json.dumps(value)
    raise _Mistyped(f'"{at}" must be text, not {type(value).__name__}')


def _read_scalar(kind: str, value: Any, *, at: str) -> int | bool | str:
    if kind == "bool":
        if isinstance(value, bool):
            return value
        found = _BOOLEANS.get(str(value).lower())
        if found is None:
            raise _Mistyped(f'"{at}" must be true or false, not {value!r}')
        return found
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if _INTEGER.fullmatch(text):
        return int(text)
    if kind == "chat" and text.startswith("@"):
        return text
    raise _Mistyped(f'"{at}" must be a number, not {value!r}')


def check_value(kind: str, value: Any, *, at: str) -> None:
    """Check a value inside JSON; raises for the first thing that is not as documented."""
    if kind.startswith("["):
        if not isinstance(value, list):
            raise _Mistyped(f'"{at}" must be a list, not {type(value).__name__}')
        for index, member in enumerate(value):
            check_value(kind[1:-1], member, at=f"{at}[{index}]")
    elif kind == "ReplyMarkup":
        _check_markup(value, at=at)
    elif kind in OBJECTS:
        _check_object(kind, value, at=at)
    elif not _is_plain(kind, value):
        raise _Mistyped(f'"{at}" must be {kind}, not {value!r}')


def _check_markup(value: Any, *, at: str) -> None:
    kinds = [MARKUP_KINDS[name] for name in MARKUP_KINDS if isinstance(value, dict) and name in value]
    if len(kinds) != 1:
        raise _Mistyped(f'"{at}" is no keyboard: {value!r}')
    _check_object(kinds[0], value, at=at)


def _check_object(kind: str, value: Any, *, at: str) -> None:
    if not isinstance(value, dict):
        raise _Mistyped(f'"{at}" must be {kind}, not {type(value).__name__}')
    fields = fields_of(kind)
    for name, member in value.items():
        if name not in fields:
            raise _Mistyped(f'"{at}": {kind} has no field "{name}"')
        check_value(fields[name].type, member, at=f"{at}.{name}")
    for field in fields.values():
        if field.required and field.name not in value:
            raise _Mistyped(f'"{at}": {kind} needs "{field.name}"')


def _is_plain(kind: str, value: Any) -> bool:
    if kind == "bool":
        return isinstance(value, bool)
    if kind == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "str":
        return isinstance(value, str)
    if kind == "chat":
        return (isinstance(value, int) and not isinstance(value, bool)) or isinstance(value, str)
    return isinstance(value, dict)

"""The method table against the client library's own signatures: two independent sources must agree."""

import inspect
import re

import pytest
from telegram import Bot

from vestnik.demo.botapi.methods import KNOWN_ONLY, METHODS, OBJECTS, method_name, parameters_of

#: What the library adds for itself or turns into something else before sending.
OWN = {
    "self", "read_timeout", "write_timeout", "connect_timeout", "pool_timeout", "api_kwargs", "filename",
    "reply_to_message_id", "allow_sending_without_reply", "disable_web_page_preview",
    "current_offset", "auto_pagination",
    # albums and inline answers: conveniences of the library
    "caption", "parse_mode", "caption_entities",
}  # fmt: skip


def _snake(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


@pytest.mark.parametrize("method", sorted(name for name in METHODS if hasattr(Bot, _snake(name))))
def test_every_parameter_the_library_sends_is_in_the_table(method):
    signature = inspect.signature(getattr(Bot, _snake(method)))
    theirs = {name for name in signature.parameters if name not in OWN}
    if method == "setMyDefaultAdministratorRights":
        theirs.discard("rights")
    assert theirs <= set(parameters_of(method))


def test_every_required_parameter_of_the_table_is_required_by_the_library():
    lenient = {"editMessageMedia", "sendRichMessage"}
    for method in sorted(set(METHODS) - lenient):
        if not hasattr(Bot, _snake(method)):
            continue
        signature = inspect.signature(getattr(Bot, _snake(method)))
        for name, parameter in parameters_of(method).items():
            if parameter.required and name in signature.parameters:
                assert signature.parameters[name].default is inspect.Parameter.empty, (method, name)


def test_methods_are_found_in_any_case_and_known_ones_are_not_carried_out():
    assert method_name("SendMESSAGE") == "sendMessage"
    assert not KNOWN_ONLY & set(METHODS)


def test_every_type_in_the_table_exists():
    plain = {"int", "bool", "str", "chat", "file", "object", "ReplyMarkup", *OBJECTS}
    for line in (*METHODS.values(), *OBJECTS.values()):
        for word in line.split():
            assert word.split(":")[1].strip("[]!") in plain, word

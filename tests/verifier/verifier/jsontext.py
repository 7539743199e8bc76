"""JSON as proofs have it: whole numbers, hexadecimal, each member once and none that is not known."""

import json
import re

from .reading import Malformed

FORMAT = 1


def read(data, limit):
    """The JSON object of format 1; Malformed if it is none."""
    if len(data) > limit:
        raise Malformed("the proof is too long")

    def once(pairs):
        members = dict(pairs)
        if len(members) != len(pairs):
            raise Malformed("a member is there twice")
        return members

    def whole(text):
        if not re.fullmatch("0|[1-9][0-9]{0,19}", text) or int(text) >= 2**64:
            raise Malformed(f"{text} is no number from 0 to 2^64 - 1")
        return int(text)

    def no_fraction(text):
        raise Malformed(f"{text} is no integer")

    try:
        found = json.loads(
            data.decode("utf-8"), object_pairs_hook=once, parse_int=whole, parse_float=no_fraction,
            parse_constant=no_fraction,
        )
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Malformed(f"the proof is no JSON: {error}") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT or isinstance(found["format"], bool):
        raise Malformed("the proof is not of format 1")
    return found


def take(found, members):
    if not isinstance(found, dict) or found.keys() != members.keys():
        raise Malformed(f"expected an object with {', '.join(members)}")
    return {name: read_member(found[name]) for name, read_member in members.items()}


def number(found):
    # True is an int in Python.
    if type(found) is not int:
        raise Malformed("expected a number")
    return found


def text(found):
    if not isinstance(found, str):
        raise Malformed("expected a text")
    return found


def hexadecimal(found):
    if not isinstance(found, str) or not re.fullmatch("([0-9a-fA-F]{2})*", found, re.ASCII):
        raise Malformed("expected hexadecimal digits")
    return bytes.fromhex(found)


def fixed(length):
    def read_fixed(found):
        data = hexadecimal(found)
        if len(data) != length:
            raise Malformed(f"expected {length} bytes")
        return data
    return read_fixed


b32 = fixed(32)


def list_of(read_item):
    def read_list(found):
        if not isinstance(found, list):
            raise Malformed("expected a list")
        return [read_item(item) for item in found]
    return read_list

"""JSON as strictly as the chapter has it: only what is expected is read, and so it cannot run away."""

import binascii
import re
from json.decoder import JSONDecodeError, scanstring

from .codec import MAX64
from .errors import BadFormat

SPACE = re.compile(r"[ \t\n\r]*")
NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,19})(?![0-9.eE+\-])")


class Json:
    def __init__(self, raw, most):
        if len(raw) > most:
            raise BadFormat(f"more than {most} bytes")
        try:
            self.text = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise BadFormat("not UTF-8") from None
        self.at = 0

    def skip(self):
        self.at = SPACE.match(self.text, self.at).end()

    def peek(self):
        self.skip()
        return self.text[self.at:self.at + 1]

    def want(self, letter):
        if self.peek() != letter:
            raise BadFormat(f"JSON: expected {letter} at character {self.at}")
        self.at += 1

    def string(self):
        self.want('"')
        try:
            found, self.at = scanstring(self.text, self.at, True)
            found.encode("utf-8")
        except JSONDecodeError as error:
            raise BadFormat(f"JSON: {error.msg}") from None
        except UnicodeEncodeError:
            raise BadFormat("JSON: half of a character") from None
        return found

    def hex(self, length=None):
        try:
            found = binascii.unhexlify(self.string())
        except ValueError:
            raise BadFormat(f"JSON: no hexadecimal before character {self.at}") from None
        if length is not None and len(found) != length:
            raise BadFormat(f"JSON: not {length} bytes before character {self.at}")
        return found

    def b32(self):
        return self.hex(32)

    def b64(self):
        return self.hex(64)

    def number(self, most=MAX64):
        self.skip()
        found = NUMBER.match(self.text, self.at)
        if found is None or int(found.group()) > most:
            raise BadFormat(f"JSON: no number in bounds at character {self.at}")
        self.at = found.end()
        return int(found.group())

    def format(self):
        number = self.number()
        if number != 1:
            raise BadFormat(f"format {number} is not known")

    def several(self, close):
        """Goes through what stands between commas, up to the closing bracket."""
        if self.peek() == close:
            self.at += 1
            return
        while True:
            yield
            if self.peek() != ",":
                return self.want(close)
            self.at += 1

    def list(self, item):
        self.want("[")
        return [item() for _ in self.several("]")]

    def object(self, members, *others):
        """An object of exactly these members (name -> reader), or of exactly those of another set."""
        sets = (members, *others)
        readers = {name: reader for each in sets for name, reader in each.items()}
        self.want("{")
        found = {}
        for _ in self.several("}"):
            name = self.string()
            if name not in readers or name in found:
                raise BadFormat(f"JSON: a member unknown or repeated before character {self.at}")
            self.want(":")
            found[name] = readers[name]()
        if not any(found.keys() == each.keys() for each in sets):
            raise BadFormat(f"JSON: members are missing before character {self.at}")
        return found

    def done(self):
        self.skip()
        if self.at != len(self.text):
            raise BadFormat("JSON: something behind it")

"""The frames of a bundle, packed or not, as a stream. What breaks a rule here is no bundle."""

from .blocks import MAX_NODES
from .codec import Cursor
from .errors import BadFormat, Unreadable
from .lz4frame import MAGIC, Unpacked, read_exactly, read_up_to
from .members import Member

LABEL = b"bcrdt/bundle/v1\0"
MAX_BODY = 34603008
CHAIN, MEMBER, BLOCK, TILE, SEGMENT, OP, TAIL, VECTOR, END, WITHHELD, STOP = range(1, 12)
MAX_PARTS = 65


class Opened:
    """A file of which the first bytes were read already."""

    def __init__(self, file, first):
        self.file = file
        self.first = first

    def read(self, count):
        if self.first:
            taken, self.first = self.first[:count], self.first[count:]
            return taken
        return self.file.read(count)


def opened(file):
    first = read_up_to(file, len(MAGIC))
    return Unpacked(file, first) if first == MAGIC else Opened(file, first)


def fields(tag, body):
    """What is in the body of a frame, in order."""
    c = Cursor(body)
    if tag == CHAIN:
        found = c.take(32), c.rest()
    elif tag == MEMBER:
        found = (Member.decode(c.rest()),)
    elif tag == BLOCK:
        found = c.u64(), c.long(), c.long(), c.long()
    elif tag == TILE:
        found = c.u8(), c.u64(), c.rest()
    elif tag == SEGMENT:
        found = c.long(), c.u64(), c.u64(), c.long(), c.long(), c.long(), c.u64(), c.long()
    elif tag == OP:
        found = c.long(), c.u64(), c.u64(), c.u8(), c.long(), c.long(), parts(c)
    elif tag == VECTOR:
        found = c.long(), c.u64(), c.long()
    elif tag == END:
        found = (c.u64(),)
    else:
        found = ()
    c.done()
    return found


def parts(cursor):
    count = cursor.u16()
    if count > MAX_PARTS:
        raise Unreadable(f"{count} parts")
    return [(cursor.long(), cursor.long()) for _ in range(count)]


class Places:
    """Where each kind of frame may stand."""

    def __init__(self):
        self.last = None
        self.members = 0
        self.after = None  # tail or stop

    def fault(self, tag):
        """None if the next frame may stand there, else why not."""
        last, self.last = self.last, tag
        if (tag == CHAIN) != (last is None):
            return "a chain frame is first, and only first"
        if self.after == STOP and tag != END:
            return "something behind stop"
        if tag == WITHHELD and last != CHAIN:
            return "withheld elsewhere than in its place"
        if tag == MEMBER:
            self.members += 1
            if last not in (CHAIN, WITHHELD, MEMBER):
                return "a member elsewhere than in its place"
            if self.members > MAX_NODES:
                return f"more than {MAX_NODES} members"
        if tag in (TAIL, STOP):
            if self.after:
                return "a second tail or stop"
            self.after = tag
        if tag == VECTOR and not self.after:
            return "a vector before the tail"
        if tag == END and not self.after:
            return "neither tail nor stop"
        return None


def frames(file):
    """(tag, fields) of each frame of a file up to and without the end."""
    stream = opened(file)
    if read_exactly(stream, len(LABEL), "the label") != LABEL:
        raise BadFormat("not a bundle")
    places, count = Places(), 0
    while True:
        where = f"frame {count}"
        head = read_exactly(stream, 5, where)
        tag, length = head[0], int.from_bytes(head[1:], "big")
        if not CHAIN <= tag <= STOP:
            raise BadFormat(f"{where}: unknown tag {tag}")
        if length > MAX_BODY:
            raise BadFormat(f"{where}: a body of {length} bytes")
        misplaced = places.fault(tag)
        if misplaced:
            raise BadFormat(f"{where}: {misplaced}")
        try:
            found = fields(tag, read_exactly(stream, length, where))
        except Unreadable as error:
            raise BadFormat(f"{where} cannot be read: {error}") from None
        if tag == END:
            if found[0] != count:
                raise BadFormat(f"the end counts {found[0]} frames, there are {count}")
            if stream.read(1):
                raise BadFormat("something behind the end")
            return
        count += 1
        yield tag, found

"""One origin's ops: the last one seen, how far segments cover them, and signed hashes of ops to come."""

from .codec import ZEROS
from .errors import Finding

# How many signed hashes wait for their ops. Segments come with some thousands of ops.
MAX_AHEAD = 1 << 16


class History:
    __slots__ = ("origin", "seq", "hash", "covered", "ahead")

    def __init__(self, origin):
        self.origin = origin
        self.seq = 0
        self.hash = ZEROS
        self.covered = 0
        self.ahead = {}

    def signed(self, seq, signed, where):
        """Takes note that somebody signed this hash of op `seq`."""
        if seq < self.seq:
            return
        if seq == self.seq:
            if signed != self.hash:
                raise Finding(f"op_altered: {where}: op {seq} of {self.origin.hex()} has another hash")
        elif seq in self.ahead:
            if self.ahead[seq] != signed:
                raise Finding(f"history_forked: {where}: two signed hashes for op {seq} of {self.origin.hex()}")
        elif len(self.ahead) >= MAX_AHEAD:
            raise Finding(f"segment_extra: {where}: too many signed ops that have not come")
        else:
            self.ahead[seq] = signed

    def segment(self, first, last, before, head, where):
        """A segment whose signature holds."""
        if first != self.covered + 1:
            kind = "segment_missing" if first > self.covered else "segment_extra"
            raise Finding(f"{kind}: {where} follows op {self.covered}")
        if last < self.seq:
            raise Finding(f"segment_missing: {where}: its last op has passed")
        self.signed(first - 1, before, where)
        self.signed(last, head, where)
        self.covered = last

    def is_next(self, seq, where):
        if seq != self.seq + 1:
            kind = "op_missing" if seq > self.seq else "op_extra"
            raise Finding(f"{kind}: {where} follows op {self.seq}")

    def op(self, this, where):
        """The next op, which hashes to this."""
        signed = self.ahead.pop(self.seq + 1, this)
        if signed != this:
            raise Finding(f"op_altered: {where}: another hash is signed")
        self.seq, self.hash = self.seq + 1, this

    def end(self):
        """No op follows."""
        if self.covered < self.seq:
            raise Finding(f"segment_missing: op {self.covered + 1} of {self.origin.hex()} is in no segment")
        if self.covered > self.seq:
            raise Finding(f"op_missing: op {self.seq + 1} of {self.origin.hex()}")

"""Who is a member, and who decides which height."""

from .blocks import validators_of
from .records import MAX_MEMBERS


class Membership:
    """The members that genesis and membership changes lead to."""

    def __init__(self, founder):
        self.present = {founder.node_id: founder}
        self.left = {}
        # After block h: who votes. Genesis is block 0.
        self.after = [validators_of([founder])]

    def ever(self, node):
        return self.present.get(node) or self.left.get(node)

    def validators_at(self, height):
        """Who decides a height; the block before it must be done."""
        return self.after[max(height - 2, 0)]

    def carry_out(self, changes):
        """The changes of one block: (hlc, origin, seq, change)."""
        for _, origin, _, change in sorted(changes, key=lambda it: it[:3]):
            if change.joins is not None:
                self.join(origin, change.joins)
            else:
                self.leave(origin, change.leaves)
        self.after.append(validators_of(self.present.values()))

    def join(self, origin, record):
        author, node = self.present.get(origin), record.node_id
        if author is None:
            return
        held = self.present.get(node)
        if not author.votes:
            moves_votes = record.weight != (held.weight if held else 0)
            another = held is not None and node != origin
            if moves_votes or another or node in self.left:
                return
        if held is None and len(self.present) >= MAX_MEMBERS:
            return
        if record.weight == 0 and self.is_only_validator(node):
            return
        self.left.pop(node, None)
        self.present[node] = record

    def leave(self, origin, node):
        author = self.present.get(origin)
        if author is None or (node != origin and not author.votes):
            return
        if node not in self.present or self.is_only_validator(node):
            return
        self.left[node] = self.present.pop(node)

    def is_only_validator(self, node):
        return [m.node_id for m in self.present.values() if m.votes] == [node]

"""Who belongs and who votes, as the changes lead to it."""

from .blocks import MAX_NODES
from .members import VALIDATOR


class Membership:
    def __init__(self, founder):
        self.members = {founder.node: founder}
        self.left = {}

    def ever(self, node):
        """The last record of who is a member or was one."""
        return self.members.get(node) or self.left.get(node)

    def is_validator(self, node):
        member = self.members.get(node)
        return member is not None and member.role == VALIDATOR

    def is_only_validator(self, node):
        validators = sum(member.role == VALIDATOR for member in self.members.values())
        return validators == 1 and self.is_validator(node)

    def validators(self):
        """(node, key, weight) of each validator, ascending."""
        return sorted(member.entry() for member in self.members.values() if member.role == VALIDATOR)

    def carry_out(self, changes):
        """(hlc, origin, seq, change) of one block."""
        for _, origin, _, change in sorted(changes, key=lambda it: it[:3]):
            if change.member is None:
                if self.leaving_counts(origin, change.node):
                    self.left[change.node] = self.members.pop(change.node)
            elif self.join_counts(origin, change.member):
                self.members[change.node] = change.member
                self.left.pop(change.node, None)

    def leaving_counts(self, origin, node):
        if origin not in self.members or node not in self.members:
            return False
        return (origin == node or self.is_validator(origin)) and not self.is_only_validator(node)

    def join_counts(self, origin, member):
        if origin not in self.members:
            return False
        node, old = member.node, self.members.get(member.node)
        if not self.is_validator(origin):
            if member.weight != (old.weight if old else 0):
                return False
            if (old is not None and node != origin) or node in self.left:
                return False
        if self.ever(node) is None and len(self.members) + len(self.left) >= MAX_NODES:
            return False
        return member.weight != 0 or not self.is_only_validator(node)

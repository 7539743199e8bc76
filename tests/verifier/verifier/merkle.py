"""The Merkle tree of RFC 6962, and the proofs about it."""

from .codec import H


def node(left, right):
    return H(b"\1", left, right)


def root_of(leaf_hashes):
    edge = Edge()
    for leaf in leaf_hashes:
        edge.push(leaf)
    return edge.root()


class Edge:
    """The right edge of a tree that grows; `on_full(height, root)` hears of each full subtree."""

    def __init__(self, on_full=None):
        self.size = 0
        self.stack = []
        self.on_full = on_full

    def push(self, leaf):
        rest, height, root = self.size, 0, leaf
        while rest & 1:
            root = node(self.stack.pop(), root)
            height += 1
            if self.on_full is not None:
                self.on_full(height, root)
            rest >>= 1
        self.stack.append(root)
        self.size += 1

    def root(self):
        if not self.stack:
            return H()
        root = self.stack[-1]
        for left in reversed(self.stack[:-1]):
            root = node(left, root)
        return root


def included(leaf, index, size, path, root):
    if index >= size:
        return False
    place, last = index, size - 1
    for sibling in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            leaf = node(sibling, leaf)
            while place and not place & 1:
                place >>= 1
                last >>= 1
        else:
            leaf = node(leaf, sibling)
        place >>= 1
        last >>= 1
    return last == 0 and leaf == root


def consistency_length(old, size):
    """How long a path between these sizes is; None if there are no such trees."""
    if old > size:
        return None
    if old in (0, size):
        return 0
    length = 0 if old & (old - 1) == 0 else 1
    place, last = old - 1, size - 1
    while place & 1:
        place >>= 1
        last >>= 1
    while last:
        if place & 1 or place == last:
            while place and not place & 1:
                place >>= 1
                last >>= 1
        place >>= 1
        last >>= 1
        length += 1
    return length


def consistent(old, old_root, size, root, path):
    if old > size:
        return False
    if old == 0:
        return not path and old_root == H() and (size != 0 or root == H())
    if old == size:
        return not path and old_root == root
    path = list(path)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    place, last = old - 1, size - 1
    while place & 1:
        place >>= 1
        last >>= 1
    a = b = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            a, b = node(sibling, a), node(sibling, b)
            while place and not place & 1:
                place >>= 1
                last >>= 1
        else:
            b = node(b, sibling)
        place >>= 1
        last >>= 1
    return last == 0 and a == old_root and b == root

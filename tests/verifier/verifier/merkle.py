"""The Merkle tree of the log: RFC 6962, verified as RFC 9162 says."""

from .reading import digest

EMPTY_ROOT = digest()


def leaf_hash(leaf):
    return digest(b"\0", leaf)


def node_hash(left, right):
    return digest(b"\1", left, right)


class Edge:
    """A growing tree: the roots of its complete subtrees, the largest first."""

    def __init__(self):
        self.size = 0
        self.peaks = []

    def push(self, leaf):
        node, size = leaf, self.size
        while size % 2:
            node = node_hash(self.peaks.pop(), node)
            size //= 2
        self.peaks.append(node)
        self.size += 1

    def root(self):
        if not self.peaks:
            return EMPTY_ROOT
        node = self.peaks[-1]
        for left in reversed(self.peaks[:-1]):
            node = node_hash(left, node)
        return node


def root(leaves):
    edge = Edge()
    for leaf in leaves:
        edge.push(leaf)
    return edge.root()


def is_included(leaf, index, size, path, expected):
    if index >= size:
        return False
    place, last, node = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if place % 2 or place == last:
            node = node_hash(sibling, node)
            while place % 2 == 0 and place != 0:
                place //= 2
                last //= 2
        else:
            node = node_hash(node, sibling)
        place //= 2
        last //= 2
    return last == 0 and node == expected


def is_consistent(old, size, path, root1, root2):
    if old > size:
        return False
    if old == 0:
        return not path and root1 == EMPTY_ROOT and (size > 0 or root2 == EMPTY_ROOT)
    if old == size:
        return not path and root1 == root2
    path = list(path)
    if old & (old - 1) == 0:
        path.insert(0, root1)
    if not path:
        return False
    place, last = old - 1, size - 1
    while place % 2:
        place //= 2
        last //= 2
    a = b = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if place % 2 or place == last:
            a, b = node_hash(sibling, a), node_hash(sibling, b)
            while place % 2 == 0 and place != 0:
                place //= 2
                last //= 2
        else:
            b = node_hash(b, sibling)
        place //= 2
        last //= 2
    return last == 0 and a == root1 and b == root2


def consistency_length(old, size):
    """How many hashes a consistency path has; None if there is none between these sizes."""
    if old > size:
        return None
    if old in (0, size):
        return 0
    place, last = old - 1, size - 1
    while place % 2:
        place //= 2
        last //= 2
    # The first hash of the path is the old root itself if that is a whole subtree.
    length = 0 if old & (old - 1) == 0 else 1
    while last:
        length += 1
        if place % 2 or place == last:
            while place % 2 == 0 and place != 0:
                place //= 2
                last //= 2
        place //= 2
        last //= 2
    return length

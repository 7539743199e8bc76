"""The tree and its paths, against the definition."""

import unittest

from verifier import merkle
from verifier.codec import H, ZEROS, u32


def split(leaves):
    """The leaves of the two halves."""
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    return leaves[:middle], leaves[middle:]


def root(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else H(b"")
    left, right = split(leaves)
    return merkle.node(root(left), root(right))


def inclusion(index, leaves):
    if len(leaves) < 2:
        return []
    left, right = split(leaves)
    if index < len(left):
        return inclusion(index, left) + [root(right)]
    return inclusion(index - len(left), right) + [root(left)]


def consistency(old, leaves, whole=True):
    if old == len(leaves):
        return [] if whole else [root(leaves)]
    left, right = split(leaves)
    if old <= len(left):
        return consistency(old, left, whole) + [root(right)]
    return consistency(old - len(left), right, False) + [root(left)]


class Tree(unittest.TestCase):
    def test_roots_and_inclusion(self):
        every = [H(u32(number)) for number in range(34)]
        for size in range(35):
            leaves, top = every[:size], root(every[:size])
            self.assertEqual(merkle.root_of(leaves), top)
            for index in range(size):
                path = inclusion(index, leaves)
                self.assertTrue(merkle.included(leaves[index], index, size, path, top))
                self.assertFalse(merkle.included(leaves[index], index, size, path + [top], top))
                self.assertFalse(path and merkle.included(leaves[index], index, size, path[:-1], top))
                others = (other for other in range(size + 1) if other != index)
                self.assertFalse(any(merkle.included(leaves[index], other, size, path, top) for other in others))

    def test_consistency(self):
        every = [H(u32(number)) for number in range(34)]
        for size in range(35):
            leaves, top = every[:size], root(every[:size])
            for old in range(size + 1):
                before, path = root(leaves[:old]), consistency(old, leaves) if old else []
                self.assertEqual(merkle.consistency_length(old, size), len(path), (old, size))
                self.assertTrue(merkle.consistent(old, before, size, top, path), (old, size))
                self.assertFalse(merkle.consistent(old, before, size, top, path + [top]))
                self.assertFalse(merkle.consistent(old, H(b"?"), size, top, path))
                self.assertFalse(old and merkle.consistent(old, before, size, H(b"?"), path))
                shorter = (path[:at] + path[at + 1:] for at in range(len(path)))
                self.assertFalse(any(merkle.consistent(old, before, size, top, each) for each in shorter))
            self.assertFalse(merkle.consistent(size + 1, top, size, top, []))
            self.assertIsNone(merkle.consistency_length(size + 1, size))

    def test_great_numbers(self):
        great = 2**64 - 1
        self.assertFalse(merkle.included(ZEROS, great - 1, great, [ZEROS] * 500, ZEROS))
        self.assertFalse(merkle.included(ZEROS, great, great, [], ZEROS))
        self.assertFalse(merkle.consistent(1, ZEROS, great, ZEROS, [ZEROS] * 500))
        self.assertEqual(merkle.consistency_length(1, great), 64)

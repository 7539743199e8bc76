"""The log: its leaves as the ops give them, held against the tiles that are in the bundle."""

from .codec import H
from .errors import Finding
from .merkle import Edge

WIDTH = 256
MAX_LEVEL = 7
# How many tiles of level 0 wait for their leaves (32 MiB).
MAX_AHEAD = 4096


class Log:
    def __init__(self):
        self.edge = Edge(self.full_subtree)
        self.waiting = {}  # tiles of level 0 whose leaves are not all there: index -> hashes
        self.next_tile = 0
        self.given = {}  # tiles above level 0: (level, index) -> digest
        self.due = {}  # what the full ones among them must be
        self.filling = {}  # level -> (index, hashes) of the tile that is not full

    @property
    def size(self):
        return self.edge.size

    def root(self):
        return self.edge.root()

    def tile(self, level, index, hashes):
        where = f"tile_altered: tile {level}/{index}"
        if level > MAX_LEVEL:
            raise Finding(f"{where}: no such level")
        if not hashes or len(hashes) % 32 or len(hashes) > WIDTH * 32:
            raise Finding(f"{where}: not 1 to {WIDTH} whole hashes")
        if level > 0:
            if (level, index) in self.given:
                raise Finding(f"{where}: it is there twice")
            self.given[level, index] = H(hashes)
            return
        if index < self.next_tile or index * WIDTH < self.size:
            raise Finding(f"{where}: out of order, or behind leaves that it holds")
        if len(self.waiting) >= MAX_AHEAD:
            raise Finding(f"{where}: too long before its leaves")
        self.next_tile = index + 1
        self.waiting[index] = hashes

    def leaf(self, leaf, where):
        """The next leaf, which must be in its tile."""
        index, place = divmod(self.size, WIDTH)
        hashes = self.waiting.get(index)
        if hashes is None or 32 * place >= len(hashes):
            raise Finding(f"tile_altered: {where}: leaf {self.size} is in no tile before it")
        if hashes[32 * place:32 * place + 32] != leaf:
            raise Finding(f"tile_altered: {where}: leaf {self.size} has another hash in its tile")
        if place == WIDTH - 1:
            del self.waiting[index]
        self.edge.push(leaf)

    def full_subtree(self, height, root):
        """Each 8 levels of the tree are one of tiles."""
        level, rest = divmod(height, 8)
        if rest:
            return
        index, hashes = self.filling.pop(level, (0, b""))
        hashes += root
        if len(hashes) == WIDTH * 32:
            self.due[level, index] = H(hashes)
            index, hashes = index + 1, b""
        self.filling[level] = index, hashes

    def end(self, whole):
        """No leaf follows. `whole` says that the tiles are those of this log, not of a longer one."""
        index, place = divmod(self.size, WIDTH)
        for tile, hashes in self.waiting.items():
            if tile != index or place == 0 or (whole and len(hashes) != 32 * place):
                raise Finding(f"tile_altered: tile 0/{tile} holds leaves that the log has not")
        if not whole:
            if self.given:
                raise Finding("tile_altered: there are tiles above level 0, and no tail")
            return
        due = dict(self.due)
        due.update(((level, index), H(hashes)) for level, (index, hashes) in self.filling.items() if hashes)
        for tile in sorted(due.keys() | self.given.keys()):
            if self.given.get(tile) != due.get(tile):
                raise Finding("tile_altered: tile %d/%d is not what the leaves lead to" % tile)

"""Who belongs and who votes, on generated chains."""

from contextlib import suppress

from tests.build import Chain, Node, join, leave, public, secret
from tests.rules import Rules, pinned
from verifier.codec import H
from verifier.errors import Unreadable
from verifier.frames import TAIL
from verifier.members import Change, Member
from verifier.membership import Membership
from verifier.ops import MEMBERSHIP

ALONE = ({1: 1}, set())


def joins(number, weight=0, **more):
    return lambda nodes: join(nodes[number].record(weight, **more))


def leaves(number):
    return lambda nodes: leave(nodes[number])


# What is written by whom, and who then belongs with which weight, and who has left.
CHANGES = [
    ([(2, joins(2))], ALONE),  # who is nobody lets himself in
    ([(1, joins(2))], ({1: 1, 2: 0}, set())),
    ([(1, joins(2)), (2, joins(3))], ({1: 1, 2: 0, 3: 0}, set())),
    ([(1, joins(2)), (2, joins(3, 1))], ({1: 1, 2: 0}, set())),
    ([(1, joins(2)), (2, joins(2, 1))], ({1: 1, 2: 0}, set())),
    ([(1, joins(2)), (1, joins(3)), (2, joins(3, name="x"))], ({1: 1, 2: 0, 3: 0}, set())),
    ([(1, joins(2)), (2, joins(2, name="x"))], ({1: 1, 2: 0}, set())),
    ([(1, joins(2, 2)), (2, joins(1, 3))], ({1: 3, 2: 2}, set())),
    ([(1, joins(1, 0))], ALONE),
    ([(1, joins(1, 7))], ({1: 7}, set())),
    ([(1, leaves(1))], ALONE),
    ([(1, leaves(2))], ALONE),
    ([(1, joins(2, 5)), (1, leaves(1))], ({2: 5}, {1})),
    ([(1, joins(2, 5)), (2, joins(1, 0)), (1, joins(3))], ({1: 0, 2: 5, 3: 0}, set())),
    ([(1, joins(2, 5)), (2, joins(1, 0)), (1, leaves(2))], ({1: 0, 2: 5}, set())),
    ([(1, joins(2)), (2, leaves(2))], ({1: 1}, {2})),
    ([(1, joins(2)), (2, leaves(2)), (2, joins(2))], ({1: 1}, {2})),
    ([(1, joins(2)), (1, leaves(2)), (1, joins(2))], ({1: 1, 2: 0}, set())),
    ([(1, joins(2)), (1, joins(3)), (1, leaves(3)), (2, joins(3))], ({1: 1, 2: 0}, {3})),
    ([(1, joins(2)), (1, joins(3)), (2, leaves(3))], ({1: 1, 2: 0, 3: 0}, set())),
    ([(1, joins(2, 2**32))], ({1: 1, 2: 2**32}, set())),
    ([(1, joins(2, 2**32 + 1))], ALONE),
]


class Changes(Rules):
    def test_what_counts(self):
        """By the rule alone, and by both verifiers over a chain with a block for each change and two more."""
        for number, (writes, (weights, left)) in enumerate(CHANGES):
            with self.subTest(chain=number):
                chain = Chain()
                nodes = {1: chain.founder, **{number: chain.node(number) for number in (2, 3)}}
                names = {node.id: number for number, node in nodes.items()}
                membership = Membership(Member.decode(chain.founder.record(1)))
                for who, payload in writes:
                    # Who is not known cannot write at all.
                    if membership.ever(nodes[who].id) is None:
                        continue
                    chain.op(nodes[who], payload(nodes), MEMBERSHIP)
                    with suppress(Unreadable):
                        change = Change.decode(payload(nodes))
                        membership.carry_out([(chain.hlc, nodes[who].id, 1, change)])
                    chain.block(decide=membership.validators())
                chain.block()
                chain.block()
                found = {names[node]: member.weight for node, member in membership.members.items()}
                self.assertEqual((found, {names[node] for node in membership.left}), (weights, left))
                last = {**membership.left, **membership.members}
                self.good(chain.frames([record(nodes[names[node]], member) for node, member in last.items()]))

    def test_who_belongs_is_bounded(self):
        founder = Member.decode(Node(1).record(1))
        membership = Membership(founder)
        for number in range(4094):
            node = H(b"%d" % number)
            kept = membership.left if number % 2 else membership.members
            kept[node] = founder._replace(node=node, role=1, weight=0)
        new = [founder._replace(node=H(b"new%d" % number), role=1, weight=0) for number in range(2)]
        membership.carry_out([(number, founder.node, 1, Change(it.node, it)) for number, it in enumerate(new)])
        self.assertEqual([it.node in membership.members for it in new], [True, False])
        back = next(iter(membership.left.values()))
        membership.carry_out([(1, founder.node, 1, Change(back.node, back))])
        self.assertIn(back.node, membership.members)

    def test_order_within_a_block(self):
        """By clock, whatever the order in which they were written."""
        for first, second, belongs in ((10, 5, True), (5, 10, False)):
            chain = Chain()
            two = chain.node(2)
            chain.op(chain.founder, join(two.record()), MEMBERSHIP, hlc=first)
            chain.op(chain.founder, leave(two), MEMBERSHIP, hlc=second)
            chain.block()
            members = [chain.founder.record(1), two.record()]
            self.good(chain.frames(members))
            only = chain.frames(members[:1])
            self.bad(only, "membership_altered") if belongs else self.good(only)

    def test_a_change_decides_two_blocks_later(self):
        for from_height in (2, 3, 4):
            chain = Chain()
            two = chain.node(2)
            chain.op(chain.founder, join(two.record(1)), MEMBERSHIP)
            both = sorted([chain.founder.entry(), two.entry()])
            chain.block()
            chain.sets.update({height: both for height in (2, 3, 4) if height >= from_height})
            chain.block()
            if from_height > 3:
                chain.sets[3] = [chain.founder.entry()]
            chain.block()
            frames = chain.frames([chain.founder.record(1), two.record(1)])
            self.good(frames) if from_height == 3 else self.bad(frames, "header_altered")

    def test_who_left_votes_for_one_more_block(self):
        chain = Chain()
        two = chain.node(2)
        chain.op(chain.founder, join(two.record(1)), MEMBERSHIP)
        both, one = [chain.founder.entry(), two.entry()], [chain.founder.entry()]
        chain.block(decide=both)
        chain.block()
        chain.op(chain.founder, leave(two), MEMBERSHIP)
        chain.block(decide=one)
        chain.block()
        chain.block()
        self.good(chain.frames([chain.founder.record(1), two.record(1)]), *pinned(chain, chain.founder))

    def test_quorum(self):
        """Of weights 1, 1, 1 two are not more than two thirds."""
        for signing, holds in (((1, 2, 3), True), ((1, 2), False), ((3,), False)):
            chain = Chain()
            nodes = {1: chain.founder, 2: chain.node(2), 3: chain.node(3)}
            for number in (2, 3):
                chain.op(chain.founder, join(nodes[number].record(1)), MEMBERSHIP)
            chain.block(decide=[node.entry() for node in nodes.values()])
            chain.block()
            chain.block(signers=[nodes[number] for number in signing])
            frames = chain.frames([node.record(1) for node in nodes.values()])
            if holds:
                self.good(frames, *pinned(chain, *nodes.values()))
                self.bad(frames, "certificate_wrong", *pinned(chain, nodes[1], nodes[2]))
            else:
                self.bad(frames, "certificate_wrong")

    def test_quorum_by_weight(self):
        for weight, holds in ((2, False), (3, True)):
            chain = Chain()
            two = chain.node(2)
            chain.op(chain.founder, join(two.record(weight)), MEMBERSHIP)
            chain.block(decide=[chain.founder.entry(), two.entry(weight)])
            chain.block()
            chain.block(signers=[two])
            frames = chain.frames([chain.founder.record(1), two.record(weight)])
            self.good(frames) if holds else self.bad(frames, "certificate_wrong")

    def test_several_parts_and_no_change(self):
        chain = Chain()
        two, three = chain.node(2), chain.node(3)
        salt = bytes(32)
        chain.op(chain.founder, kind=MEMBERSHIP, parts=[(salt, b"junk"), (salt, join(two.record()))])
        chain.op(chain.founder, kind=MEMBERSHIP, parts=[(salt, join(two.record(2**33)))])
        chain.op(chain.founder, kind=MEMBERSHIP, parts=[(salt, join(three.record()) + b"x")])
        chain.op(chain.founder, kind=MEMBERSHIP, parts=[(salt, join(two.record())), (salt, b"")])
        chain.block()
        self.good(chain.frames([chain.founder.record(1), two.record()]))


def record(node, member):
    return node.record(member.weight, member.name, member.url)


class Stored(Rules):
    def test_member_frames(self):
        chain = Chain()
        chain.op(chain.founder)
        chain.block()
        own, two = chain.founder.record(1), chain.node(2)
        for members in (
            [], [own, own], [chain.founder.record(2)], [chain.founder.record(1, "other")], [own, two.record()],
        ):
            self.bad(chain.frames(members), "membership_altered")
        # With a stop nothing says who is a member now.
        self.good(chain.frames([own, two.record()], stop=True))
        self.good(chain.frames([chain.founder.record(1, "other")], stop=True))
        self.bad(chain.frames([own, own], stop=True), "membership_altered")

    def test_sound_records(self):
        chain, two = Chain(), Node(2)
        chain.block()
        own = chain.founder.record(1)

        def judge(wrong):
            self.bad(chain.frames([own, wrong], stop=True), "membership_altered")

        base = two.record()
        other = public(secret(9))
        for wrong in (
            two.record(2**32 + 1), two.record(1, role=1), two.record(0, role=2), two.record(name=""),
            two.record(name="x" * 64), two.record(name="\x01"), two.record(name="a\0"), two.record(url="\x9f"),
            two.record(url="\x7f"), two.record(url="u" * 2049), two.record(name="\u00e9" * 32),
            base[:1] + bytes(32) + base[33:], base[:33] + other + base[65:], base[:65] + base[33:65] + base[97:],
            base[:97] + base[65:97] + base[129:], base[:97] + b"\1" + bytes(31) + base[129:],
            base[:129] + bytes(16) + base[145:], base[:145] + bytes(16) + base[161:],
        ):
            judge(wrong)
        for fine in ({"weight": 2**32}, {"url": "u" * 2048, "name": "\u00e9" * 31}, {"name": "\u2028 \u00ad"}):
            self.good(chain.frames([own, two.record(**fine)], stop=True))

    def test_who_left(self):
        """A change of the tail counts for the member frames; who left needs none."""
        chain = Chain()
        two = chain.node(2)
        chain.op(chain.founder, join(two.record()), MEMBERSHIP)
        chain.block()
        own = chain.founder.record(1)
        self.bad(chain.frames([own]), "membership_altered")
        chain.op(two, leave(two), MEMBERSHIP)
        self.good(chain.frames([own, two.record()]))
        self.good(chain.frames([own]))
        self.bad(chain.frames([own, two.record(name="other")]), "membership_altered")
        # Who left can be known to have been there by the chain alone: his ops still hold.
        chain.block()
        chain.op(two, b"after all")
        chain.block()
        self.good(chain.frames([own]))
        self.good(chain.frames([own], stop=True))

    def test_who_never_was_a_member(self):
        chain = Chain()
        chain.node(2)
        two = next(node for node in chain.nodes.values() if node is not chain.founder)
        chain.op(two)
        chain.block()
        own = chain.founder.record(1)
        self.bad(chain.frames([own]), "")
        self.bad(chain.frames([own, two.record()]), "membership_altered")
        self.good(chain.frames([own, two.record()], stop=True))
        tail = Chain()
        two = tail.node(2)
        tail.op(two)
        self.bad(tail.frames([own]), "segment_extra")
        frames = tail.frames([own])
        at = frames.index((TAIL, b""))
        self.bad(frames[:at + 1] + frames[at + 2:], "op_extra")

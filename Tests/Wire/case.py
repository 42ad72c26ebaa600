"""A case: what one client sends on one connection, or what an origin responds; made from a seed, or read from a file."""
import dataclasses
import random

NONCE = b"00000000nonce"  # becomes a number that is new in each run, since weir remembers keys
WAIT = None  # among the pieces: the client sends the rest when weir has answered, or never when that was the answer


@dataclasses.dataclass
class Case:
    name: str
    kind: str  # http1, http2, response or shared
    mutations: list = dataclasses.field(default_factory=list)  # names, in their order
    pieces: list = dataclasses.field(default_factory=list)  # http1: bytes to send one after the other, and WAIT
    streams: list = dataclasses.field(default_factory=list)  # http2: Streams
    script: object = None  # response: a Script; shared: a Feed
    reason: str = ""  # of a named case, as its verdict: see README.md
    verdict: str = ""

    @property
    def sent(self):
        return b"".join(piece for piece in self.pieces if piece)


class Mutator:
    """Makes a case of a seed: a base message, then mutations.

    Each mutation has a source of randomness of its own, so that one can be left out without a change of the others.
    """

    def __init__(self, base, mutations, build):
        self.base, self.mutations, self.build = base, mutations, build

    def plan(self, seed):
        """The mutations of a seed, as (name, its own seed)."""
        draw = random.Random(f"plan {seed}")
        count = draw.choices(range(6), [1, 8, 6, 3, 2, 1])[0]
        return [(draw.choice(list(self.mutations)), draw.random()) for _ in range(count)]

    def case(self, seed, plan):
        draft = self.base(random.Random(f"base {seed}"), seed)
        for name, own in plan:
            self.mutations[name](draft, random.Random(own))
        case = self.build(draft, random.Random(f"build {seed}"), seed)
        case.mutations = [name for name, _ in plan]
        return case

"""How much work one file of a model may cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from weighbridge.checks.model_scan.report import RefusedError, UndecidedError

MAX_OPCODES: Final = 5_000_000
"""Most pickle opcodes in one file, all its pickles together."""

MAX_WALKED: Final = 3_000_000
"""Most opcodes that are followed in bytes that were judged as something else than a pickle, all of one file."""

MAX_MEMO: Final = 1_000_000
"""Most memo places of one pickle."""

MAX_STACK: Final = 500_000
"""Most values that lie on a pickle's stack at a time, and most that lie below its marks."""

MAX_MARKS: Final = 100_000
"""Most marks that are open at a time. Each is a container in another one, which a pickler writes by recursion."""

MAX_MADE: Final = 600_000
"""Most tuples, containers and objects of one pickle, a long tuple counting for several."""

MAX_KEPT_BYTES: Final = 32 * 1024**2
"""Most bytes of text that one pickle may have in memory; what comes after is passed over and forgotten."""

MAX_MADE_FREE: Final = 64 * 1024**2
"""Bytes that the calls of a pickle may be given whatever its size."""

MAX_MADE_RATIO: Final = 16
"""So many times may calls be given the bytes that were read so far: each makes what it is given anew."""

MAX_HASHED: Final = 5_000_000
"""Most values that are looked at to hash the keys of one file; a plain text or number costs nothing here."""

MAX_KEY: Final = 10_000
"""Most values in one key. Python hashes a tuple in a tuple by recursion that nothing bounds."""

MAX_EXPANDED: Final = 5_000_000
"""Objects that a pickle may make whatever its size, what lies at several places counted at each of them."""

MAX_EXPANDED_RATIO: Final = 50
"""So many times may its objects be more than its bytes."""

MAX_TEXT: Final = 256 * 1024**2
"""Bytes of text that a pickle may make whatever its size, counted in the same way."""

MAX_TEXT_RATIO: Final = 16
"""So many times may its text be longer than its bytes."""

MAX_LEVELS: Final = 10_000
"""Deepest nesting of objects: picklers stop at a thousand, and Python hashes tuples by recursion without a bound."""

MAX_DEPTH: Final = 8
"""Deepest nesting of containers and pickles in one another."""

MAX_UNPACKED: Final = 8 * 1024**3
"""Most bytes that are decompressed for one file."""

MAX_MEMBERS: Final = 20_000
"""Most members of one archive."""

MAX_RATIO: Final = 150
"""Highest ratio of unpacked to packed bytes, once more than MAX_RATIO_FREE bytes were unpacked."""

MAX_RATIO_FREE: Final = 64 * 1024**2
"""Unpacked bytes that may have any ratio, so that an array of zeros is not a bomb."""


@dataclass(frozen=True, slots=True)
class Expanded:
    """How large an object is when everything in it is counted at each place where it lies."""

    objects: int = 1
    text: int = 0
    levels: int = 1


@dataclass(slots=True)
class Budget:
    """What is left; shared by everything that is found inside one file."""

    opcodes: int = MAX_OPCODES
    unpacked: int = MAX_UNPACKED
    walked: int = MAX_WALKED
    made: int = 0
    hashed: int = 0

    def check_made(self, *, read: int) -> None:
        """Hold the bytes that calls made to those that were read of the pickle.

        Raises:
            RefusedError: It is given the same bytes again and again.
        """
        if self.made > MAX_MADE_RATIO * read:
            raise RefusedError("object-bomb", f"{read} bytes of pickle make more than {self.made} bytes", offset=read)

    def hash(self, weight: int, *, read: int) -> None:
        """Count the values that are looked at to hash a key.

        Raises:
            RefusedError: Hashing would take long, or recurse deeply.
        """
        if weight > MAX_KEY:
            raise RefusedError("object-bomb", f"a key is made of more than {MAX_KEY} values", offset=read)
        self.hash_all(weight, read=read)

    def hash_all(self, weight: int, *, read: int) -> None:
        """Count the values that a call hashes, key by key.

        Raises:
            RefusedError: Hashing them would take long.
        """
        self.hashed += weight
        if self.hashed > MAX_HASHED:
            raise RefusedError("object-bomb", f"{weight} values are hashed again and again", offset=read)

    def expand(self, size: Expanded, *, read: int) -> None:
        """Judge what a pickle of ``read`` bytes makes, counted as whoever prints or compares it would meet it.

        Raises:
            RefusedError: It is more than its bytes explain.
        """
        if size.levels > MAX_LEVELS:
            raise RefusedError("object-bomb", f"objects nest {size.levels} levels deep", offset=read)
        if size.objects > max(MAX_EXPANDED, MAX_EXPANDED_RATIO * read) or size.text > max(
            MAX_TEXT, MAX_TEXT_RATIO * read
        ):
            raise RefusedError(
                "object-bomb",
                f"{read} bytes of pickle make {size.objects} objects and {size.text} bytes of text when what they "
                f"share is counted at each of its places; {MAX_EXPANDED} and {MAX_TEXT} were expected at most",
                offset=read,
            )

    def unpack(self, count: int) -> None:
        """Take ``count`` decompressed bytes.

        Raises:
            UndecidedError: The budget is spent.
        """
        self.unpacked -= count
        if self.unpacked < 0:
            raise UndecidedError("unpacks-too-large", f"more than {MAX_UNPACKED} bytes would have to be decompressed")


def check_depth(depth: int) -> None:
    """Refuse to go deeper than ``MAX_DEPTH``.

    Raises:
        UndecidedError: It is deeper.
    """
    if depth > MAX_DEPTH:
        raise UndecidedError("nests-too-deep", f"pickles or archives nest deeper than {MAX_DEPTH} levels")

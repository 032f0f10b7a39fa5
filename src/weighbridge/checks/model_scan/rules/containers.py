"""Rules of archives and compressed streams, and of torch archives as such."""

from __future__ import annotations

from typing import Final

from weighbridge.checks.model_scan.rules.remedies import FETCH
from weighbridge.checks.rule import Rule

_SAVE_AGAIN: Final = "write the archive again with the library that the format belongs to"

CONTAINERS: Final = (
    Rule(
        id="malformed-zip",
        title="an archive breaks the rules of its format",
        meaning=(
            "There are gaps, overlaps, bytes before or behind the archive, or headers that no writer makes. Readers "
            "differ in what they take from such a file, and a payload hides in the difference."
        ),
        remedy=FETCH,
        cwe=(436,),
    ),
    Rule(
        id="zip-disagreement",
        title="the two directories of an archive contradict each other",
        meaning=(
            "A zip file says twice what its members are: before each member and at its end. Where they differ, one "
            "program scans one file and another program loads another."
        ),
        remedy=_SAVE_AGAIN,
        cwe=(436,),
    ),
    Rule(
        id="duplicate-member",
        title="an archive has two members of one name",
        meaning="Readers differ in which of the two they take: the one that is scanned need not be the one that runs.",
        remedy=_SAVE_AGAIN,
        cwe=(436,),
    ),
    Rule(
        id="unsafe-member-name",
        title="the name of a member points outside the archive",
        meaning="An absolute name, or one with `..`, is written over files of the machine when it is unpacked.",
        remedy=_SAVE_AGAIN,
        cwe=(22,),
    ),
    Rule(
        id="encrypted-member",
        title="a member of an archive is encrypted",
        meaning="What is encrypted cannot be scanned, and whoever loads it with the password loads something unseen.",
        remedy="store the model without a password; encrypt it where it is stored, not inside",
    ),
    Rule(
        id="checksum-mismatch",
        title="a member is not what its headers say",
        meaning=(
            "Size or checksum differ. Some readers stop at such a member and some load it: damage that hides a member "
            "from scanners does not hide it from `torch.load`."
        ),
        remedy=FETCH,
        cwe=(354,),
    ),
    Rule(
        id="decompression-bomb",
        title="a few bytes unpack to very many",
        meaning="Loading would fill memory or disk. No model compresses so well.",
        remedy="store the model uncompressed; if it really is so empty, it needs no file of this size",
        cwe=(409,),
    ),
    Rule(
        id="malformed-stream",
        title="a compressed stream is damaged or cut off",
        meaning="What comes out of it depends on the program that unpacks it, and how it treats damage.",
        remedy=FETCH,
        cwe=(436,),
    ),
    Rule(
        id="trailing-bytes",
        title="bytes follow the end of the file's content",
        meaning=(
            "Nothing of the format stands there. It is where a second file hides: the same bytes are then a model to "
            "one program and an archive, a pickle or a script to another."
        ),
        remedy=FETCH,
        cwe=(436,),
    ),
    Rule(
        id="truncated",
        title="the file ends in the middle",
        meaning="The rest is missing, and what was judged is not what would be loaded once it is there.",
        remedy="download the file again and compare its sha256 with the publisher's",
    ),
    Rule(
        id="malformed",
        title="a value in the file breaks its format",
        meaning="A line or a number is longer or other than its format allows: readers differ in what it means.",
        remedy=FETCH,
        cwe=(228,),
    ),
    Rule(
        id="malformed-torch",
        title="a torch file breaks the rules of its format",
        meaning="The numbers at its start, or the lengths of its storages, are others than `torch.save` writes.",
        remedy=FETCH,
        cwe=(228,),
    ),
    Rule(
        id="missing-storage",
        title="a tensor needs data that the archive does not have",
        meaning="Its storage is missing or too short; native code would read behind the end of the data.",
        remedy=FETCH,
        cwe=(125,),
    ),
    Rule(
        id="special-file",
        title="the model holds something that is no regular file",
        meaning="A pipe, socket or device gives other bytes each time it is read, and reading it may never end.",
        remedy="take it out: a model holds regular files only",
    ),
    Rule(
        id="symbolic-link",
        title="the model holds a symbolic link",
        meaning="It may point to something else when the model is loaded than when it was scanned.",
        remedy="put the file itself in its place",
        cwe=(59,),
    ),
)
"""Rules of archives, streams and files as such."""

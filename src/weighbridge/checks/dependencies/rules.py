"""Every rule of the dependency audit."""

from __future__ import annotations

from typing import Final

from weighbridge.checks.rule import Rule
from weighbridge.evidence.record import Severity

RULES: Final = (
    Rule(
        id="known-vulnerability",
        title="a package has a known vulnerability",
        meaning=(
            "A published advisory names this version. Whether the vulnerable code is reached is not judged: the "
            "severity is the advisory's own, and unknown where it has none."
        ),
        remedy="upgrade to a version that the advisory calls fixed, or write a dated waiver with an owner and a reason",
        severity=Severity.UNKNOWN,
        cwe=(1395,),
    ),
    Rule(
        id="malware",
        title="a package is malware",
        meaning=(
            "An advisory calls this version malicious. Its payload ran when it was installed or imported, so removing "
            "it is not enough."
        ),
        remedy="remove it, treat every machine that installed it as compromised and change what could be read there",
        severity=Severity.CRITICAL,
        cwe=(506,),
    ),
    Rule(
        id="startup-code",
        title="code runs before the program does",
        meaning=(
            "Files such as `sitecustomize.py` or a `.pth` file with an import run at every start of Python. Few "
            "packages need one, and it is where malware stays (MITRE ATT&CK T1546.018)."
        ),
        remedy="remove the file, or the package that brought it, unless you know what it does and need it",
        cwe=(506,),
    ),
    Rule(
        id="record-mismatch",
        title="files of a package are not what was installed",
        meaning="Their checksums differ from the record that the installer wrote: somebody changed them afterwards.",
        remedy="install the package again from a trusted index with hashes, and find out who changed it",
        cwe=(353,),
    ),
    Rule(
        id="record-missing",
        title="files of a package were recorded but are not there",
        meaning="They were removed after the installation, or the record is not of this installation.",
        remedy="install the package again, unless the files were taken out on purpose",
        severity=Severity.LOW,
    ),
    Rule(
        id="insecure-index",
        title="packages come from a server whose identity is not checked",
        meaning="Whoever is on the way between can put any package in place of the one that was asked for.",
        remedy="use an https:// index with a certificate that the machine trusts, and no --trusted-host",
        severity=Severity.MEDIUM,
        cwe=(295,),
    ),
    Rule(
        id="index-confusion",
        title="a second index is asked for every name",
        meaning=(
            "Without hashes, whoever can publish one of these names in either place decides what is installed. This is "
            "how torchtriton was replaced in December 2022."
        ),
        remedy="pin with hashes (--require-hashes), or take every package from one index alone",
        cwe=(427,),
    ),
)
"""The rules of the dependency audit."""

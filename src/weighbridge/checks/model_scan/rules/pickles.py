"""Rules of pickles, joblib files and the pickles inside torch archives."""

from __future__ import annotations

from typing import Final

from weighbridge.checks.model_scan.rules.remedies import EXPORT, FETCH
from weighbridge.checks.rule import Rule
from weighbridge.evidence.record import Severity

_RUNS_CODE: Final = 502

PICKLES: Final = (
    Rule(
        id="forbidden-global",
        title="a pickle imports a name that is not on the allow list",
        meaning=(
            "Loading a pickle imports every name in it, and may call it. A name that is on no list may be `os.system` "
            "under an alias, a function that reads or writes files, or a class of your own that is harmless: from the "
            "name alone this cannot be told, so only names that were reviewed are allowed, each by its exact module "
            "and name. It is critical when the name belongs to a module that runs programs, reaches the network or "
            "imports others, or reaches through a dot into another object."
        ),
        remedy=f"if the name is needed and harmless, have it reviewed for the allow list; else {EXPORT}",
        cwe=(_RUNS_CODE, 184),
    ),
    Rule(
        id="computed-global",
        title="a pickle computes the name that it imports",
        meaning=(
            "The name of an import is put together while the pickle is loaded, or differs between two programs that "
            "load the file. No library writes such a pickle: it is how a payload is hidden from scanners that look "
            "for names."
        ),
        remedy=f"do not load the file, and find out who made it; {EXPORT}",
        severity=Severity.CRITICAL,
        cwe=(_RUNS_CODE, 470),
    ),
    Rule(
        id="extension-code",
        title="a pickle imports by a number instead of a name",
        meaning=(
            "Extension codes stand for names in a registry of the loading process (`copyreg.add_extension`). What "
            "such a number imports is not in the file, so nobody can judge it before it is loaded."
        ),
        remedy=f"save the model in a process without a registry of extension codes, or {EXPORT}",
        severity=Severity.CRITICAL,
        cwe=(_RUNS_CODE,),
    ),
    Rule(
        id="forbidden-call",
        title="a pickle calls something that it did not import by name",
        meaning=(
            "What is called was made by the pickle itself, or its arguments are not a plain tuple. A chain of calls "
            "on objects reaches `os.system` without ever naming it."
        ),
        remedy=f"do not load the file, and find out who made it; {EXPORT}",
        severity=Severity.CRITICAL,
        cwe=(_RUNS_CODE,),
    ),
    Rule(
        id="forbidden-arguments",
        title="a pickle calls a listed function or class with arguments that it never gets when a model is saved",
        meaning=(
            "Names on the allow list are harmless only when they are used as their library uses them. With other "
            "arguments some of them open, truncate or write files, reach any attribute, or hand bytes to native code."
        ),
        remedy=f"do not load the file; if its library wrote it so, report its name and version, else {EXPORT}",
        cwe=(_RUNS_CODE, 88),
    ),
    Rule(
        id="forbidden-state",
        title="a pickle gives an object a state that its class never has",
        meaning=(
            "State becomes attributes. An attribute that hides a method is called later by the library, on loading, "
            "printing or predicting; state for a class or a function changes it for the whole process; a forged state "
            "of an array's type makes numbers into pointers."
        ),
        remedy=f"do not load the file; if its library wrote it so, report its name and version, else {EXPORT}",
        cwe=(_RUNS_CODE, 915),
    ),
    Rule(
        id="function-as-data",
        title="a pickle keeps a function that may only be called",
        meaning=(
            "Functions that rebuild objects are listed for one call with checked arguments. Kept in a list, a "
            "dictionary or an attribute, such a function is called later by other code with arguments that nobody "
            "checked."
        ),
        remedy=EXPORT,
        cwe=(_RUNS_CODE,),
    ),
    Rule(
        id="persistent-id",
        title="a pickle asks its reader for an object by an identifier",
        meaning=(
            "What a persistent identifier stands for is decided by the program that loads the file. Only torch has a "
            "documented meaning for it: the storage of a tensor, by a tuple of five."
        ),
        remedy=f"save the file with `torch.save` if it is torch's, or {EXPORT}",
        cwe=(_RUNS_CODE,),
    ),
    Rule(
        id="out-of-band-buffer",
        title="a pickle needs data from outside the file",
        meaning=(
            "Protocol 5 can leave buffers to whoever sends the pickle. A file with such a place cannot be loaded "
            "alone, and what would be put there is not in the model."
        ),
        remedy="save the model without a buffer_callback, so that all data is in the file",
    ),
    Rule(
        id="ambiguous-joblib",
        title="joblib and a plain unpickler read different things in the same bytes",
        meaning=(
            "joblib writes raw arrays between opcodes. Without the padding of joblib 1.2 and newer, a plain unpickler "
            "reads the numbers as opcodes, so that a file which is harmless to one program is a payload to the other."
        ),
        remedy="load the model where it was made and save it again with joblib 1.2 or newer",
        cwe=(436,),
    ),
    Rule(
        id="second-pickle",
        title="another pickle follows the first",
        meaning=(
            "A reader that calls the unpickler twice runs what stands behind the end of the first pickle; a scanner "
            "that stops at the first end does not see it."
        ),
        remedy=f"save one object to one file, or {EXPORT}",
        cwe=(_RUNS_CODE,),
    ),
    Rule(
        id="malformed-pickle",
        title="the bytes are no pickle that a library writes",
        meaning=(
            "An opcode is unknown, takes what is not on the stack, or leaves values behind. Unpicklers run what stands "
            "before the damage, so a payload followed by garbage still works, and stops scanners that give up."
        ),
        remedy=FETCH,
        cwe=(_RUNS_CODE, 228),
    ),
    Rule(
        id="object-bomb",
        title="a few bytes of pickle cost much time or memory",
        meaning=(
            "Loading would hash keys for hours, recurse until the process dies, or make the same bytes anew without "
            "end; or what one object shares with itself is so much when it is "
            "printed or compared. A service that loads the file stops answering; no library writes such a pickle."
        ),
        remedy=f"do not load the file, and find out who made it; {EXPORT}",
        cwe=(400, 674),
    ),
    Rule(
        id="memo-bomb",
        title="a pickle uses a memo place far beyond what it has filled",
        meaning=(
            "Picklers number the places of their memo one after the other. Python makes room for every place up to "
            "the highest, so that one opcode of five bytes takes up to 32 GB while the file is loaded."
        ),
        remedy=f"do not load the file, and find out who made it; {EXPORT}",
        cwe=(789,),
    ),
    Rule(
        id="malformed-joblib",
        title="an array in a joblib file is not one that joblib writes",
        meaning="Its class, order, shape or type is another than numpy arrays have that joblib takes out of a pickle.",
        remedy="load the model where it was made and save it again with joblib 1.2 or newer",
        cwe=(228,),
    ),
)
"""Rules of pickles."""

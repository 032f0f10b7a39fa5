"""Words that a reader cannot know from elsewhere: what each means, and the attack's own tests as plain questions.

Every report explains them from here, and ``docs/words.md`` is the same as a page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Word:
    """One word and what it means in one or two sentences."""

    word: str
    meaning: str

    @property
    def anchor(self) -> str:
        """Return the word as part of an address."""
        return re.sub(r"[^a-z0-9]+", "-", self.word.lower()).strip("-")


@dataclass(frozen=True, slots=True)
class Asked:
    """A control as a question whose answer is yes when it held, and what it means when it did not."""

    question: str
    otherwise: str


GLOSSARY: Final = (
    Word(
        "digest",
        "A fingerprint of bytes (sha256). Two things with the same digest are the same, and any change gives another.",
    ),
    Word(
        "dirHash",
        "The digest of a whole model: sha256 over the names and the sha256 of all its files. A file that is changed, "
        "added, removed or renamed gives another.",
    ),
    Word("check", "One examination of a model: model scan, dependency audit, robustness or leakage."),
    Word(
        "evidence",
        "What one check found about one model, signed by the key of whoever ran it. It counts for that model only.",
    ),
    Word("policy", "The file that says which checks a model needs, signed by whom, how fresh and with which limits."),
    Word("requirement", "One check that the policy asks for, with its limits."),
    Word(
        "trust document",
        "The file that says which keys may sign what, and which models, keys and policies were revoked.",
    ),
    Word("role", "A name in the trust document, such as scanner or verifier, with its keys and what these may sign."),
    Word("gate", "The step that compares evidence with the policy and signs the verdict."),
    Word("verdict", "The gate's signed answer for one model: passed, failed or undecided. Only passed may be loaded."),
    Word("passed", "Every requirement holds, and nothing stands against the model as a whole."),
    Word("failed", "The model is at fault: something was found, or a limit is not met."),
    Word(
        "undecided",
        "The question has no answer yet: something is missing, too old, or could not be judged. Nobody has said that "
        "the model is bad; it is refused until somebody knows.",
    ),
    Word("satisfied", "This requirement holds. The model passes only when all do."),
    Word("waived", "A finding that the policy accepts by name, with a reason and a date on which that ends."),
    Word("revoked", "Taken back in the trust document: from then on nothing that rests on it passes."),
    Word(
        "not accepted",
        "A file of evidence that the gate leaves out: no trusted key signed it, its key has ended, it is about another "
        "model, or it cannot be read.",
    ),
    Word("does not count", "The gate does not use it, for or against the model; the reason stands beside it."),
    Word("examined", "Read by a check. The checksum of every file that was examined stands in its evidence."),
    Word("older, not asked", "Evidence whose signature holds, and of which there is a newer run. The newest counts."),
    Word("not checked", "Nobody has compared the signature with a trust document, so anybody could have written this."),
    Word(
        "mode",
        "What a cluster does with a model that the policy refuses: enforce stops it, warn and audit only say so.",
    ),
    Word(
        "bound",
        "An input is bound when the policy names its digest or a role signed it. What nothing binds, somebody chose.",
    ),
    Word("unbound", "Nothing says that this input is the right one: whoever called the check chose it."),
    Word("component", "One package that the model needs, with its version."),
    Word("advisory", "A public report of a weakness in certain versions of a package (PYSEC, GHSA or CVE number)."),
    Word("allow list", "The names that a pickle may import without being able to run other code."),
    Word("pickle", "Python's own format for objects. Loading one can run any code that its author put in."),
    Word("clean", "Every byte of the file was read or is plain data, and no rule speaks against it."),
    Word("refused", "At least one rule speaks against the file."),
    Word(
        "accuracy under attack", "The share of examples that the model still gets right after the attack changed them."
    ),
    Word(
        "epsilon",
        "How much the attack may change each number of an input, as a share of the range from lowest to highest.",
    ),
    Word("L∞ (linf)", "Every number of an input may be changed by epsilon at most, each for itself."),
    Word("queries", "How often the attack may ask the model about one example."),
    Word(
        "control",
        "A test of the attack itself. Where one does not hold, standing the attack says nothing about the model.",
    ),
    Word(
        "lower bound, upper bound",
        "What the true figure is at least, or at most, given how few examples were tried. A limit has to hold for it.",
    ),
    Word("confidence", "How sure such a bound is: at 95 % it is wrong once in twenty at most."),
    Word("members", "Rows that the model was trained on; non-members are like them and it never saw them."),
    Word(
        "false positives (FPR)",
        "The share of non-members that an attack wrongly takes for training rows. Few of them means a careful attack.",
    ),
    Word("true positives (TPR)", "The share of training rows that the attack recognises as such: what leaks."),
    Word(
        "area under the curve",
        "How well the attack sorts members from others over all; 0.5 is guessing, 1.0 is always right.",
    ),
    Word("verbatim", "Training rows that stand in the model's own numbers, so that anybody can read them."),
    Word("examined arrays", "The model's lists of numbers that were searched for training rows."),
    Word(
        "seed",
        "The number that all chance in a check comes from. It follows from the digests, so that nobody can pick it.",
    ),
    Word(
        "try",
        "A robustness or leakage check that did not pass. Each makes the next one harder, or repeating would help.",
    ),
    Word("confinement", "What the process that reads the model was kept from: other files, the network, more memory."),
    Word("Landlock", "The part of the Linux kernel that does it. Its number says what that version can forbid."),
    Word("fingerprint", "The short name of a key, as `ssh-keygen -l` shows it."),
)
"""Every word that a report explains, in the order in which a reader meets them."""

CONTROLS: Final[Mapping[str, Asked]] = MappingProxyType(
    {
        "classes-match-labels": Asked(
            "Do the labels of the data belong to the model's classes?",
            "labels of the data are no classes of the model, or there is only one",
        ),
        "decisions-agree-with-scores": Asked(
            "Does the model decide for its best score?", "the model decides otherwise than its own scores say"
        ),
        "answers-repeat": Asked(
            "Does the same row get the same answer each time?", "the model answers the same row in several ways"
        ),
        "clean-accuracy-above-chance": Asked(
            "Is the model better than guessing without attack?", "the model is no better than guessing without attack"
        ),
        "budget-covers-input": Asked(
            "Are there enough queries to try every number of an input?",
            "there are too few queries to try every number of an input",
        ),
        "attack-saw-signal": Asked(
            "Could the attack see whether it came closer?", "the attack could not see whether it came closer"
        ),
        "attack-converged": Asked(
            "Had the attack stopped gaining when its queries ran out?",
            "the attack was still gaining when its queries ran out",
        ),
        "larger-budget-not-needed": Asked(
            "Would more queries change little?", "more queries would have fooled the model many more times"
        ),
        "larger-epsilon-breaks": Asked(
            "Does a much larger change fool the model, so that the attack works at all?",
            "even a much larger change does not fool the model, so the attack does not work on it",
        ),
        "falls-repeat": Asked(
            "Are inputs that fooled the model still wrong when asked again?",
            "inputs that fooled the model are right when asked again",
        ),
        "answers-repeat-under-attack": Asked(
            "Does an attacked row get the same answer each time?", "the model answers an attacked row in several ways"
        ),
        "decisions-agree-under-attack": Asked(
            "Does the model decide for its best score under attack?",
            "under attack the model decides otherwise than its own scores say",
        ),
    }
)
"""The controls of the checks by their technical name."""

_BROKEN: Final = re.compile(r"\Athe control ([a-z-]{1,60}) did not hold: ")


def question_of(control: str) -> str:
    """Return a control as a question, or its name when this version does not know it."""
    known = CONTROLS.get(control)
    return known.question if known else control


def doubted(controls: Iterable[str]) -> str:
    """Return what it means that these controls did not hold, each with its technical name in brackets."""
    return "; ".join(f"{CONTROLS[name].otherwise} [{name}]" if name in CONTROLS else name for name in controls)


def plainly(reason: str) -> str:
    """Return why something could not be judged, with a control that did not hold in plain words."""
    found = _BROKEN.match(reason)
    if found is None or found[1] not in CONTROLS:
        return reason
    return f"{CONTROLS[found[1]].otherwise}: {reason[found.end() :]} [{found[1]}]"


def meaning(word: str) -> str:
    """Return what a word of the glossary means.

    Raises:
        KeyError: When it is none.
    """
    return _MEANINGS[word]


_MEANINGS: Final = {item.word: item.meaning for item in GLOSSARY}

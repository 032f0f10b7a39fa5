"""Say which files a model differs in from the one that evidence or a verdict is about.

Evidence carries the checksum of every file that was examined. They count here only when the digest that they combine
to is the one that the statement is about, so nothing else can be said to have been judged.
"""

from __future__ import annotations

from weighbridge.errors import ParseError, VerificationError
from weighbridge.evidence.measurements import ModelScanMeasurements
from weighbridge.evidence.record import CheckRecord
from weighbridge.evidence.statement import MANIFEST_ALGORITHM, Statement
from weighbridge.model.difference import Difference
from weighbridge.model.digest import ALGORITHM, Digest, ModelFiles


def claimed_model(statement: Statement) -> Digest | None:
    """Return the one model that a statement is about; None when it is about none, or several."""
    found = {
        subject.digest.get(ALGORITHM) for subject in statement.subject if set(subject.digest) != {MANIFEST_ALGORITHM}
    }
    if len(found) != 1:
        return None
    try:
        return Digest(found.pop() or "")
    except ParseError:
        return None


def recorded_files(record: CheckRecord, *, model: Digest) -> ModelFiles | None:
    """Return the files that a record says were examined; None when it says of too few, or of those of another model."""
    pairs = [(file.path, file.sha256) for file in record.files]
    if not pairs and isinstance(record.measurements, ModelScanMeasurements):
        pairs = [(file.path, file.sha256) for file in record.measurements.files if file.sha256 is not None]
    files = ModelFiles.of(dict(pairs))
    return files if files.digest == model else None


def naming_files(error: VerificationError, *, judged: ModelFiles, present: ModelFiles) -> VerificationError:
    """Return a refusal that says first which files differ and then the digests, and what to do about needless ones."""
    difference = Difference.between(judged.files, present.files)
    remedy = "; ".join(filter(None, (difference.advice(), error.remedy)))
    return VerificationError(f"these are other files: {difference.sentence()}; {error.message}", remedy=remedy)

"""A verdict names the model's image beside the model, and nothing else beside it."""

from __future__ import annotations

import pytest

from weighbridge.errors import ParseError, VerificationError
from weighbridge.evidence.statement import STATEMENT_TYPE, Statement, Subject
from weighbridge.model.digest import Digest, ManifestDigest

MODEL, IMAGE = Digest("a" * 64), ManifestDigest("b" * 64)


def statement(*digests: dict[str, str]) -> Statement:
    subjects = tuple(Subject(digest=digest) for digest in digests)
    return Statement(type=STATEMENT_TYPE, subject=subjects, predicate_type="https://example.org/p", predicate={})


def test_the_image_is_a_second_subject() -> None:
    made = Statement.about(MODEL, name="m", predicate_type="https://example.org/p", predicate={}, manifest=IMAGE)
    assert [subject.digest for subject in made.subject] == [{"dirHash": "a" * 64}, {"sha256": "b" * 64}]
    made.require_subject(MODEL)
    assert made.manifest() == IMAGE


def test_a_statement_without_image_still_holds() -> None:
    made = statement({"dirHash": MODEL.hex})
    made.require_subject(MODEL)
    assert made.manifest() is None


@pytest.mark.parametrize(
    "digests",
    [
        pytest.param([{"sha256": "b" * 64}], id="image-only"),
        pytest.param([{"dirHash": "a" * 64}, {"sha256": "b" * 64}, {"sha256": "c" * 64}], id="two-images"),
        pytest.param([{"dirHash": "a" * 64}, {"dirHash": "c" * 64}, {"sha256": "b" * 64}], id="two-models"),
        pytest.param([{"dirHash": "a" * 64}, {"gitCommit": "c" * 40}], id="something-else"),
        pytest.param([{"dirHash": "a" * 64}, {"sha256": "b" * 64, "sha512": "c" * 128}], id="image-and-more"),
    ],
)
def test_refuses_other_subjects_beside_the_model(digests: list[dict[str, str]]) -> None:
    with pytest.raises(VerificationError):
        statement(*digests).require_subject(MODEL)


def test_refuses_several_images() -> None:
    with pytest.raises(VerificationError, match="several images"):
        statement({"dirHash": "a" * 64}, {"sha256": "b" * 64}, {"sha256": "c" * 64}).manifest()


def test_refuses_an_image_that_is_no_digest() -> None:
    with pytest.raises(ParseError):
        statement({"dirHash": "a" * 64}, {"sha256": "B" * 64}).manifest()

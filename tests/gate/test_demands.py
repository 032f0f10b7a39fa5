"""What `verify` says first of a verdict that is not to be accepted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from weighbridge.errors import VerificationError
from weighbridge.gate.decision import VerdictResult
from weighbridge.gate.demands import DEMANDS

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def _verdict(result: VerdictResult) -> Any:
    # By advisories that were too old when it was made, its end lies before its beginning.
    detail = SimpleNamespace(requirements=(), problems=("the advisories are old",))
    return SimpleNamespace(
        time=NOW - timedelta(minutes=1),
        valid_until=NOW - timedelta(days=100),
        result=result,
        summary=SimpleNamespace(detail=detail),
    )


def test_of_a_verdict_that_did_not_pass_its_end_says_nothing() -> None:
    for result in (VerdictResult.UNDECIDED, VerdictResult.FAILED):
        with pytest.raises(VerificationError, match=f"the verdict is {result}: the advisories are old"):
            DEMANDS["times"](_verdict(result), cast("Any", None), NOW)
    with pytest.raises(VerificationError, match="was valid until"):
        DEMANDS["times"](_verdict(VerdictResult.PASSED), cast("Any", None), NOW)

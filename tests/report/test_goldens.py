from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.report import samples
from tests.report.conftest import Golden
from weighbridge.report import junit, markdown, sarif, whole_json
from weighbridge.report.interface import ReportInput

ENDINGS: dict[str, Callable[[ReportInput], str]] = {
    "sarif": sarif.render,
    "xml": junit.render,
    "md": markdown.render,
    "json": whole_json.render,
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("sample", ["passed", "failed", "undecided"])
def test_writes_what_it_wrote_before(sample: str, ending: str, golden: Golden) -> None:
    golden(ENDINGS[ending](samples.SAMPLES[sample]()), f"{sample}.{ending}")


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("sample", samples.SAMPLES)
def test_same_value_gives_same_text(sample: str, ending: str) -> None:
    assert ENDINGS[ending](samples.SAMPLES[sample]()) == ENDINGS[ending](samples.SAMPLES[sample]())

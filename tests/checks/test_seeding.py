"""A statistic has its seed before a worker starts, from what it is measured on and from nothing else."""

from __future__ import annotations

from pathlib import Path

from tests.builders import MODEL_DIGEST
from weighbridge.checks.interface import CheckRequest, LeakageOptions, ModelScanOptions, Options, RobustnessOptions
from weighbridge.checks.seeding import seeded
from weighbridge.evidence.measurements import Input, InputRole
from weighbridge.evidence.record import CheckName, Seed, SeedSource
from weighbridge.evidence.seeds import seed_from_digests
from weighbridge.model.digest import Digest

SHA256 = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
"""Of one letter a."""


def ask(options: Options, *, model: Digest = MODEL_DIGEST, secret: bytes | None = None) -> tuple[Options, Seed | None]:
    request, seed = seeded(CheckRequest(model="/model", options=options), model=model, secret=secret)
    return request.options, seed


def data(directory: Path, name: str = "a.npz") -> str:
    (directory / name).write_text("a")
    return str(directory / name)


def test_the_seed_is_the_one_that_a_gate_computes_again(tmp_path: Path) -> None:
    options, seed = ask(RobustnessOptions(data=data(tmp_path)))
    test = Input(name="whatever", sha256=SHA256, rows=7, role=InputRole.TEST)
    amounts = (("epsilon", 0.1), ("queries", 1000), ("samples", 200))
    assert seed == seed_from_digests(CheckName.ROBUSTNESS, model=MODEL_DIGEST, inputs=[test], amounts=amounts)
    assert isinstance(options, RobustnessOptions)
    assert options.seed == seed.value
    leak, other = ask(LeakageOptions(members=data(tmp_path), non_members=data(tmp_path, "b.npz")))
    assert isinstance(leak, LeakageOptions)
    assert other is not None
    assert leak.seed == other.value != seed.value


def test_another_model_or_a_secret_has_another_seed(tmp_path: Path) -> None:
    options = RobustnessOptions(data=data(tmp_path))
    found = [
        ask(options)[1],
        ask(options, model=Digest("1" * 64))[1],
        ask(RobustnessOptions(data=options.data, queries=999))[1],
        ask(options, secret=b"s" * 32)[1],
        ask(options, secret=b"t" * 32)[1],
    ]
    assert len({seed.value for seed in found if seed is not None}) == 5
    assert [seed.source for seed in found if seed is not None][3:] == [SeedSource.PLATFORM] * 2


def test_a_chosen_seed_is_called_its_askers(tmp_path: Path) -> None:
    options, seed = ask(RobustnessOptions(data=data(tmp_path), seed=7))
    assert seed == Seed(value=7, source=SeedSource.ASKER)
    assert isinstance(options, RobustnessOptions)
    assert options.seed == 7


def test_a_fact_has_no_seed_and_neither_has_what_cannot_be_read(tmp_path: Path) -> None:
    assert ask(ModelScanOptions())[1] is None
    for place in (tmp_path / "missing.npz", tmp_path):
        assert ask(RobustnessOptions(data=str(place)))[1] is None

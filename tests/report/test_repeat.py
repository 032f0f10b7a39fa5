"""The commands on a page do what they say, and no name in evidence can make them do anything else."""

from __future__ import annotations

import shlex
from dataclasses import replace

import msgspec
import pytest

from tests.report import samples
from weighbridge.evidence.record import CheckName
from weighbridge.report.interface import ReportInput
from weighbridge.report.repeat import check_command, parts_of, run_command, verify_command


def test_each_check_has_its_command_with_the_inputs_by_name() -> None:
    commands = [check_command(view.record, model="digits") for view in samples.passed().evidence]
    assert commands == [
        "weighbridge scan digits",
        "weighbridge audit digits --lock requirements.lock",
        "weighbridge robustness digits --data holdout.npz --epsilon 0.1 --queries 1000 --samples 200",
        "weighbridge leakage digits --members train.npz --non-members holdout.npz",
    ]


def test_the_whole_is_one_command_and_a_passed_verdict_has_one_to_verify_it() -> None:
    assert run_command(samples.passed()) == (
        "weighbridge run digits-classifier --policy production.yaml --trust TRUST.yaml --keys KEYS "
        "--lock requirements.lock --data holdout.npz --members train.npz --non-members holdout.npz "
        "--report report.html"
    )
    assert verify_command(samples.passed()) == (
        "weighbridge verify digits-classifier --verdict digits-classifier.verdict.sigstore.json "
        "--trust TRUST.yaml --policy production.yaml"
    )


def test_nothing_is_to_be_verified_that_did_not_pass_or_is_not_signed() -> None:
    for report in (samples.failed(), samples.undecided(), samples.revoked(), samples.evidence_only()):
        assert verify_command(report) == ""
    whole = samples.passed()
    assert whole.verdict is not None
    assert verify_command(replace(whole, verdict=replace(whole.verdict, signed_by=None))) == ""
    assert run_command(samples.evidence_only()) == ""


@pytest.mark.parametrize(
    "name",
    [
        "x; rm -rf ~",
        "$(id)",
        "`id`",
        "--trust=evil.yaml",
        "-o",
        "a\nb",
        "a\x1b[2J",
        "a\u202eb",
        "..",
        "",
        "../../etc/passwd",
        "n" * 500,
        "'; id; '",
        "a&b",
        "a|b",
        samples.HOSTILE,
    ],
)
def test_a_hostile_name_never_becomes_part_of_a_command(name: str) -> None:
    attacked = samples.robustness()
    attacked = msgspec.structs.replace(attacked, data=msgspec.structs.replace(attacked.data, name=name))
    command = check_command(samples.record(CheckName.ROBUSTNESS, attacked), model=name)
    assert command == "weighbridge robustness MODEL --data FILE --epsilon 0.1 --queries 1000 --samples 200"
    whole = samples.passed()
    assert whole.verdict is not None
    named = ReportInput(
        model=name, digest=samples.DIGEST, evidence=(), verdict=replace(whole.verdict, policy_file=name)
    )
    assert shlex.split(run_command(named))[:5] == ["weighbridge", "run", "MODEL", "--policy", "POLICY.yaml"]
    assert "--verdict VERDICT" in verify_command(replace(named, model="-" + name))


def test_a_name_with_a_space_is_quoted() -> None:
    command = check_command(samples.record(CheckName.MODEL_SCAN, samples.scan()), model="my model")
    assert shlex.split(command) == ["weighbridge", "scan", "my model"]


def test_parameters_that_are_no_numbers_are_left_out() -> None:
    record = msgspec.structs.replace(
        samples.record(CheckName.ROBUSTNESS, samples.robustness()),
        parameters={"epsilon": "1; id", "queries": True, "samples": 7},
    )
    assert check_command(record, model="m") == "weighbridge robustness m --data holdout.npz --samples 7"


def test_parts_of_a_command_are_its_words_whatever_the_names_are() -> None:
    for model in ("m", "my model", "x; id"):
        command = check_command(samples.record(CheckName.LEAKAGE, samples.leakage()), model=model)
        parts = parts_of(command)
        assert " ".join(parts) == command
        assert len(parts) == 7

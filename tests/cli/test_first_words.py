"""What users of other tools type first works, or says what to type."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.builders import Scene
from tests.cli.conftest import Shell
from weighbridge.cli._environment import this_environment
from weighbridge.errors import UsageError


@pytest.fixture
def models(shell: Shell) -> Path:
    """Three models: clean/, program/ and unread/."""
    for name, file, data in (
        ("clean", "config.json", b"{}"),
        ("program", "setup.py", b"import os\n"),
        ("unread", "weights.xyz", b"\x00" * 64),
    ):
        (shell.directory / name).mkdir()
        (shell.directory / name / file).write_bytes(data)
    return shell.directory


def piped(shell: Shell, data: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        shell.line(*arguments), cwd=shell.directory, env=shell.variables(), input=data, capture_output=True, check=False
    )


@pytest.mark.landlock
def test_several_models_have_one_report_and_the_worst_exit_code(shell: Shell, models: Path) -> None:
    for names, code, word in (
        (("clean", "clean"), 0, "passed"),
        (("clean", "unread"), 2, "undecided"),
        (("unread", "program", "clean"), 1, "failed"),
        (("clean", "nowhere"), 2, "undecided"),
    ):
        scan = shell.run("scan", *names, "--json")
        report = json.loads(scan.out)
        assert (scan.code, report["verdict"]) == (code, word)
        assert len(report["reports"]) + len(report["unread"]) == len(names)
    text = shell.run("scan", "clean", "program")
    assert text.code == 1
    assert "Model scan of clean" in text.out
    assert "Model scan of program" in text.out
    log = json.loads(shell.run("scan", "clean", "program", "--format", "sarif").out)
    assert len(log["runs"]) == 2


def test_a_format_about_one_model_is_refused_for_several(shell: Shell, models: Path) -> None:
    scan = shell.run("scan", "clean", "program", "--format", "html")
    assert (scan.code, scan.out) == (64, "")


@pytest.mark.landlock
def test_a_model_on_the_standard_input(shell: Shell) -> None:
    assert piped(shell, b"{}", "scan", "-").returncode == 0
    assert piped(shell, b"#!/bin/sh\n", "scan", "-").returncode == 1
    empty = piped(shell, b"", "scan", "-")
    assert (empty.returncode, b"standard input is empty" in empty.stderr) == (2, True)
    twice = piped(shell, b"{}", "scan", "-", "-")
    assert (twice.returncode, b"read once" in twice.stderr) == (64, True)
    assert list(shell.directory.iterdir()) == []


def test_nobody_signs_what_has_no_name(shell: Shell) -> None:
    signed = piped(shell, b"{}", "scan", "-", "--key", "k")
    assert (signed.returncode, b"has none" in signed.stderr) == (64, True)


@pytest.mark.landlock
def test_requirements_on_the_standard_input(shell: Shell) -> None:
    audit = piped(shell, b"requests==2.0.0\n", "audit", "-r", "-", "--json")
    assert audit.returncode == 1
    assert json.loads(audit.stdout)["subject"]["name"] == "stdin"


def test_the_standard_input_is_bounded(shell: Shell) -> None:
    audit = piped(shell, b"#" * (16 * 1024**2 + 1), "audit", "-r", "-")
    assert (audit.returncode, b"has more than" in audit.stderr) == (2, True)


@pytest.mark.landlock
def test_output_into_a_file_and_nothing_printed(shell: Shell, models: Path) -> None:
    scan = shell.run("scan", "program", "-o", "report.json", "--quiet")
    assert (scan.code, scan.out) == (1, "")
    assert json.loads((models / "report.json").read_text())["verdict"] == "failed"
    text = shell.run("scan", "program", "-o", "report.txt", "--format", "text", FORCE_COLOR="1")
    assert (text.code, text.out) == (1, "")
    written = (models / "report.txt").read_text()
    assert "Model scan of program" in written
    assert "\x1b" not in written
    assert shell.run("scan", "program", "-q").code == 64


def test_an_output_in_the_model_or_of_no_format_is_refused(shell: Shell, models: Path) -> None:
    inside = shell.run("scan", "clean", "-o", "clean/report.json")
    assert (inside.code, "lies inside the model" in inside.err) == (64, True)
    assert shell.run("scan", "clean", "program", "-o", "program/report.json").code == 64
    assert shell.run("scan", "clean", "-o", "report").code == 64
    assert sorted(path.name for path in models.rglob("*report*")) == []


@pytest.mark.landlock
def test_json_is_short_for_its_format(shell: Shell, models: Path) -> None:
    for arguments in (("--json",), ("--json", "--format", "json"), ("--format", "json")):
        assert json.loads(shell.run("scan", "clean", *arguments).out)["verdict"] == "passed"
    both = shell.run("scan", "clean", "--json", "--format", "html")
    assert (both.code, both.out) == (64, "")


@pytest.mark.landlock
def test_a_severity_hides_rows_and_no_answer(shell: Shell) -> None:
    (shell.directory / "requirements.txt").write_text("requests==2.0.0\n")
    audit = shell.run("audit", "-r", "requirements.txt", "--severity", "critical")
    assert audit.code == 1
    assert "below critical not shown; the answer counts every one" in audit.out
    for form in ("json", "sarif", "html"):
        refused = shell.run("audit", "-r", "requirements.txt", "--severity", "high", "--format", form)
        assert (refused.code, refused.out) == (64, "")


def installed(directory: Path, name: str = "six") -> Path:
    site = directory / "lib" / "python3.12" / "site-packages"
    (site / f"{name}-1.17.0.dist-info").mkdir(parents=True)
    (site / f"{name}-1.17.0.dist-info" / "METADATA").write_text(f"Name: {name}\nVersion: 1.17.0\n")
    (directory / "bin").mkdir()
    program = directory / "bin" / "python"
    program.write_text("#!/bin/sh\ntouch started\n")
    program.chmod(0o755)
    (directory / "pyvenv.cfg").write_text("home = /usr/bin\n")
    return directory


@pytest.mark.landlock
def test_an_audit_of_nothing_is_of_the_active_environment(shell: Shell) -> None:
    environment = installed(shell.directory / "venv")
    audit = shell.run("audit", "--json", VIRTUAL_ENV=str(environment))
    assert f"auditing the environment {environment}, of $VIRTUAL_ENV" in audit.err
    assert [item["name"] for item in json.loads(audit.out)["measurements"]["components"]] == ["six"]


def test_the_environment_is_that_of_the_python_on_the_path_which_is_not_started(tmp_path: Path) -> None:
    environment = installed(tmp_path / "venv")
    found = this_environment({"PATH": str(environment / "bin")})
    assert found.path == environment
    assert "on PATH" in found.found_by
    assert not list(tmp_path.rglob("started"))
    assert this_environment({"PATH": ""}).found_by == "the Python that runs weighbridge"
    with pytest.raises(UsageError, match="holds no installed package"):
        this_environment({"VIRTUAL_ENV": str(tmp_path)})


def test_what_a_model_is_served_with_is_for_somebody_to_say(shell: Shell, models: Path) -> None:
    (models / "clean" / "requirements.txt").write_text("six==1.17.0\n")
    audit = shell.run("audit", "clean")
    assert audit.code == 64
    assert "there is -r clean/requirements.txt" in audit.err


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hf://org/name", "hf download org/name --local-dir name"),
        ("org/name", "hf download org/name"),
        ("models:/fraud/3", "mlflow artifacts download --artifact-uri models:/fraud/3"),
        ("s3://bucket/key", "aws s3 cp"),
        ("gs://bucket/key", "gcloud storage cp"),
        ("https://host/model.onnx", "curl -fLO"),
        ("https://host/'; rm -rf ~\x1b[2J", "curl -fLO"),
        ("oci://host/model", "weighbridge pull"),
        ("x-y.z://" + "a" * 5000, "download the model"),
    ],
)
@pytest.mark.parametrize("command", ["scan", "digest", "run"])
def test_a_name_on_a_hub_ends_in_what_to_do(shell: Shell, command: str, name: str, words: str) -> None:
    result = shell.run(command, name)
    assert (result.code, result.out) == (64, "")
    assert words in result.err
    assert "\x1b" not in result.err
    assert len(result.err) < 1000


def test_what_is_there_is_a_path_whatever_it_looks_like(shell: Shell) -> None:
    (shell.directory / "org").mkdir()
    (shell.directory / "org" / "name").write_text("{}")
    assert shell.run("digest", "org/name").code == 0
    assert shell.run("digest", "org/other").code == 2  # a path that is not there


@pytest.mark.parametrize("word", ["sign", "attest", "fs", "image", "sbom", "generate-key-pair"])
def test_words_of_other_tools_say_what_to_type(shell: Shell, word: str) -> None:
    result = shell.run(word, "model", "--key", "k")
    assert (result.code, result.out) == (64, "")
    assert "next step: " in result.err
    assert "weighbridge" in result.err


def test_version_is_a_command_too(shell: Shell) -> None:
    assert shell.run("version").out == shell.run("--version").out


@pytest.mark.landlock
def test_every_option_has_a_variable_and_the_command_line_wins(shell: Shell, models: Path) -> None:
    assert json.loads(shell.run("scan", "clean", WEIGHBRIDGE_SCAN_FORMAT="json").out)["verdict"] == "passed"
    shown = shell.run("scan", "clean", "--format", "text", WEIGHBRIDGE_SCAN_FORMAT="json")
    assert shown.out.startswith("Model scan of clean")
    wrong = shell.run("scan", "clean", WEIGHBRIDGE_SCAN_FORMAT="pdf")
    assert (wrong.code, wrong.out) == (64, "")
    made = shell.run("keys", "new", "scanner", WEIGHBRIDGE_KEYS_NEW_OUTPUT="elsewhere")
    assert made.code == 0
    assert os.path.exists(models / "elsewhere" / "scanner.key")


def test_what_gives_up_the_point_of_a_command_is_typed(shell: Shell, models: Path) -> None:
    from weighbridge.cli import command
    from weighbridge.cli._variables import long_name, variable

    found = command.get_command(None, "verify")  # type: ignore[arg-type]
    assert found is not None
    variables = {param.name: param.envvar for param in found.params if hasattr(param, "is_flag")}
    assert variables["any_policy"] is None
    assert variables["trust"] == variable("verify", "--trust") == "WEIGHBRIDGE_VERIFY_TRUST"
    assert long_name(next(param for param in found.params if param.name == "policy")) == "--policy"  # type: ignore[arg-type]


GATE = ("gate", "model", "--policy", "policy.yaml", "--trust", "trust.yaml", "--key", "keys/verifier.key")
VERIFY = ("verify", "model", "--verdict", "model.verdict.sigstore.json", "--trust", "trust.yaml")


def test_what_a_person_reads_is_in_one_place_and_a_document_is_alone(judged: Scene, shell: Shell) -> None:
    text = shell.run(*GATE, "--report", "report.html")
    assert text.err == ""
    assert text.out.index("Verdict: passed") < text.out.index("verdict: ") < text.out.index("report: ")
    document = shell.run(*GATE, "--json", "--report", "report.html")
    assert json.loads(document.out)["verdict"]["verdict"] == "passed"
    assert "verdict: " in document.err
    passed = shell.run(*VERIFY, "--policy", "policy.yaml")
    assert (passed.code, passed.err) == (0, "")
    (judged.model / "a.bin").write_bytes(b"other")
    refused = shell.run(*VERIFY, "--policy", "policy.yaml")
    assert (refused.code, refused.err) == (1, "")
    assert refused.out.startswith("refused: ")
    told = shell.run(*VERIFY, "--policy", "policy.yaml", "--json")
    assert json.loads(told.out)["verified"] is False


def test_quiet_leaves_the_exit_code(judged: Scene, shell: Shell) -> None:
    gate = shell.run(*GATE, "--quiet")
    assert (gate.code, gate.out, gate.err) == (0, "", "")
    verify = shell.run(*VERIFY, "--policy", "policy.yaml", "--quiet")
    assert (verify.code, verify.out, verify.err) == (0, "", "")
    (judged.model / "a.bin").write_bytes(b"other")
    refused = shell.run(*VERIFY, "--policy", "policy.yaml", WEIGHBRIDGE_VERIFY_QUIET="1")
    assert (refused.code, refused.out, refused.err) == (1, "", "")


def test_no_two_options_share_a_variable() -> None:
    from tests.cli.paths import commands

    seen: dict[str, tuple[tuple[str, ...], str | None]] = {}
    for words, item in commands():
        for param in item.params:
            if isinstance(param.envvar, str):
                assert seen.setdefault(param.envvar, (words, param.name)) == (words, param.name)
    assert len(seen) > 100
    assert not {name for name in seen if name.startswith(("WEIGHBRIDGE_PASSPHRASE", "WEIGHBRIDGE_DEBUG"))}


def test_a_completion_is_not_in_the_way_of_a_project(shell: Shell) -> None:
    (shell.directory / "pyproject.toml").write_text('[tool.weighbridge.run]\npolicy = "mine.yaml"\n')
    done = shell.run(_WEIGHBRIDGE_COMPLETE="bash_complete", COMP_WORDS="weighbridge run --tr", COMP_CWORD="2")
    assert "--trust" in done.out
    assert done.err == ""


def test_an_environment_that_is_taken_for_a_model_is_named_with_the_option(shell: Shell) -> None:
    place = shell.directory / "training env"
    place.mkdir()
    (place / "pyvenv.cfg").write_text("home = /usr/bin\n")
    done = shell.run("audit", "training env")
    assert done.code == 64
    assert "training env is an environment of Python and no model" in done.err
    assert "next step: weighbridge audit --environment 'training env'" in done.err


def test_an_audit_says_how_old_its_advisories_are(shell: Shell) -> None:
    (shell.directory / "requirements.txt").write_text("pillow==9.5.0\n")
    done = shell.run("audit", "-r", "requirements.txt")
    assert done.code == 1
    assert "advisories as of 2026-" in done.out
    assert "pillow 9.5.0" in done.out
    assert "or later" in " ".join(done.out.split())


def test_a_model_called_help_lets_nothing_pass(shell: Shell) -> None:
    (shell.directory / "evil.pkl").write_bytes(b"cos\nsystem\n(Vtrue\ntR.")
    assert shell.run("scan", "--help").code == 0
    for command in (("scan", "--help", "evil.pkl"), ("verify", "evil.pkl", "-h"), ("run", "evil.pkl", "--help")):
        done = shell.run(*command)
        assert done.code == 64
        assert "nothing was done" in done.err


def test_an_entry_called_like_the_standard_input_is_not_taken_for_it(shell: Shell) -> None:
    (shell.directory / "-").mkdir()
    done = shell.run("scan", "-")
    assert done.code == 64
    assert "write ./- for the entry" in done.err


@pytest.mark.parametrize("form", ["sarif", "markdown"])
def test_a_report_of_several_names_what_could_not_be_read_or_is_not_written(shell: Shell, form: str) -> None:
    (shell.directory / "good").mkdir()
    (shell.directory / "good" / "a.json").write_text("[]")
    (shell.directory / "linked").mkdir()
    (shell.directory / "linked" / "a").symlink_to("/etc/hostname")
    done = shell.run("scan", "good", "linked", "--format", form, "-o", "report.txt")
    assert done.code == 2
    assert "no place for what could not be read (linked)" in done.err
    assert not (shell.directory / "report.txt").exists()
    assert shell.run("scan", "good", "linked", "--format", "text", "-o", "report.txt").code == 2
    written = (shell.directory / "report.txt").read_text()
    assert "could not be read: linked: " in written
    assert written.endswith("2 models, together: undecided\n")

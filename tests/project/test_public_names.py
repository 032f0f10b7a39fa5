from __future__ import annotations

import subprocess
import sys

import pytest

import weighbridge
from weighbridge import errors

PUBLIC = [
    "Digest",
    "InputError",
    "KeyFileError",
    "ModelError",
    "OutputError",
    "ParseError",
    "PolicyError",
    "RegistryError",
    "TrustError",
    "UnsafeAnyPolicy",
    "UsageError",
    "Verdict",
    "VerificationError",
    "WeighbridgeError",
    "WorkerError",
    "__version__",
    "hash_model",
    "verify",
]
HEAVY = {"numpy", "sklearn", "onnxruntime", "onnx", "jinja2", "kfp", "kubernetes", "torch", "http.server"}


def modules_after(code: str) -> set[str]:
    probe = f"{code}\nimport sys\nprint(*sys.modules, sep='\\n')"
    return set(subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout.split())


def test_the_public_names_are_exactly_these() -> None:
    assert sorted(weighbridge.__all__) == sorted(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_can_be_had_and_says_what_it_is(name: str) -> None:
    value = getattr(weighbridge, name)
    assert isinstance(value, str) or value.__doc__


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="gate_model"):
        _ = weighbridge.gate_model


def test_every_error_is_public() -> None:
    defined = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert defined <= set(PUBLIC)


def test_importing_the_package_imports_none_of_its_parts() -> None:
    loaded = modules_after("import weighbridge")
    assert {name for name in loaded if name.startswith("weighbridge")} == {"weighbridge"}


@pytest.mark.parametrize(
    "code",
    ["import weighbridge; weighbridge.verify", "import weighbridge.cli", "import weighbridge.cli.verify"],
)
def test_verifying_imports_nothing_heavy(code: str) -> None:
    assert not modules_after(code) & HEAVY


def test_help_loads_no_command_and_no_cryptography() -> None:
    loaded = modules_after("from weighbridge.cli import execute; assert execute(['--help']) == 0")
    assert not {name for name in loaded if name.startswith("weighbridge.cli.")}
    assert "cryptography" not in loaded

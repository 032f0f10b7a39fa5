"""Names of images are read strictly, and plain HTTP stays on this machine."""

from __future__ import annotations

import pytest

from weighbridge.cli._registry import reach
from weighbridge.errors import UsageError
from weighbridge.model.digest import ManifestDigest
from weighbridge.oci.reference import Reference


def test_reads_registry_name_tag_and_digest() -> None:
    found = Reference.parse("registry.example.org:5000/team/a__b/m-1:v1.0@sha256:" + "a" * 64)
    assert found == Reference("registry.example.org:5000", "team/a__b/m-1", "v1.0", ManifestDigest("a" * 64))
    assert found.at(ManifestDigest("b" * 64)) == f"registry.example.org:5000/team/a__b/m-1@sha256:{'b' * 64}"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "model",
            "team/model",
            "https://r.io/m",
            "r.io/",
            "r.io/M",
            "r.io/a//b",
            "r.io/../m",
            "r.io/m:",
            "r.io/m@",
        ),
        *("user@r.io/m", "r.io/m@sha256:abc", "r.io/m@sha512:" + "a" * 64, "r.io/m ", "r.io/m\n", "r.io/" + "a" * 600),
        *("r.io/m?x=1", "r.io/m#x", "r.io/m@sha256:" + "A" * 64, "r.io:port/m"),
    ],
)
def test_refuses_what_names_no_image(text: str) -> None:
    with pytest.raises(UsageError, match="does not name an image"):
        Reference.parse(text)


@pytest.mark.parametrize("host", ["localhost", "localhost:5000", "127.0.0.1:5000", "127.8.0.1", "[::1]:5000", "[::1]"])
def test_knows_this_machine(host: str) -> None:
    assert Reference.parse(f"{host}/m").is_loopback


@pytest.mark.parametrize(
    "host", ["10.0.0.1:5000", "localhost.example.org", "127.0.0.1.example.org", "[2001:db8::1]:80"]
)
def test_knows_other_machines(host: str) -> None:
    reference = f"{host}/m"
    assert not Reference.parse(reference).is_loopback
    with pytest.raises(UsageError, match="another machine"):
        reach(reference, plain_http=True, insecure=False)


def test_refuses_insecure_alone() -> None:
    with pytest.raises(UsageError, match="means nothing"):
        reach("r.io/m", plain_http=False, insecure=True)

"""The MODEL of a command line: a path; what names a model on a hub or a server ends in what to do about it.

Nothing is fetched here: what is examined must be bytes at hand.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import Any, Final

import click

from weighbridge.errors import UsageError

STANDARD_INPUT: Final = "-"
"""What stands for the standard input in place of a file."""

_SCHEME: Final = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]+):/{1,2}")
_HUB_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_HUBS: Final = frozenset({"hf", "huggingface"})
_MAX_SHOWN: Final = 200


class ModelPath(click.Path):
    """A path to a model; a name on a hub or a server is wrong usage that says how the model gets here."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Return the path.

        Raises:
            UsageError: For what is the name of a model elsewhere and no path here.
        """
        text = os.fsdecode(value)
        # Whatever it looks like, a path that is there is a path.
        if text != STANDARD_INPUT and not os.path.lexists(text):
            require_local(text)
        return super().convert(value, param, ctx)


MODEL_PATH: Final = ModelPath(path_type=Path)
"""The type of every MODEL that is a file or a directory."""


def require_local(text: str) -> None:
    """Return when a text cannot be the name of a model elsewhere.

    Raises:
        UsageError: When it is one, with the command that brings such a model here.
    """
    found = _SCHEME.match(text)
    if found is not None:
        kind = found[1].lower()
        raise UsageError(
            f"{text[:_MAX_SHOWN]} is no path: a model is read from this machine only", remedy=_how(kind, text)
        )
    first = text.partition("/")[0]
    if _HUB_NAME.fullmatch(text) and not os.path.lexists(first):
        raise UsageError(
            f"{text} is no path here; if it is a model of the Hugging Face Hub, that is not read from here",
            remedy=_download(text),
        )


_MLFLOW: Final = "mlflow artifacts download --artifact-uri {} --dst-path DIR, then name DIR"
_PULL: Final = "weighbridge pull REGISTRY/NAME@sha256:DIGEST DIR, then name DIR"
_CURL: Final = "curl -fLO {}, then name the file"
_HOW: Final = {
    "models": _MLFLOW,
    "runs": _MLFLOW,
    "mlflow-artifacts": _MLFLOW,
    "s3": "aws s3 cp --recursive {} DIR, then name DIR",
    "gs": "gcloud storage cp --recursive {} DIR, then name DIR",
    "http": _CURL,
    "https": _CURL,
    "oci": _PULL,
    "docker": _PULL,
    "file": "leave out file:, and name the path",
}
"""What brings a model of each scheme here."""


def _how(kind: str, text: str) -> str:
    if kind in _HUBS:
        return _download(text.partition(":")[2].lstrip("/")[:_MAX_SHOWN])
    how = _HOW.get(kind, "download the model, then name its file or directory")
    return how.format(shlex.quote(text[:_MAX_SHOWN]))


def _download(name: str) -> str:
    parts = [part for part in name.split("/") if part][:2]
    target = shlex.quote(parts[-1] if parts else "DIR")
    return f"hf download {shlex.quote('/'.join(parts) or 'ORG/NAME')} --local-dir {target}, then name {target}"

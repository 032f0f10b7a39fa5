"""Options and small steps that several commands share."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from weighbridge._files import read_limited
from weighbridge.cli._places import MODEL_PATH
from weighbridge.cli._progress import bytes_progress
from weighbridge.evidence.keys import MAX_KEY_BYTES, PrivateKey, PublicKey
from weighbridge.evidence.store import beside
from weighbridge.model.digest import Digest, Silent, hash_model

if TYPE_CHECKING:  # `verify` is to start fast, and needs none of these
    from weighbridge.model.view import PrivateView
    from weighbridge.oci.image import ModelImage

EXIT_CODES: Final = {"passed": 0, "failed": 1, "undecided": 2}
"""Exit code of a check or gate by its result."""

EVIDENCE_PLACE: Final = "evidence/ beside the model; in the current directory for one in the Hub's cache"
"""Where evidence lies when nobody says otherwise, in words; ``weighbridge.evidence.store`` has it in paths."""

MODEL: Final = click.argument("model", type=MODEL_PATH)
EVIDENCE: Final = click.option(
    "--evidence",
    type=click.Path(path_type=Path),
    help=f"Directory of evidence. [default: {EVIDENCE_PLACE}]",
)


def evidence_directory(model: Path, chosen: Path | None) -> Path:
    """Return the directory of evidence: the chosen one, or ``evidence`` where results about the model go."""
    return chosen if chosen is not None else beside(model)


def identify(model: Path) -> Digest:
    """Hash a model with a progress bar.

    Raises:
        ModelError: When it has no digest.
    """
    with bytes_progress("hashing") as progress:
        return hash_model(model, progress=progress)


def identify_image(model: Path) -> ModelImage:
    """Compute a model's digest and its image in one read, with a progress bar.

    Raises:
        ModelError: When it has no digest, or cannot be an image.
    """
    from weighbridge.oci.image import read_image

    with bytes_progress("hashing") as progress:
        return read_image(model, progress=progress)


@contextmanager
def viewed(model: Path) -> Iterator[PrivateView]:
    """Make a private view of a model with a progress bar; nothing may be signed before it is left without an error.

    Raises:
        ModelError: As ``private_view``.
    """
    from weighbridge.model.view import private_view

    with ExitStack() as stack:
        with bytes_progress("copying and hashing") as progress:
            view = stack.enter_context(private_view(model, progress=progress))
        yield view


def examined_image(view: PrivateView) -> ModelImage:
    """Compute the image of what was examined, when the model on disk still is that.

    Raises:
        ModelError: When it is not, naming the files, or when it cannot be an image.
    """
    from weighbridge.oci.image import image_of

    view.require_source_unchanged()
    with bytes_progress("hashing") as progress:
        image = image_of(view, progress=progress or Silent())
    # Of a view in place this was a second read, and both identities go into one signed statement.
    view.require_read_again(dict(image.files))
    return image


def read_private_key(path: Path, *, passphrase: bytes) -> PrivateKey:
    """Read and decrypt a private key file; say on standard error when it is cheaper to guess than a new one.

    Raises:
        InputError: When it cannot be read.
        KeyFileError: When it cannot be decrypted.
    """
    from weighbridge.evidence.key_file import SealedKey
    from weighbridge.report._text import clean

    data = read_limited(path, limit=MAX_KEY_BYTES, what="the private key")
    key = PrivateKey.parse(data, passphrase=passphrase, what=str(path))
    derivation = SealedKey.read(data, what=str(path)).derivation
    if derivation.cheap:
        click.echo(clean(f"weighbridge: {path} is cheap to guess: {derivation.text} derives its key"), err=True)
        click.echo(clean(f"  next step: weighbridge keys rewrap {shlex.quote(str(path))}"), err=True)
    return key


def read_public_key(path: Path) -> PublicKey:
    """Read a public key file.

    Raises:
        InputError: When it cannot be read.
        KeyFileError: When it is not a public key.
    """
    data = read_limited(path, limit=MAX_KEY_BYTES, what="the public key")
    return PublicKey.parse(data.decode(errors="replace"), what=str(path))


def new_nonce() -> str:
    """Return 128 random bits in hex."""
    return secrets.token_hex(16)

"""``weighbridge push MODEL REGISTRY/NAME``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from weighbridge import _json
from weighbridge._files import read_limited, write_atomically
from weighbridge.cli._options import MODEL
from weighbridge.cli._outlet import format_options
from weighbridge.cli._progress import bytes_progress
from weighbridge.cli._registry import reach, transport_options
from weighbridge.errors import UsageError, VerificationError
from weighbridge.evidence.bundle import MAX_BUNDLE_BYTES, read_bundle
from weighbridge.evidence.statement import Statement
from weighbridge.evidence.store import DirectoryStore, StoredFile, require_outside
from weighbridge.gate.summary import VSA
from weighbridge.model.digest import ManifestDigest
from weighbridge.oci.image import read_image
from weighbridge.oci.push import JUDGE_AGAIN, push_model

PATH = click.Path(path_type=Path)


@click.command(short_help="Push a model and its evidence to a registry.")
@MODEL
@click.argument("reference", metavar="REGISTRY/NAME[:TAG]")
@click.option("--evidence", type=PATH, help="Push the evidence in this directory beside the model.")
@click.option("--verdict", type=PATH, help="Push this verdict beside the model.")
@click.option("--model-verdict", type=PATH, help="Write the verdict as a ModelVerdict for `kubectl apply -f` here.")
@transport_options
@format_options(["text", "json"])
def command(
    model: Path,
    reference: str,
    evidence: Path | None,
    verdict: Path | None,
    model_verdict: Path | None,
    plain_http: bool,
    insecure: bool,
    output: str,
) -> None:
    """Push MODEL as an image that pods can mount, with its evidence, and print how a pod names it.

    The image is made from the model's names and bytes only, so the same model has the same digest everywhere.
    Credentials are those of `docker login`.
    """
    registry = reach(reference, plain_http=plain_http, insecure=insecure)
    if registry.reference.digest is not None:
        raise UsageError("a push names no digest; it follows from the model", remedy="leave out @sha256:…")
    bundles = _bundles(evidence, verdict)
    manifest = _write_object(model, verdict, to=model_verdict) if model_verdict is not None else None
    with bytes_progress("hashing") as progress:
        pushed = push_model(model, registry, bundles=bundles, progress=progress)
    if manifest not in (None, pushed.manifest):
        raise VerificationError("the model changed while it was pushed", remedy=JUDGE_AGAIN)
    named = registry.reference.at(pushed.manifest)
    if output == "json":
        document = {
            "reference": named,
            "manifest": str(pushed.manifest),
            "digest": str(pushed.digest),
            "referrers": [str(item) for item in pushed.referrers],
        }
        click.echo(_json.dumps_pretty(document))
        return
    click.echo(f"digest: {pushed.digest}", err=True)
    click.echo(f"evidence: {len(pushed.referrers)} bundles beside it", err=True)
    click.echo(named)


def _bundles(evidence: Path | None, verdict: Path | None) -> list[StoredFile]:
    files = list(DirectoryStore(evidence).read()) if evidence is not None else []
    for file in files:
        if file.problem:
            raise UsageError(f"{file.name} cannot be pushed: {file.problem}", remedy="remove it from the evidence")
    if verdict is not None:
        data = read_limited(verdict, limit=MAX_BUNDLE_BYTES, what="the verdict")
        if all(file.data != data for file in files):
            files.append(StoredFile(verdict.name, data))
    return files


def _write_object(model: Path, verdict: Path | None, *, to: Path) -> ManifestDigest:
    from weighbridge.admission.objects import ModelVerdict

    if verdict is None:
        raise UsageError("--model-verdict needs the verdict that it is about", remedy="give --verdict too")
    require_outside(Path(os.path.abspath(to)), model=model, what="the ModelVerdict")
    data = read_limited(verdict, limit=MAX_BUNDLE_BYTES, what="the verdict")
    statement = Statement.parse(read_bundle(data, what=verdict.name).content(), what=f"the statement in {verdict.name}")
    manifest = read_image(model).manifest_digest
    if statement.predicate_type != VSA or statement.manifest() != manifest:
        raise VerificationError(
            f"{verdict.name} is no verdict about the image {manifest}; no pod could be bound to it", remedy=JUDGE_AGAIN
        )
    write_atomically(to, ModelVerdict.of(data).encode())
    return manifest

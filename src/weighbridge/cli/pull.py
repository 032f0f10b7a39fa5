"""``weighbridge pull REGISTRY/NAME@sha256:HEX TARGET``."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from weighbridge import _json
from weighbridge.cli._outlet import format_options
from weighbridge.cli._progress import bytes_progress
from weighbridge.cli._registry import reach, transport_options
from weighbridge.errors import RegistryError, UsageError
from weighbridge.evidence.store import require_outside
from weighbridge.model.digest import ManifestDigest
from weighbridge.oci.pull import pull_evidence, pull_model
from weighbridge.oci.registry import Registry

PATH = click.Path(path_type=Path)


@click.command(short_help="Pull a model by digest, and the evidence about it.")
@click.argument("reference", metavar="REGISTRY/NAME@sha256:HEX")
@click.argument("target", type=PATH)
@click.option("--evidence", type=PATH, help="Write the evidence that lies beside the model into this directory.")
@click.option("--resolve-tag", is_flag=True, help="Accept a tag, and whatever the registry says it stands for now.")
@transport_options
@format_options(["text", "json"])
def command(
    reference: str,
    target: Path,
    evidence: Path | None,
    resolve_tag: bool,
    plain_http: bool,
    insecure: bool,
    output: str,
) -> None:
    """Write the model into the new directory TARGET and print its digest; verify it before you load it.

    Every byte is compared with its digest, and the image is computed again from the files that were written.
    """
    registry = reach(reference, plain_http=plain_http, insecure=insecure)
    if evidence is not None:
        require_outside(evidence, model=target, what="the evidence directory")
    manifest = registry.reference.digest or _resolve(registry, allowed=resolve_tag)
    with bytes_progress("pulling") as progress:
        digest = pull_model(registry, manifest, target=target, progress=progress)
    found = pull_evidence(registry, manifest, model=digest, into=evidence) if evidence is not None else None
    for problem in found.problems if found is not None else ():
        click.echo(f"left in the registry: {problem!r}", err=True)
    files = [str(path) for path in found.files] if found is not None else []
    if output == "json":
        document = {"reference": registry.reference.at(manifest), "digest": str(digest), "evidence": files}
        click.echo(_json.dumps_pretty(document))
        return
    for path in files:
        click.echo(f"evidence: {path}", err=True)
    click.echo(str(digest))


def _resolve(registry: Registry, *, allowed: bool) -> ManifestDigest:
    tag = registry.reference.tag
    if not allowed or not tag:
        raise UsageError(
            "a model is pulled by digest: a tag can stand for another model tomorrow",
            remedy="write REGISTRY/NAME@sha256:…, as `weighbridge push` prints it, or give :TAG and --resolve-tag",
        )
    data = registry.get_tagged(tag)
    if data is None:
        raise RegistryError(f"{registry.reference.repository} has no tag {tag}", remedy="check the reference")
    manifest = ManifestDigest(hashlib.sha256(data).hexdigest())
    click.echo(f"{tag} stands for {manifest} now", err=True)
    return manifest

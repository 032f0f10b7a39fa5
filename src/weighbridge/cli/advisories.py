"""``weighbridge advisories build|info|sign``."""

from __future__ import annotations

from pathlib import Path

import click

from weighbridge._files import write_atomically
from weighbridge.checks.dependencies.advisories import packaged_bundle
from weighbridge.checks.dependencies.build import build_bundle
from weighbridge.checks.dependencies.bundle import read_packed
from weighbridge.checks.dependencies.info import describe_bundle
from weighbridge.cli._passphrases import PASSPHRASE_FILE
from weighbridge.cli.sign_input import sign_bytes
from weighbridge.clock import MAX_DATE_AHEAD, parse_instant, system_clock
from weighbridge.errors import UsageError
from weighbridge.evidence.measurements import AdvisoryDatabase, InputRole

PATH = click.Path(path_type=Path)


@click.group(short_help="Build and look at advisory bundles.")
def command() -> None:
    """Build and look at advisory bundles: one file, offline, with a date of its own."""


@command.command(short_help="Build a bundle from OSV records.")
@click.argument("sources", type=PATH, nargs=-1, required=True)
@click.option("-o", "--output", type=PATH, required=True, help="The bundle (.jsonl.gz).")
@click.option("--date", "built", required=True, help="When the sources were fetched; the bundle's age counts from it.")
def build(sources: tuple[Path, ...], output: Path, built: str) -> None:
    """Build a bundle from SOURCES: OSV's all.zip of PyPI, directories of OSV records, or other bundles."""
    if parse_instant(built, what="--date") > system_clock() + MAX_DATE_AHEAD:
        raise UsageError(f"--date {built} lies in the future", remedy="give the day on which the sources were fetched")
    bundle = build_bundle(sources, built=built)
    write_atomically(output, bundle.data)
    _say(output, bundle.database)
    if bundle.other_ecosystems or bundle.repeated:
        click.echo(f"  left out: {bundle.other_ecosystems} of other ecosystems, {bundle.repeated} repeated")


@command.command(short_help="Print what a bundle holds.")
@click.argument("bundle", type=PATH, required=False)
def info(bundle: Path | None) -> None:
    """Print what BUNDLE holds; without one, the snapshot that comes with weighbridge."""
    path = bundle or packaged_bundle()
    found = describe_bundle(read_packed(path), name=path.name)
    _say(path, found.database)
    click.echo(f"  {found.packages} packages, {found.malware} records of malware")
    click.echo(f"  {found.without_severity} records without a severity")
    if found.unorderable:
        click.echo(
            f"  {len(found.unorderable)} records with versions that PEP 440 cannot order: undecided where it matters"
        )
    if found.without_versions:
        click.echo(f"  records that name no version and so match nothing: {', '.join(found.without_versions)}")


@command.command(short_help="Answer for a bundle.")
@click.argument("bundle", type=PATH)
@click.option("--key", type=PATH, required=True, help="Private key of a role that signs input:advisories.")
@PASSPHRASE_FILE
def sign(bundle: Path, key: Path, passphrase_file: Path | None) -> None:
    """Sign BUNDLE, which is read as a whole first: what is no bundle is not signed. The signature lies beside it."""
    packed = read_packed(bundle)
    _say(bundle, describe_bundle(packed, name=bundle.name).database)
    # The bytes that were read, not the file again: it may be another one by now.
    sign_bytes(packed, file=bundle, role=InputRole.ADVISORIES, key=key, passphrase_file=passphrase_file)


def _say(path: Path, database: AdvisoryDatabase) -> None:
    click.echo(f"{path.name}: {database.records} records of {database.built} ({database.withdrawn} withdrawn)")
    click.echo(f"  sha256:{database.sha256}")
    in_force = ", ".join(f"{count} of {source}" for source, count in sorted(database.counts.items()))
    click.echo(f"  in force: {in_force}")

"""``weighbridge trust init|add|retire|revoke|policy|extend|show``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import cast, get_args

import click

from weighbridge._files import replace_contents, write_new
from weighbridge.cli._options import read_public_key
from weighbridge.clock import format_instant, parse_duration, parse_instant, system_clock
from weighbridge.errors import ParseError, UsageError
from weighbridge.policy import Policy
from weighbridge.trust import Holder, Signable, Trust, TrustDocument, read_bytes
from weighbridge.trust import edit as trust_edit

FILE = click.argument("trust", type=click.Path(path_type=Path))


@click.group(short_help="Say who may sign what, and revoke.")
def command() -> None:
    """Say who may sign what, and revoke keys, models and policies.

    Every change writes the next version; a reader that has seen a version accepts no lower one for what it judged.
    """


@command.command(short_help="Make a trust document from a directory of public keys.")
@FILE
@click.option("--keys", type=click.Path(path_type=Path), required=True, help="Directory with ROLE.pub files.")
@click.option("--name", default="default", show_default=True, help="Name of the document.")
@click.option("--expires", default="90d", show_default=True, help="A span such as 90d, or a date.")
def init(trust: Path, keys: Path, name: str, expires: str) -> None:
    """Write TRUST, version 1, from the ROLE.pub files of the usual roles."""
    found = {role: keys / f"{role}.pub" for role in trust_edit.USUAL_ROLES if (keys / f"{role}.pub").exists()}
    if not found:
        raise UsageError(
            f"{keys} holds no ROLE.pub of a usual role ({', '.join(trust_edit.USUAL_ROLES)})",
            remedy=f"make them with `weighbridge keys new {' '.join(trust_edit.USUAL_ROLES)} -o {keys}`",
        )
    roles = {role: read_public_key(path) for role, path in found.items()}
    document = trust_edit.new_document(name, roles=roles, expires=_instant(expires, "--expires"))
    write_new(trust, trust_edit.dump(document))
    _say(trust, document)


@command.command(short_help="Give a role a key.")
@FILE
@click.option("--role", required=True, help="The role that gets the key.")
@click.option("--key", type=click.Path(path_type=Path), required=True, help="Public key file.")
@click.option(
    "--signs",
    multiple=True,
    type=click.Choice(list(get_args(Signable))),
    metavar="WHAT",
    help="What a new role signs: a check, verdict, input:ROLE or tries-reset.",
)
@click.option("--not-after", help="When the key ends: a span or a date.")
@click.option("--held-by", type=click.Choice(["platform", "namespace"]), help="Who holds a new role's keys.")
def add(trust: Path, role: str, key: Path, signs: tuple[str, ...], not_after: str | None, held_by: str | None) -> None:
    """Give a role in TRUST a further key, or make the role.

    Roles that answer for inputs (`--signs input:test`, `input:advisories` …) or forgive tries (`--signs tries-reset`)
    sign nothing else.
    """
    end = _instant(not_after, "--not-after") if not_after else None
    _change(
        trust,
        trust_edit.add_key(
            _read(trust),
            role=role,
            signs=cast("tuple[Signable, ...]", signs),
            key=read_public_key(key),
            not_after=end,
            held_by=cast("Holder | None", held_by),
        ),
    )


@command.command(short_help="End the validity of a key.")
@FILE
@click.argument("key_id")
@click.option("--at", required=True, help="When: `now`, a span from now such as 14d, or a date.")
def retire(trust: Path, key_id: str, at: str) -> None:
    """End the validity of KEY_ID (SHA256:…) at an instant; what it signed, and verdicts on it, count until then.

    For a rotation that holds no pod, add the new key first and let both be valid for longer than a verdict is.
    """
    end = system_clock() if at == "now" else _instant(at, "--at")
    _change(trust, trust_edit.retire_key(_read(trust), key_id=key_id, at=end))


@command.command(short_help="Revoke a key, a model or a policy.")
@FILE
@click.argument("item")
@click.option("--reason", required=True, help="Why, for whoever is refused because of it.")
def revoke(trust: Path, item: str, reason: str) -> None:
    """Revoke ITEM at once: a key SHA256:…, a model dirHash:… or a policy sha256:…."""
    _change(trust, trust_edit.revoke(_read(trust), item=item, reason=reason))


@command.command(short_help="Let verdicts by a policy count, and by no other.")
@FILE
@click.argument("policy", type=click.Path(path_type=Path))
def policy(trust: Path, policy: Path) -> None:
    """List POLICY in TRUST: from the first one listed on, verdicts by a policy that is not listed do not count.

    A newer policy of the same name takes the place of the older one.
    """
    parsed = Policy.read(policy)
    click.echo(f"{parsed.name} (mode {parsed.mode}) sha256:{parsed.digest}")
    _change(trust, trust_edit.list_policy(_read(trust), name=parsed.name, digest=parsed.digest))


@command.command(short_help="Move the date of expiry.")
@FILE
@click.option("--expires", required=True, help="A span from now such as 90d, or a date.")
def extend(trust: Path, expires: str) -> None:
    """Move the date after which TRUST refuses everything."""
    _change(trust, trust_edit.extend(_read(trust), expires=_instant(expires, "--expires")))


@command.command(short_help="Print roles, keys and revocations.")
@FILE
def show(trust: Path) -> None:
    """Print what TRUST says: roles, keys and revocations."""
    parsed = Trust.read(trust)
    click.echo(f"{parsed.name} version {parsed.version}, expires {format_instant(parsed.expires)}")
    click.echo(f"sha256:{parsed.digest}")
    for key in parsed.keys:
        end = f", until {format_instant(key.not_after)}" if key.not_after else ""
        held = ", held by the platform" if key.held_by == "platform" else ""
        signs = ", ".join(sorted(key.signs))
        click.echo(f"  {key.role}: {key.key.id} ({key.key.algorithm}) signs {signs}{end}{held}")
    for listed in parsed.policies:
        click.echo(f"  policy {listed.name} {listed.id}")
    for kind, items in (
        ("key", parsed.revoked.keys),
        ("model", parsed.revoked.models),
        ("policy", parsed.revoked.policies),
    ):
        for item in items:
            click.echo(f"  revoked {kind} {item.id}: {item.reason}")


def _instant(text: str, what: str) -> datetime:
    try:
        return system_clock() + parse_duration(text, what=what)
    except ParseError:
        return parse_instant(text, what=what)


def _read(path: Path) -> TrustDocument:
    return trust_edit.parse_document(read_bytes(path), name=path.name)


def _change(path: Path, document: TrustDocument) -> None:
    replace_contents(path, trust_edit.dump(document))
    _say(path, document)


def _say(path: Path, document: TrustDocument) -> None:
    click.echo(f"{path}: version {document.spec.version}, expires {document.spec.expires}")

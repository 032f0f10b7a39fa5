"""What ``push`` and ``pull`` share: how the registry is reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from weighbridge.errors import UsageError
from weighbridge.oci.reference import Reference
from weighbridge.oci.registry import Registry, Transport

C = TypeVar("C", bound=Callable[..., Any])


def transport_options(function: C) -> C:
    """Add the options that say how the registry is reached."""
    for option in (
        click.option("--insecure", is_flag=True, help="With --plain-http: also to a registry on another machine."),
        click.option("--plain-http", is_flag=True, help="Reach a registry on this machine without TLS."),
    ):
        function = option(function)
    return function


def reach(reference: str, *, plain_http: bool, insecure: bool) -> Registry:
    """Return the registry that a reference names; nothing is sent yet.

    Raises:
        UsageError: For a reference that names none, and for plain HTTP to another machine unless that was said.
    """
    place = Reference.parse(reference)
    if insecure and not plain_http:
        raise UsageError("--insecure alone means nothing", remedy="give --plain-http too, or neither")
    if plain_http and not insecure and not place.is_loopback:
        raise UsageError(
            f"{place.host} is another machine, and without TLS anybody between could read credentials and the model",
            remedy="leave out --plain-http, or give --insecure too if that is what you want",
        )
    return Registry(place, transport=Transport.PLAIN if plain_http else Transport.TLS)

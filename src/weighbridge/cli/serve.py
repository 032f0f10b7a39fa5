"""``weighbridge serve``."""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
from pathlib import Path

import click

from weighbridge.clock import system_clock


@click.command(short_help="Release verified pods from their scheduling gate in a cluster.")
@click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path, dir_okay=False),
    help="How to reach the cluster. [default: the service account of the pod this runs in]",
)
@click.option(
    "--metrics-address",
    default="127.0.0.1:8080",
    show_default=True,
    metavar="HOST:PORT",
    help="Where /metrics, /healthz and /readyz are served.",
)
def command(kubeconfig: Path | None, metrics_address: str) -> int:
    """Watch the pods that can reach an accelerator, and take the scheduling gate off those whose models are verified.

    Install it with the manifests: `kubectl apply -k manifests/overlays/audit`. Runs until it is told to stop.
    """
    from weighbridge.admission.controller.api import Api
    from weighbridge.admission.controller.controller import Controller
    from weighbridge.admission.controller.server import Server, parse_address

    address = parse_address(metrics_address)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(threadName)s %(message)s"
    )
    # The client logs each request, which would be a line for every pod.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    controller = Controller(Api.connect(kubeconfig), clock=system_clock, instance=socket.gethostname())
    server = Server(address, controller.pages())
    controller.start()
    logging.getLogger(__name__).info("watching; metrics on port %d", server.port)
    stop.wait()
    server.close()
    controller.stop()
    return 0

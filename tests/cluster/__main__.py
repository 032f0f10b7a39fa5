"""Run a command, or a shell, beside a real cluster with Weighbridge installed.

    python -m tests.cluster [--mode enforce|warn|audit] [--kubernetes 1.36|1.34] [-- COMMAND...]

The command finds ``KUBECONFIG``, ``kubectl`` on its PATH, and three images that are really in the cluster's registry:
``WB_VERIFIED_IMAGE`` and ``WB_UNVERIFIED_IMAGE`` are models by digest, with a verdict in the cluster and without one;
``WB_APP_IMAGE`` is a small model server. The exit code is the command's.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from tools import docker_engine
from tools.docker_engine import EngineError
from tools.step_image import step_image

from tests.cluster.cluster import Cluster, ClusterError, running
from tests.cluster.control_plane import RELEASES
from tests.cluster.install import MODES, install, run_controller
from tests.cluster.requirements import why_not
from tests.cluster.site import Site, app_image, write_model


def main(arguments: list[str] | None = None) -> int:
    """Start, install, run, stop."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.cluster", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mode", choices=MODES, default="enforce")
    parser.add_argument("--kubernetes", choices=sorted(RELEASES), default="1.36")
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="default: your shell")
    options = parser.parse_args(arguments)
    if reason := why_not() or docker_engine.why_not():
        print(f"no cluster here: {reason}", file=sys.stderr)
        return 2
    try:
        image = step_image()
        with running(release=options.kubernetes) as cluster:
            _say("the cluster is up")
            environment = cluster.environment()
            if cluster.release.nodes:
                install(cluster, mode=options.mode)
                run_controller(cluster, image)
                _say(f"weighbridge is installed in mode {options.mode}")
                environment |= _images(cluster)
            command = options.command or [os.environ.get("SHELL", "bash")]
            return subprocess.run(cluster.namespace.enter(*command), env=environment, check=False).returncode
    except (ClusterError, EngineError) as error:
        print(error, file=sys.stderr)
        return 2


def _images(cluster: Cluster) -> dict[str, str]:
    site = Site(cluster.home / "site", cluster)
    site.trust()
    write_model(site.directory / "verified")
    write_model(site.directory / "unverified", weights=b"\x01" * 64)
    return {
        "WB_VERIFIED_IMAGE": site.publish("verified"),
        "WB_UNVERIFIED_IMAGE": site.push("unverified"),
        "WB_APP_IMAGE": app_image(cluster),
        "WB_SITE": str(site.directory),
    }


def _say(text: str) -> None:
    print(f"cluster: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    # The repository's root, from wherever this is called.
    os.chdir(Path(__file__).resolve().parents[2])
    sys.exit(main())

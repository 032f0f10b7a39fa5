"""``make demo`` twice and ``make test`` in a bare Debian: python3, git and make, and no user namespaces.

Started by ``make test-bare`` as root on a machine with debootstrap. Nothing but the standard library is imported, and
what is tested is the last commit of this checkout. The container has what Docker gives one by default: processes,
mounts and a temporary folder of its own, fourteen capabilities, no further user namespace, and the machine's network.
How packages are reached (mirror, proxy, certificates, settings of pip and uv) is taken over from the machine.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INSIDE = Path(__file__).with_name("inside.sh")
SUITE = "bookworm"
INCLUDED = ("python3", "git", "make", "ca-certificates")
PLACE = "srv/weighbridge"
LOAD = 8
LIMIT_SECONDS = 3 * 3600
PASSED_ON = re.compile(r"(PIP|UV)_\w+|(https?|no|all)_proxy|SSL_CERT_FILE|REQUESTS_CA_BUNDLE", re.IGNORECASE)
"""Environment variables that say how packages are reached."""

STEPS = {
    "demo": "make demo",
    "again": "make demo > again.log && cat again.log",
    # A shell without job control starts what is in the background with SIGINT ignored.
    "test": "sh -c 'make test & wait \"$!\"'",
    # What nobody has at once: a user that no file knows, no home, another zone and locale, strict modes, odd names.
    "odd": "make .venv/.weighbridge-installed && cd .. && rm -rf 'odd place' && git clone -q weighbridge 'odd place'"
    " && mkdir 'odd place/temporary files' && chown -R 1234:1234 'odd place' && cd 'odd place'"
    " && setpriv --reuid=1234 --regid=1234 --clear-groups env -u HOME LC_ALL=C TZ=Asia/Kathmandu"
    " TMPDIR=\"$PWD/temporary files\" sh -c 'umask 077; make demo && make test'",
    "load": f"for i in $(seq {LOAD}); do timeout {LIMIT_SECONDS} sh -c 'while :; do :; done' & done; make test",
}
"""What is run, one after the other; every process of a step is gone before the next."""


def main() -> int:
    """Make the container, run the steps, remove it, and say how each step ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("steps", nargs="*", metavar="STEP", help=f"of {', '.join(STEPS)}; all when none is named")
    parser.add_argument("--base", type=Path, help="folder of an earlier debootstrap, which is copied")
    parser.add_argument("--keep", action="store_true", help="leave the container's folder, and say where it is")
    options = parser.parse_args()
    if unknown := set(options.steps) - set(STEPS):
        parser.error(f"no such step: {', '.join(sorted(unknown))}")
    if reason := why_not(needs_debootstrap=options.base is None):
        print(f"bare: cannot run here: {reason}", file=sys.stderr)
        return 2
    # Terminated, it leaves no container either.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    place = Path(tempfile.mkdtemp(prefix="weighbridge-bare-"))
    try:
        root = place / "root"
        build(root, base=options.base)
        furnish(root)
        return run(root, options.steps or list(STEPS))
    finally:
        if options.keep:
            say(f"the container is in {place}")
        else:
            # The mounts were of a namespace that is gone, so nothing outside can be reached from here.
            shutil.rmtree(place, ignore_errors=True)


def why_not(*, needs_debootstrap: bool) -> str:
    """Return what is missing on this machine, and what brings it; empty when nothing is."""
    if os.geteuid() != 0:
        return "not root"
    programs = {"git": "git", "unshare": "util-linux", "chroot": "coreutils"}
    if needs_debootstrap:
        programs["debootstrap"] = "debootstrap"
    missing = sorted(package for program, package in programs.items() if shutil.which(program) is None)
    if missing:
        return f"missing programs (Debian: apt-get install {' '.join(missing)})"
    tried = subprocess.run(["unshare", "--user", "true"], capture_output=True, text=True, check=False)
    return f"the container is made in a user namespace, and there is none here: {tried.stderr.strip()}" * (
        tried.returncode != 0
    )


def build(root: Path, *, base: Path | None) -> None:
    """Make the root of a bare Debian, or copy one, and clone the last commit into it."""
    started = time.monotonic()
    if base is not None:
        subprocess.run(["cp", "-a", "--", str(base), str(root)], check=True)
    else:
        say(f"debootstrap of Debian {SUITE} with {', '.join(INCLUDED)}")
        command = ["debootstrap", "--variant=minbase", f"--include={','.join(INCLUDED)}", SUITE, str(root)]
        subprocess.run([*command, *mirror()], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(root / PLACE)], check=True)
    say(f"the container is ready after {time.monotonic() - started:.0f} s")


def mirror() -> list[str]:
    """Return the package mirror that this machine uses for the suite, if it is named in the usual places."""
    for path in (Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))):
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        for line in text.splitlines():
            one_line = re.fullmatch(rf"deb (?:\[.*\] )?(\S+) {SUITE} main.*", line.strip())
            if one_line:
                return [one_line[1]]
        for paragraph in text.split("\n\n"):
            fields: dict[str, str] = dict(re.findall(r"^(\w+): *(.*)$", paragraph, re.MULTILINE))
            if SUITE in fields.get("Suites", "").split() and "main" in fields.get("Components", "").split():
                return fields["URIs"].split()[:1]
    return []


def furnish(root: Path) -> None:
    """Copy what says how names are resolved and packages are reached."""
    certificates = {os.environ[name] for name in os.environ if re.search(r"CERT|CA_BUNDLE", name)}
    files = [Path("/etc/resolv.conf"), Path("/etc/hosts"), Path("/etc/pip.conf"), Path("/etc/uv/uv.toml")]
    files += [Path("/etc/ssl/certs/ca-certificates.crt"), *map(Path, certificates)]
    # Of apt's settings those about fetching; others may call programs that are not in there.
    files += [path for path in Path("/etc/apt/apt.conf.d").glob("*") if path.read_text().startswith("Acquire::")]
    for path in files:
        target = root / str(path).lstrip("/")
        if path.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            shutil.copyfile(path, target)


def run(root: Path, steps: Iterable[str]) -> int:
    """Run each step in a container of its own over the same root, and print how it ended."""
    endings = []
    for name in steps:
        say(f"{name}: {STEPS[name]}")
        started = time.monotonic()
        code = inside(root, STEPS[name])
        endings.append((code, f"{name:<6} exit code {code}  {time.monotonic() - started:6.0f} s  {STEPS[name]}"))
        say(endings[-1][1])
    print("\n".join(["", "bare container, per step:", *(line for _, line in endings)]))
    return 1 if any(code for code, _ in endings) else 0


def inside(root: Path, script: str) -> int:
    """Run a script in the container and return its exit code; when this returns, none of its processes is left."""
    # A folder of this machine is not in there.
    passed_on = [
        f"{name}={value}"
        for name, value in os.environ.items()
        if PASSED_ON.fullmatch(name) and not os.path.isdir(value)
    ]
    read, write = os.pipe()
    # In its own user namespace root has no privilege outside, and the numbers of users mean the same.
    process = subprocess.Popen(
        [
            *("unshare", "--user", "sh", "-c", 'read -r go <&"$0"; exec "$@"', str(read)),
            *("unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--propagation", "private"),
            *("sh", str(INSIDE), str(root), PLACE, script, *passed_on),
        ],
        pass_fds=(read,),
        stdin=subprocess.DEVNULL,
    )
    try:
        _map_users(process.pid)
        os.write(write, b"go\n")
        return process.wait(LIMIT_SECONDS)
    finally:
        process.kill()
        process.wait()
        os.close(read)
        os.close(write)


def _map_users(pid: int) -> None:
    own = os.readlink("/proc/self/ns/user")
    while os.readlink(f"/proc/{pid}/ns/user") == own:
        time.sleep(0.01)
    for kind in ("uid_map", "gid_map"):
        Path(f"/proc/{pid}/{kind}").write_text("0 0 65536", encoding="ascii")


def say(text: str) -> None:
    """Tell the person at the terminal what is going on."""
    print(f"bare: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

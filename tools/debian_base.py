"""A small Debian root with Python, made by debootstrap once, without what no step runs."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tools.image_files import compile_python, say, write_tar

SUITE = "bookworm"
INCLUDED = ("python3", "ca-certificates")

REMOVED = (
    *("adduser", "apt", "bsdutils", "debconf", "debian-archive-keyring", "dpkg", "e2fsprogs", "gpgv"),
    *("init-system-helpers", "libapt-pkg6.0", "libsystemd0", "libudev1", "login", "logsave", "mawk", "mount"),
    *("openssl", "ncurses-bin", "passwd", "perl-base", "sysvinit-utils", "tzdata", "usr-is-merged", "util-linux"),
    *("util-linux-extra", "libpam-modules", "libpam-modules-bin", "libpam-runtime"),
)
"""Packages whose files are taken out again: installing, logging in and mounting are not for a step."""

STRIPPED = (
    *(
        "boot",
        "media",
        "mnt",
        "opt",
        "srv",
        "home",
        "var/cache",
        "var/lib/apt",
        "var/lib/pam",
        "var/log",
        "var/backups",
    ),
    *("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/lintian", "usr/share/menu"),
    *("usr/share/bash-completion", "usr/share/perl5", "usr/share/zoneinfo", "usr/share/pixmaps", "usr/share/i18n"),
    *("usr/lib/x86_64-linux-gnu/gconv", "usr/lib/x86_64-linux-gnu/perl-base", "usr/lib/apt", "usr/lib/dpkg"),
    *("usr/lib/python3.11/lib2to3", "usr/lib/python3.11/ensurepip", "usr/lib/python3.11/pydoc_data"),
    *("usr/lib/python3.11/test", "usr/lib/python3.11/idlelib", "usr/lib/systemd", "usr/lib/udev", "etc/apt"),
)
"""Directories that are taken out whole."""


def key() -> str:
    """Return what names the base: this module."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]


def base_archive(home: Path) -> Path:
    """Return the archive of the base, making it when the cache has none; the caller holds the cache's lock."""
    target = home / f"base-{SUITE}-{key()}.tar"
    if target.is_file():
        return target
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="base-", dir=home) as place:
        root = Path(place, "root")
        say(f"making a Debian {SUITE} base with debootstrap")
        subprocess.run(
            ["debootstrap", "--variant=minbase", f"--include={','.join(INCLUDED)}", SUITE, str(root)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        for path in list(root.glob("usr/**/__pycache__")):
            shutil.rmtree(path)
        _remove_packages(root)
        for name in STRIPPED:
            shutil.rmtree(root / name, ignore_errors=True)
        compile_python(root, "/usr/lib/python3.11", "/usr/lib/python3")
        shutil.rmtree(root / "var/lib/dpkg/info", ignore_errors=True)
        for name in (
            "etc/hostname",
            "etc/resolv.conf",
            "etc/machine-id",
            "etc/shadow",
            "etc/gshadow",
            "etc/shadow-",
            "etc/passwd-",
        ):
            (root / name).unlink(missing_ok=True)
        _accounts(root)
        staged = Path(place, "base.tar")
        write_tar(root, sorted(item.name for item in root.iterdir() if item.name not in ("dev", "proc", "sys")), staged)
        staged.replace(target)
    say(f"made {target.name}, {target.stat().st_size / 1e6:.0f} MB, in {time.monotonic() - started:.0f} s")
    return target


def _remove_packages(root: Path) -> None:
    info = root / "var/lib/dpkg/info"
    for package in REMOVED:
        for listing in (*info.glob(f"{package}.list"), *info.glob(f"{package}:*.list")):
            for name in listing.read_text().splitlines():
                path = root / name.lstrip("/")
                # Every list names /bin and /lib, which are links here, not directories.
                if path.parent != root and (path.is_symlink() or path.is_file()):
                    path.unlink()
    # What is gone is not listed either, or scanners would report what is not there.
    status = root / "var/lib/dpkg/status"
    paragraphs = status.read_text().split("\n\n")
    kept = [text for text in paragraphs if text.partition("\n")[0].removeprefix("Package: ") not in REMOVED]
    status.write_text("\n\n".join(kept))
    for name in ("status-old", "available", "available-old"):
        (root / "var/lib/dpkg" / name).unlink(missing_ok=True)


def _accounts(root: Path) -> None:
    (root / "etc/passwd").write_text(
        "root:x:0:0:root:/root:/usr/sbin/nologin\nstep:x:65532:65532:step:/nonexistent:/usr/sbin/nologin\n"
    )
    (root / "etc/group").write_text("root:x:0:\nstep:x:65532:\n")

"""Upload one of the harness's own images by the distribution protocol, before anything of ours can push."""

from __future__ import annotations

import urllib.request

from tests.cluster import images

SECONDS = 60


def push(image: images.Image, *, base: str) -> str:
    """Upload the blobs and the manifest to the repository at ``base`` and return the manifest's digest."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for digest, blob in image.blobs.items():
        with opener.open(urllib.request.Request(f"{base}/blobs/uploads/", method="POST"), timeout=SECONDS) as reply:
            place = reply.headers["Location"]
        url = f"{place}{'&' if '?' in place else '?'}digest={digest}"
        _put(opener, url, blob, "application/octet-stream")
    _put(opener, f"{base}/manifests/{image.digest}", image.manifest, images.MANIFEST)
    return image.digest


def _put(opener: urllib.request.OpenerDirector, url: str, data: bytes, media_type: str) -> None:
    request = urllib.request.Request(url, data=data, method="PUT", headers={"Content-Type": media_type})
    opener.open(request, timeout=SECONDS).close()

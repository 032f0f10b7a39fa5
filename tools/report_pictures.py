"""Take pictures of the HTML report in every state, width and theme, and as on paper, to be looked at by a person.

    python -m tools.report_pictures DIRECTORY [SAMPLE ...]

Needs Chromium with its driver, and the samples of the tests. A page is cut into pictures of one screen each.
"""

from __future__ import annotations

import base64
import sys
import tempfile
from pathlib import Path
from typing import Final

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from tests.report import samples

from weighbridge.report.html import render

LOOKS: Final = {
    "wide-light": (1280, "light", "screen"),
    "wide-dark": (1280, "dark", "screen"),
    "phone-light": (390, "light", "screen"),
    "phone-dark": (390, "dark", "screen"),
    "paper": (794, "dark", "print"),
}
"""Width in pixels, theme of the system, and medium of each look. Paper is as wide as A4."""

SCREEN: Final = 1600
"""Height of one picture in pixels."""


def main(directory: Path, names: list[str]) -> None:
    """Write every sample as a page and as pictures."""
    directory.mkdir(parents=True, exist_ok=True)
    options = ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    with tempfile.TemporaryDirectory() as profile:
        for argument in ("--headless=new", "--no-sandbox", "--hide-scrollbars", f"--user-data-dir={profile}"):
            options.add_argument(argument)
        browser = Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        try:
            for name in names:
                page = directory / f"{name}.html"
                page.write_text(render(samples.SAMPLES[name]()), encoding="utf-8")
                for look in LOOKS:
                    _picture(browser, page, look)
        finally:
            browser.quit()


def _picture(browser: Chrome, page: Path, look: str) -> None:
    width, theme, medium = LOOKS[look]
    features = [{"name": "prefers-color-scheme", "value": theme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": medium, "features": features})
    size = {"width": width, "height": SCREEN, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(page.absolute().as_uri())
    height = int(browser.execute_script("return document.documentElement.scrollHeight"))
    for number, top in enumerate(range(0, height, SCREEN)):
        clip = {"x": 0, "y": top, "width": width, "height": min(SCREEN, height - top), "scale": 1}
        wanted = {"clip": clip, "captureBeyondViewport": True}
        data = browser.execute_cdp_cmd("Page.captureScreenshot", wanted)["data"]
        (page.parent / f"{page.stem}-{look}-{number}.png").write_bytes(base64.b64decode(data))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or list(samples.SAMPLES))

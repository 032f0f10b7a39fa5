"""The page in a real Chromium: nothing runs, nothing is fetched, and people can use it."""

from __future__ import annotations

import functools
import http.server
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tests.report import samples
from weighbridge.report.html import render

pytestmark = pytest.mark.browser

CHROMIUM = "/usr/bin/chromium"
DRIVER = "/usr/bin/chromedriver"
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)

RULES = Path(__file__).parents[2] / "docs" / "rules"

Show = Callable[[str], list[str]]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in (*ARGUMENTS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # It keeps more than its profile, at home or where it takes home to be.
    home = {"HOME": str(tmp_path_factory.mktemp("home"))}
    driver = Chrome(options=options, service=Service(DRIVER, env={**os.environ, **home}))
    try:
        yield driver
    finally:
        driver.quit()


class _Recorder(http.server.SimpleHTTPRequestHandler):
    """Serves one directory and keeps every path that was asked for."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass


def use_theme(browser: Chrome, theme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": theme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def use_width(browser: Chrome, width: int) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


@pytest.fixture
def show(browser: Chrome, tmp_path: Path) -> Iterator[Show]:
    """Open a sample from a server of its own and return what the browser asked that server for."""
    asked: list[str] = []
    handler = functools.partial(type("Recorder", (_Recorder,), {"asked": asked}), directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    use_theme(browser, "light")
    use_width(browser, 1200)

    def open_sample(sample: str) -> list[str]:
        (tmp_path / "report.html").write_text(render(samples.SAMPLES[sample]()), encoding="utf-8")
        browser.get_log("browser")  # type: ignore[no-untyped-call]
        browser.get(f"http://127.0.0.1:{server.server_address[1]}/report.html")
        return asked

    try:
        yield open_sample
    finally:
        browser.get("about:blank")
        server.shutdown()
        thread.join()
        server.server_close()


def console(browser: Chrome) -> list[Any]:
    return list(browser.get_log("browser"))  # type: ignore[no-untyped-call]


def background(browser: Chrome) -> int:
    """Return how bright the page is, from 0 to 255."""
    colour = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    return sum(int(part) for part in str(colour).removeprefix("rgb(").removesuffix(")").split(",")) // 3


@pytest.mark.parametrize("sample", samples.SAMPLES)
def test_console_stays_empty_and_only_the_page_is_fetched(browser: Chrome, show: Show, sample: str) -> None:
    asked = show(sample)
    resources = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert [name for name in resources if not name.startswith("data:")] == []
    assert console(browser) == []
    assert asked == ["/report.html"]


def test_hostile_text_is_inert(browser: Chrome, show: Show) -> None:
    show("hostile")
    assert browser.execute_script("return typeof window.pwned") == "undefined"
    assert browser.execute_script("return document.scripts.length") == 1
    assert "<script>window.pwned=1</script>" in browser.find_element(By.TAG_NAME, "main").text
    assert browser.title.startswith("Failed: <script>")


def test_content_policy_stops_what_would_slip_through(browser: Chrome, show: Show) -> None:
    asked = show("passed")
    browser.execute_script(
        "const at = document.body;"
        "at.insertAdjacentHTML('beforeend', '<img src=/x.png onerror=\"window.pwned=1\">');"
        "at.insertAdjacentHTML('beforeend', '<style>body{display:none}</style>');"
        "const own = document.createElement('script'); own.textContent = 'window.pwned=1'; at.append(own);"
    )
    browser.execute_async_script("fetch('/x').catch(() => 0).finally(arguments[0])")
    assert browser.execute_script("return typeof window.pwned") == "undefined"
    assert browser.execute_script("return getComputedStyle(document.body).display") == "block"
    assert asked == ["/report.html"]
    assert sum("Content Security Policy" in str(entry["message"]) for entry in console(browser)) >= 4


@pytest.mark.parametrize(("sample", "word"), [("passed", "Passed"), ("failed", "Failed"), ("undecided", "Undecided")])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_verdict_is_seen_at_once(browser: Chrome, show: Show, sample: str, word: str, theme: str) -> None:
    use_theme(browser, theme)
    show(sample)
    heading = browser.find_element(By.TAG_NAME, "h1")
    assert heading.text == word
    assert heading.is_displayed()
    assert heading.rect["y"] + heading.rect["height"] < 400
    assert (background(browser) < 60) == (theme == "dark")
    assert len(browser.get_screenshot_as_png()) > 10_000


def test_theme_button_turns_the_theme_and_says_what_it_does(browser: Chrome, show: Show) -> None:
    show("passed")
    button = browser.find_element(By.CSS_SELECTOR, ".theme")
    assert button.text == "Dark theme"
    button.send_keys(Keys.ENTER)
    assert (button.text, background(browser) < 60) == ("Light theme", True)
    button.send_keys(Keys.SPACE)
    assert (button.text, background(browser) > 200) == ("Dark theme", True)


def focused(browser: Chrome) -> str:
    return str(
        browser.execute_script(
            "const at = document.activeElement; return at.className.split(' ')[0] || at.id || at.tagName.toLowerCase()"
        )
    )


def test_keyboard_reaches_skip_link_theme_and_every_section_in_order(browser: Chrome, show: Show) -> None:
    show("passed")
    order = []
    for _ in range(12):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        order.append(focused(browser))
    assert order[:10] == ["skip", "theme", *["copy"] * 3, *["tile"] * 4, "scroll"]


def test_skip_link_is_hidden_until_it_has_the_focus_and_leads_to_the_verdict(browser: Chrome, show: Show) -> None:
    show("passed")
    link = browser.find_element(By.CSS_SELECTOR, ".skip")
    assert link.rect["y"] < 0
    browser.switch_to.active_element.send_keys(Keys.TAB)
    assert link.rect["y"] >= 0
    link.send_keys(Keys.ENTER)
    assert browser.execute_script("return document.activeElement.id") == "verdict"


def test_focus_can_be_seen(browser: Chrome, show: Show) -> None:
    show("passed")
    for _ in range(3):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        style = browser.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
        assert style == "solid"


def test_tile_leads_to_its_section(browser: Chrome, show: Show) -> None:
    show("passed")
    browser.find_elements(By.CSS_SELECTOR, ".tile")[3].send_keys(Keys.ENTER)
    assert browser.execute_script("return document.activeElement.id") == "check-3"


@pytest.mark.parametrize("sample", samples.SAMPLES)
@pytest.mark.parametrize("width", [360, 390, 768, 1200])
def test_page_is_never_wider_than_the_screen(browser: Chrome, show: Show, sample: str, width: int) -> None:
    use_width(browser, width)
    show(sample)
    browser.execute_script("document.querySelectorAll('details').forEach(item => { item.open = true; })")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    outside = browser.execute_script(
        "return [...document.querySelectorAll('main *')].filter(item => !item.closest('.scroll, svg')"
        " && item.getBoundingClientRect().right > innerWidth + 1).map(item => item.outerHTML.slice(0, 80))"
    )
    assert outside == []


def test_findings_can_be_sorted_by_keyboard(browser: Chrome, show: Show) -> None:
    show("failed")
    table = browser.find_element(By.CSS_SELECTOR, "#check-1 table[data-sortable]")

    def column(number: int) -> list[str]:
        return [row.text.split()[0] for row in table.find_elements(By.CSS_SELECTOR, f"tbody td:nth-child({number})")]

    assert column(1) == ["high", "unknown", "medium"]
    severity, finding, _ = table.find_elements(By.CSS_SELECTOR, ".sort")
    finding.send_keys(Keys.ENTER)
    names = column(2)
    assert names == sorted(names)
    finding.send_keys(Keys.ENTER)
    assert column(2) == names[::-1]
    severity.send_keys(Keys.ENTER)
    assert column(1) == ["high", "unknown", "medium"]
    states = [item.get_attribute("aria-sort") for item in table.find_elements(By.TAG_NAME, "th")]
    assert states == ["ascending", None, None]


def test_pictures_are_decoded_by_the_browser(browser: Chrome, show: Show) -> None:
    show("passed")
    sizes = browser.execute_script("return [...document.images].map(item => [item.naturalWidth, item.naturalHeight])")
    assert sizes == [[8, 8]] * 9


CONTRAST = """
const parse = text => text.match(/[\\d.]+/g).map(Number);
const lit = part => { part /= 255; return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4; };
const luminance = ([r, g, b]) => 0.2126 * lit(r) + 0.7152 * lit(g) + 0.0722 * lit(b);
const ground = item => {
  for (; item; item = item.parentElement) {
    const colour = parse(getComputedStyle(item).backgroundColor);
    if (colour.length === 3 || colour[3] > 0) return colour;
  }
  return [255, 255, 255];
};
const low = [];
for (const item of document.querySelectorAll("body *:not(script):not(style)")) {
  if (item.closest("svg") || ![...item.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
  const pair = [luminance(parse(getComputedStyle(item).color)), luminance(ground(item))].sort((a, b) => b - a);
  const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
  if (ratio < 4.5) low.push(`${ratio.toFixed(2)} ${item.className} ${item.textContent.trim().slice(0, 30)}`);
}
return low;
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("sample", ["passed", "failed", "undecided", "revoked", "run-twice"])
def test_text_has_the_contrast_of_wcag_aa(browser: Chrome, show: Show, sample: str, theme: str) -> None:
    use_theme(browser, theme)
    show(sample)
    assert browser.execute_script(CONTRAST) == []


def test_prints_on_paper_in_light_colours(browser: Chrome, show: Show) -> None:
    use_theme(browser, "dark")
    show("passed")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert background(browser) == 255
        assert not browser.find_element(By.CSS_SELECTOR, ".theme").is_displayed()
        pdf = browser.print_page()
        assert len(pdf) > 20_000
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


GREEN = """
const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
const green = text => { const [r, g, b, a = 1] = parse(text); return a > 0 && g > r + 12 && g > b + 12; };
return [...document.querySelectorAll("body, body *")].filter(item => {
  const style = getComputedStyle(item);
  return ["color", "backgroundColor", "fill", "stroke", "borderTopColor", "borderLeftColor"]
    .some(name => green(style[name]));
}).map(item => item.outerHTML.slice(0, 90));
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("sample", ["failed", "undecided", "revoked"])
def test_nothing_is_green_on_a_page_that_refuses(browser: Chrome, show: Show, sample: str, theme: str) -> None:
    use_theme(browser, theme)
    show(sample)
    assert browser.execute_script(GREEN) == []


def test_what_passed_is_green(browser: Chrome, show: Show) -> None:
    show("passed")
    assert len(browser.execute_script(GREEN)) > 5


@pytest.mark.parametrize("sample", ["passed", "failed", "undecided", "revoked", "run-twice"])
def test_phone_shows_tables_without_scrolling_sideways(browser: Chrome, show: Show, sample: str) -> None:
    use_width(browser, 390)
    show(sample)
    browser.execute_script("document.querySelectorAll('details').forEach(item => { item.open = true; })")
    wide = browser.execute_script(
        "return [...document.querySelectorAll('.scroll')].filter(item => item.scrollWidth > item.clientWidth + 1)"
        ".map(item => item.getAttribute('aria-labelledby') || item.getAttribute('aria-label'))"
    )
    assert wide == []


def test_copy_buttons_work_by_keyboard_and_say_so(browser: Chrome, show: Show) -> None:
    show("passed")
    browser.execute_script("navigator.clipboard.writeText = async text => { window.copied = text; };")
    button = browser.find_element(By.CSS_SELECTOR, ".facts .copy")
    assert button.is_displayed()
    browser.execute_script("arguments[0].focus()", button)
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    said = "return document.querySelector('.said').textContent"
    WebDriverWait(browser, 5).until(lambda _: browser.execute_script(said) == "Copied.")
    assert browser.execute_script("return window.copied") == str(samples.DIGEST)
    assert button.text == "Copied"
    WebDriverWait(browser, 5).until(lambda _: button.text == "Copy")


def test_copying_works_where_the_clipboard_is_closed(browser: Chrome, show: Show) -> None:
    show("passed")
    browser.execute_script(
        "navigator.clipboard.writeText = () => Promise.reject(new Error('no'));"
        "document.addEventListener('copy', () => { window.copied = getSelection().toString(); });"
    )
    command = browser.find_elements(By.CSS_SELECTOR, "[aria-label='Copy the command that verifies the verdict']")[0]
    command.send_keys(Keys.SPACE)
    WebDriverWait(browser, 5).until(lambda _: browser.execute_script("return Boolean(window.copied)"))
    assert browser.execute_script("return window.copied").startswith("weighbridge verify digits-classifier --verdict")


def test_hostile_text_is_copied_as_it_is_shown_and_no_command_holds_it(browser: Chrome, show: Show) -> None:
    show("hostile")
    browser.execute_script("navigator.clipboard.writeText = async text => { (window.all ??= []).push(text); };")
    browser.execute_script("document.querySelectorAll('.copy').forEach(button => button.click())")
    WebDriverWait(browser, 5).until(lambda _: browser.execute_script("return (window.all || []).length") > 4)
    copied = browser.execute_script("return window.all")
    commands = [text for text in copied if text.startswith("weighbridge ")]
    assert commands
    assert not any(sign in text for text in commands for sign in "<>;&|$`\n\x1b\u202e")
    assert browser.execute_script("return typeof window.pwned") == "undefined"


def test_tooltips_tell_the_technical_name_and_what_words_mean(browser: Chrome, show: Show) -> None:
    show("undecided")
    titles = browser.execute_script("return [...document.querySelectorAll('abbr')].map(item => item.title)")
    assert "larger-epsilon-breaks" in titles
    assert all(titles)


def test_undecided_leads_to_what_to_do_and_from_there_to_the_page_of_the_rule(browser: Chrome, show: Show) -> None:
    show("undecided")
    browser.find_elements(By.CSS_SELECTOR, "a.pill")[0].send_keys(Keys.ENTER)
    assert browser.execute_script("return document.activeElement.id") == "undecided"
    browser.switch_to.active_element.send_keys(Keys.TAB)
    address = browser.execute_script("return document.activeElement.href")
    assert address == "https://weighbridge.dev/docs/rules/undecided"
    assert (RULES / f"{address.rpartition('/')[2]}.md").is_file()


def test_page_works_from_a_file_without_network(browser: Chrome, show: Show, tmp_path: Path) -> None:
    show("passed")
    browser.get((tmp_path / "report.html").as_uri())
    assert console(browser) == []
    assert browser.find_element(By.CSS_SELECTOR, ".copy").is_displayed()
    browser.find_element(By.CSS_SELECTOR, ".theme").send_keys(Keys.ENTER)
    assert background(browser) < 60


def test_older_evidence_unfolds_by_keyboard(browser: Chrome, show: Show) -> None:
    show("run-twice")
    assert len(browser.find_elements(By.CSS_SELECTOR, ".tile")) == 4
    summary = browser.find_element(By.CSS_SELECTOR, ".aside summary")
    assert summary.text.startswith("Not shown: 4 older results (not asked)")
    summary.send_keys(Keys.ENTER)
    assert "older, not asked; signature verified" in browser.find_element(By.CSS_SELECTOR, ".aside").text


def test_headings_go_down_one_step_at_a_time(browser: Chrome, show: Show) -> None:
    for sample in ("passed", "undecided", "run-twice"):
        show(sample)
        levels = browser.execute_script(
            "return [...document.querySelectorAll('h1,h2,h3,h4')].map(item => Number(item.tagName[1]))"
        )
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))

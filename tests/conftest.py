"""For the whole suite: skip loudly what this machine cannot run, leave nothing behind, and end with a table of both."""

from __future__ import annotations

import signal
from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests import lanes, leftovers
from tests.cluster.fixture import cluster  # noqa: F401 - every folder may ask for it
from tests.docker.fixture import docker_engine, steps  # noqa: F401 - every folder may ask for them

PROPERTY = "lane"
"""Name under which a test's lane travels from an xdist worker to the controller."""

settings.register_profile("weighbridge", deadline=None, print_blob=True)
settings.load_profile("weighbridge")


class LaneTable:
    """Counts outcomes per lane where the reports arrive: in the only process, or in the xdist controller."""

    def __init__(self) -> None:
        self.outcomes: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        lane = dict(report.user_properties).get(PROPERTY)
        if lane is None or (report.when != "call" and report.passed) or (report.when == "teardown"):
            return
        self.outcomes[str(lane)][report.outcome] += 1

    def missing(self) -> list[str]:
        """Return the lanes of which no test passed or failed."""
        return [lane.name for lane in lanes.LANES if not self._ran(lane.name)]

    def _ran(self, name: str) -> int:
        return self.outcomes[name]["passed"] + self.outcomes[name]["failed"]

    def lines(self) -> list[str]:
        width = max(len(lane.name) for lane in lanes.LANES)
        rows = []
        for lane in lanes.LANES:
            counts, ran = self.outcomes[lane.name], self._ran(lane.name)
            if ran:
                state = f"ran {ran:5}" + (f", {counts['failed']} FAILED" if counts["failed"] else "")
                state += f", {counts['skipped']} skipped" if counts["skipped"] else ""
            elif reason := lanes.why_not(lane.name):
                state = f"NOT RUN  {reason}"
            else:
                state = "NOT RUN  no test of it was selected"
            rows.append(
                f"{lane.name:<{width}}  {state:<24}  {lane.purpose}" if ran else f"{lane.name:<{width}}  {state}"
            )
        return rows


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="Write golden files anew; look at the diff after.")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Tell whether a golden file is to be written in place of compared."""
    return bool(request.config.getoption("--update-golden"))


class Leftovers:
    """Gives the session a temporary folder, and fails the session when something is left."""

    def __init__(self) -> None:
        self.folder = leftovers.SessionFolder()
        self.left: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Look once every xdist worker has gone, which is what makes this the last."""
        self.left = self.folder.left()
        self.folder.remove()
        if self.left and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_configure(config: pytest.Config) -> None:
    # A time limit ends a run by SIGTERM; as Ctrl-C does, so that what the tests started ends too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(LaneTable(), "weighbridge-lanes")
        config.pluginmanager.register(Leftovers(), "weighbridge-leftovers")


@pytest.fixture(autouse=True)
def unchanged_process() -> Iterator[None]:
    """Fail a test that leaves the test process another one: directory, umask, environment, signals."""
    before = leftovers.ProcessState.now()
    yield
    if changed := before.restore():
        pytest.fail(f"the test left changed: {', '.join(changed)}", pytrace=False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a lane that owns one big thing in one process, or each process would start its own."""
    for item in items:
        for name in ("cluster", "docker"):
            if item.get_closest_marker(name):
                item.add_marker(pytest.mark.xdist_group(name))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    markers = {marker.name for marker in item.iter_markers()}
    item.user_properties.append((PROPERTY, lanes.lane_of(markers)))
    for lane in lanes.LANES:
        if lane.name in markers and (reason := lanes.why_not(lane.name)):
            if lanes.demanded():
                pytest.fail(f"lane {lane.name} is demanded and cannot run: {reason}", pytrace=False)
            pytest.skip(f"lane {lane.name}: {reason}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    table = session.config.pluginmanager.get_plugin("weighbridge-lanes")
    if (
        isinstance(table, LaneTable)
        and lanes.demanded()
        and table.missing()
        and session.exitstatus == pytest.ExitCode.OK
    ):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.pluginmanager.get_plugin("weighbridge-leftovers")
    if isinstance(found, Leftovers) and found.left:
        terminalreporter.section("left behind", red=True)
        for line in found.left:
            terminalreporter.write_line(line, red=True)
    table = config.pluginmanager.get_plugin("weighbridge-lanes")
    if not isinstance(table, LaneTable):
        return
    terminalreporter.section("lanes")
    for line in table.lines():
        terminalreporter.write_line(line)
    if lanes.demanded() and (missing := table.missing()):
        terminalreporter.write_line(f"every lane is demanded, and these did not run: {', '.join(missing)}", red=True)

"""What hostile code cannot do in a worker, and proof that it can as soon as the defence is left out."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.checks.worker.answers import told
from tests.checks.worker.conftest import LIMITS, Attempt
from tests.processes import is_running

pytestmark = pytest.mark.landlock

LANDLOCK = ("landlock",)
SECCOMP = ("seccomp",)
BOTH = ("landlock", "seccomp")


def _expect(attempt: Attempt, name: str, *arguments: object, without: tuple[str, ...]) -> None:
    assert told(attempt(name, *arguments)).startswith("denied"), name
    assert told(attempt(name, *arguments, without=without)).startswith("reached"), f"{name} proves nothing"


def test_refuses_to_read_a_key(attempt: Attempt, key: Path) -> None:
    _expect(attempt, "read_file", key, without=LANDLOCK)


def test_refuses_to_list_a_key_directory(attempt: Attempt, key: Path) -> None:
    _expect(attempt, "list_directory", key.parent, without=LANDLOCK)


def test_refuses_to_read_a_key_through_a_link_that_came_with_the_model(
    attempt: Attempt, key: Path, model: Path
) -> None:
    (model / "innocent").symlink_to(key)
    _expect(attempt, "read_file", model / "innocent", without=LANDLOCK)


def test_refuses_to_read_a_key_through_a_link_of_its_own(attempt: Attempt, key: Path) -> None:
    _expect(attempt, "read_through_symlink", key, without=LANDLOCK)


@pytest.mark.parametrize("name", ["link_into_scratch", "move_into_scratch"])
def test_refuses_to_bring_a_key_into_the_scratch_directory(attempt: Attempt, key: Path, name: str) -> None:
    _expect(attempt, name, key, without=LANDLOCK)


def test_refuses_to_write_a_verdict_into_the_evidence(attempt: Attempt, tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    verdict = evidence / "verdict.sigstore.json"
    assert told(attempt("write_file", verdict)).startswith("denied")
    assert not verdict.exists()
    assert told(attempt("write_file", verdict, without=LANDLOCK)).startswith("reached")
    assert verdict.exists()


@pytest.mark.parametrize("name", ["write_file", "remove_file"])
def test_refuses_to_change_the_model_that_it_may_read(attempt: Attempt, model: Path, name: str) -> None:
    weights = model / "weights"
    assert told(attempt(name, weights)).startswith("denied")
    assert weights.read_text(encoding="ascii") == "weights"
    assert told(attempt(name, weights, without=LANDLOCK)).startswith("reached")


@pytest.mark.parametrize("name", ["empty_file", "truncate_file"])
def test_refuses_to_empty_the_model(attempt: Attempt, model: Path, name: str) -> None:
    weights = model / "weights"
    assert told(attempt(name, weights)).startswith("denied")
    assert told(attempt(name, weights, without=LANDLOCK)).startswith("denied")
    assert weights.read_text(encoding="ascii") == "weights"
    assert told(attempt(name, weights, without=BOTH)).startswith("reached")


@pytest.mark.parametrize("name", ["change_mode", "change_times"])
def test_refuses_to_change_attributes_which_landlock_does_not_cover(attempt: Attempt, key: Path, name: str) -> None:
    _expect(attempt, name, key, without=SECCOMP)


def test_refuses_to_make_a_directory_in_the_scratch_directory(attempt: Attempt) -> None:
    _expect(attempt, "make_directory", without=LANDLOCK)


def test_refuses_to_read_the_environment_of_another_process(
    attempt: Attempt, bystander: subprocess.Popen[bytes]
) -> None:
    _expect(attempt, "read_environment_of", bystander.pid, without=("landlock", "capabilities"))


def may_trace_all() -> bool:
    """Say whether this process has CAP_SYS_PTRACE, which containers usually take from root."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    effective = next(line for line in status.splitlines() if line.startswith("CapEff"))
    return bool(int(effective.split()[1], 16) >> 19 & 1)


@pytest.mark.parametrize("name", ["read_environment_of", "open_memory_of"])
def test_refuses_to_look_into_its_parent(attempt: Attempt, name: str) -> None:
    assert told(attempt(name, os.getpid())).startswith("denied")
    # Nor without a confinement: a parent is closed to its own user as long as it has a worker, and open to whoever may
    # trace all processes, as root may where it was left the right.
    reached = "reached" if may_trace_all() else "denied"
    assert told(attempt(name, os.getpid(), without=(*BOTH, "capabilities"))).startswith(reached)


@pytest.mark.parametrize("name", ["open_tcp", "open_udp", "open_unix", "open_netlink", "open_pair"])
def test_refuses_every_kind_of_socket(attempt: Attempt, name: str) -> None:
    _expect(attempt, name, without=SECCOMP)


@pytest.mark.parametrize(
    "name",
    ["take_descriptor", "ask_who_is_there", "grow_the_channel", "read_no_more", "list_interfaces"],
)
def test_can_do_nothing_with_the_sockets_that_it_is_born_with(attempt: Attempt, name: str) -> None:
    _expect(attempt, name, without=SECCOMP)


def test_hands_over_no_descriptor(attempt: Attempt) -> None:
    # An empty message with a descriptor is one all the same: the parent would read it as the end.
    assert told(attempt("hand_over_descriptor")).startswith("denied: Operation not permitted")
    assert not told(attempt("hand_over_descriptor", without=SECCOMP)).startswith("denied: Operation not permitted")


@pytest.mark.parametrize("name", ["answer_on_the_requests", "read_what_it_answered"])
def test_each_channel_goes_one_way(attempt: Attempt, name: str) -> None:
    assert told(attempt(name, without=(*BOTH, "capabilities"))).startswith("denied")


def test_refuses_to_connect_to_a_server(attempt: Attempt, listener: int) -> None:
    assert told(attempt("connect_to", listener)).startswith("denied")
    assert told(attempt("connect_to", listener, without=LANDLOCK)).startswith("denied")
    assert told(attempt("connect_to", listener, without=BOTH)).startswith("reached")


@pytest.mark.landlock_tcp
def test_refuses_tcp_by_landlock_alone(attempt: Attempt, listener: int) -> None:
    examination = attempt("connect_to", listener, without=SECCOMP)
    assert told(examination).startswith("denied")


# Where nobody may make a user namespace, that a worker cannot proves nothing.
@pytest.mark.parametrize(
    "name",
    [
        "run_program",
        "outlive_parent",
        pytest.param("make_namespace", marks=pytest.mark.namespaces),
        "make_shared_memory",
    ],
)
def test_refuses_calls_that_no_check_needs(attempt: Attempt, name: str) -> None:
    assert told(attempt(name)).startswith("denied")
    assert told(attempt(name, without=(*BOTH, "capabilities"))).startswith("reached")


def test_refuses_to_become_another_program(attempt: Attempt) -> None:
    assert told(attempt("replace_itself")).startswith("denied")
    assert "ended without an answer" in told(attempt("replace_itself", without=BOTH))


def test_refuses_to_kill_another_process(attempt: Attempt, bystander: subprocess.Popen[bytes]) -> None:
    assert told(attempt("kill_process", bystander.pid)).startswith("denied")
    assert bystander.poll() is None
    assert told(attempt("kill_process", bystander.pid, without=BOTH)).startswith("reached")
    assert bystander.wait() == -9


@pytest.mark.parametrize("name", ["ask_kernel_to_kill", "limit_process"])
def test_refuses_other_ways_to_harm_a_process(attempt: Attempt, bystander: subprocess.Popen[bytes], name: str) -> None:
    _expect(attempt, name, bystander.pid, without=SECCOMP)


def test_refuses_to_trace_another_process(attempt: Attempt, bystander: subprocess.Popen[bytes]) -> None:
    assert told(attempt("trace_process", bystander.pid)).startswith("denied")
    assert told(attempt("trace_process", bystander.pid, without=(*BOTH, "capabilities"))).startswith("reached")


def test_kills_a_call_of_another_architecture(attempt: Attempt) -> None:
    if os.uname().machine != "x86_64":
        pytest.skip("x32 calls exist on x86_64 only")
    assert "killed by signal 31 (SIGSYS)" in told(attempt("call_x32"))
    assert "SIGSYS" not in told(attempt("call_x32", without=SECCOMP))


@pytest.mark.privileges
def test_gives_up_the_privileges_of_root(attempt: Attempt) -> None:
    _expect_without_files(attempt)


def _expect_without_files(attempt: Attempt) -> None:
    # /proc is closed by Landlock, so what is asked is whether capabilities are there when it is not.
    assert told(attempt("take_root_privileges", without=LANDLOCK)).startswith("denied")
    assert told(attempt("take_root_privileges", without=("landlock", "capabilities"))).startswith("reached")


@pytest.mark.parametrize("name", ["fork_and_stay", "fork_out_of_the_group"])
def test_leaves_no_child_behind(attempt: Attempt, tmp_path: Path, name: str) -> None:
    marker = tmp_path / "pid"
    assert told(attempt(name, marker)).startswith("denied")
    assert told(attempt(name, marker, without=BOTH)).startswith("reached")
    # Without the filter there was a child, and it was killed all the same.
    assert not is_running(int(marker.read_text(encoding="ascii")))


def test_passes_on_nothing_of_the_environment(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIGHBRIDGE_PASSPHRASE", "secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@proxy")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("LD_PRELOAD_LOOKALIKE", "x")
    environment = json.loads(told(attempt("tell_environment")))
    assert set(environment) <= {
        "PATH", "LANG", "HOME", "TMPDIR", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "JOBLIB_MULTIPROCESSING",
        "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "LC_CTYPE",
    }  # fmt: skip
    assert environment["OPENBLAS_CORETYPE"] == "Haswell"
    assert "secret" not in json.dumps(environment)


def test_passes_on_no_file_descriptor(attempt: Attempt, key: Path) -> None:
    descriptor = os.open(key, os.O_RDONLY)
    os.set_inheritable(descriptor, True)
    try:
        # The one that is open is the channel of answers itself.
        assert len(json.loads(told(attempt("tell_descriptors")))) == 1
    finally:
        os.close(descriptor)


def test_sets_every_limit(attempt: Attempt) -> None:
    limits = json.loads(told(attempt("tell_limits")))
    assert limits["RLIMIT_AS"] == LIMITS.memory
    assert limits["RLIMIT_NOFILE"] == LIMITS.files
    assert limits["RLIMIT_CORE"] == 0
    assert limits["RLIMIT_FSIZE"] == 8 * 1024 * 1024


def test_removes_the_scratch_directory(attempt: Attempt) -> None:
    assert not Path(told(attempt("tell_directory"))).exists()


def test_lets_a_check_use_the_model_and_the_scratch_directory(attempt: Attempt, model: Path) -> None:
    assert told(attempt("read_model", model)) == "weights"
    assert told(attempt("use_scratch")) == "kept here"


def test_says_what_was_in_force(attempt: Attempt) -> None:
    confinement = attempt("use_scratch").confinement
    assert confinement.landlock_abi >= 1
    assert confinement.filesystem
    assert confinement.network
    assert confinement.seccomp
    assert confinement.limits["address-space"] == LIMITS.memory
    assert "NOT" not in confinement.summary


def test_says_plainly_that_files_were_not_confined(attempt: Attempt) -> None:
    confinement = attempt("use_scratch", without=LANDLOCK).confinement
    assert (confinement.landlock_abi, confinement.filesystem, confinement.network) == (0, False, True)
    assert "FILES WERE NOT CONFINED" in confinement.summary


def test_does_not_call_tcp_rules_a_confined_network(attempt: Attempt) -> None:
    confinement = attempt("use_scratch", without=SECCOMP).confinement
    assert (confinement.filesystem, confinement.network, confinement.seccomp) == (True, False, False)
    assert "NETWORK WAS" in confinement.summary


def test_knows_that_it_is_confined(attempt: Attempt) -> None:
    assert told(attempt("tell_confined")) == "True"


@pytest.mark.parametrize("without", [LANDLOCK, SECCOMP, BOTH])
def test_knows_that_it_is_not_confined(attempt: Attempt, without: tuple[str, ...]) -> None:
    assert told(attempt("tell_confined", without=without)) == "False"


def test_this_process_is_not_confined() -> None:
    from weighbridge.checks.worker import state

    assert not state.confined()


ORDINARY_USER = ("unshare", "--user", "--map-user=1000")


@pytest.fixture
def ordinary_user() -> tuple[str, ...]:
    """Return what starts a program as a user without privileges, who has read access to the same files all the same."""
    return () if os.getuid() != 0 else ORDINARY_USER


@pytest.mark.namespaces
@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("read_file", "key"),
        ("list_directory", "keys"),
        ("write_file", "key"),
        ("change_mode", "key"),
        ("kill_process", "bystander"),
        ("read_environment_of", "bystander"),
        ("open_udp", None),
        ("run_program", None),
        ("bomb", None),
    ],
)
def test_confines_an_ordinary_user_as_well(
    attempt: Attempt,
    ordinary_user: tuple[str, ...],
    key: Path,
    bystander: subprocess.Popen[bytes],
    name: str,
    argument: str | None,
) -> None:
    values = {"key": key, "keys": key.parent, "bystander": bystander.pid}
    examination = attempt(name, *([] if argument is None else [values[argument]]), under=ordinary_user)
    assert told(examination).startswith("denied")
    assert examination.confinement.filesystem
    assert examination.confinement.network
    assert examination.confinement.limits["tasks"] > 0

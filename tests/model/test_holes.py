"""Ways round the bytes that were examined, the inputs that were named, and the files that commands write."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import mmap
import os
import shutil
from pathlib import Path

import pytest

from tests.builders import NOW, PASSPHRASE, make_model, sealed_keys
from tests.cli.conftest import Shell
from weighbridge import _libc
from weighbridge.checks.dependencies.advisories import packaged_bundle
from weighbridge.checks.dependencies.info import BundleInfo, describe_bundle
from weighbridge.checks.interface import CheckRequest, ModelFile, RobustnessOptions
from weighbridge.checks.reading import read_whole
from weighbridge.checks.seeding import seeded
from weighbridge.cli import advisories
from weighbridge.cli._options import examined_image
from weighbridge.errors import ModelError, OutputError
from weighbridge.evidence.bundle import MAX_BUNDLE_BYTES, read_bundle, write_bundle
from weighbridge.evidence.inputs import sign_input
from weighbridge.evidence.keys import KeyAlgorithm, PrivateKey
from weighbridge.evidence.measurements import InputRole
from weighbridge.evidence.statement import Statement
from weighbridge.model.choice import Room, ViewKind
from weighbridge.model.digest import Digest, hash_model
from weighbridge.model.view import private_view


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """A snapshot in the Hub's cache with one file."""
    repository = tmp_path / "models--org--name"
    (repository / "blobs").mkdir(parents=True)
    (repository / "snapshots" / "r1").mkdir(parents=True)
    blob = hashlib.sha256(b"weights").hexdigest()
    (repository / "blobs" / blob).write_bytes(b"weights")
    (repository / "snapshots" / "r1" / "model.bin").symlink_to(f"../../blobs/{blob}")
    return repository / "snapshots" / "r1"


NO_ROOM = Room(memory=0, disk=0, unwritable=False)


def blob_of(hub: Path) -> Path:
    return (hub / "model.bin").resolve()


# --- an input without an end


def test_an_input_that_never_ends_is_refused_and_does_not_hang(tmp_path: Path, shell: Shell) -> None:
    model = make_model(tmp_path / "model")

    result = shell.run("robustness", model, "--data", "/dev/zero", seconds=40)

    assert result.code == 2


def test_the_seed_reads_no_input_that_is_larger_than_any_input_may_be(tmp_path: Path) -> None:
    # 1 TiB without a block on the disk: hashing it takes an hour, and no check reads it.
    data = tmp_path / "test.npz"
    data.touch()
    os.truncate(data, 1024**4)
    request = CheckRequest(model="m", options=RobustnessOptions(data=str(data)))

    # What has no seed does not count; the check itself says what is wrong with its input.
    assert seeded(request, model=Digest("0" * 64), secret=None) == (request, None)


# --- a signature over other bytes than were read


def test_a_bundle_that_is_exchanged_after_it_was_read_is_not_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, key = tmp_path / packaged_bundle().name, tmp_path / "curator.key"
    shutil.copyfile(packaged_bundle(), bundle)
    key.write_bytes(sealed_keys()["scanner"][1])
    read = hashlib.sha256(bundle.read_bytes()).hexdigest()
    monkeypatch.setenv("WEIGHBRIDGE_PASSPHRASE", PASSPHRASE.decode())

    def then_exchanged(packed: bytes, *, name: str) -> BundleInfo:
        found = describe_bundle(packed, name=name)
        bundle.write_bytes(gzip.compress(b"no bundle at all"))
        return found

    monkeypatch.setattr(advisories, "describe_bundle", then_exchanged)

    assert advisories.sign.callback is not None
    advisories.sign.callback(bundle=bundle, key=key, passphrase_file=None)
    signature = bundle.with_name(bundle.name + ".sigstore.json")
    statement = Statement.parse(read_bundle(signature.read_bytes(), what="it").content(), what="it")
    assert statement.subject[0].digest["sha256"] == read


# --- the Hub's cache


def test_a_blob_that_was_only_touched_is_no_change(hub: Path) -> None:
    with private_view(hub) as view:
        os.utime(blob_of(hub))
        view.require_source_unchanged()


def test_a_snapshot_can_be_watched(hub: Path) -> None:
    with private_view(hub, room=NO_ROOM) as view:
        assert view.kind is ViewKind.WATCHED


@pytest.mark.parametrize("unwritable", [True, False])
def test_a_worker_can_read_a_snapshot_where_it_lies(hub: Path, unwritable: bool) -> None:
    with private_view(hub, room=Room(memory=0, disk=0, unwritable=unwritable)) as view, view.opened() as descriptor:
        (file,) = view.files
        read = read_whole(
            ModelFile(name=file.name, size=file.size, descriptor=descriptor, path=file.path, start=file.start),
            limit=100,
        )

    assert read == b"weights"


# --- two identities, from two reads


def test_evidence_never_names_the_image_of_other_bytes_than_were_examined(tmp_path: Path) -> None:
    """Of a view in place the files are read once more for the image; both go into one signed statement."""
    model = make_model(tmp_path / "model")
    with (model / "a.bin").open("r+b") as stream:
        writer = mmap.mmap(stream.fileno(), 0)
    writer[:1] = writer[:1]

    with private_view(model, room=Room(memory=0, disk=0, unwritable=True)) as view:
        writer[:4] = b"EVIL"
        with pytest.raises(ModelError, match=r"nothing was signed: a\.bin$"):
            examined_image(view)
        writer[:4] = b"aaaa"
    writer.close()


def test_the_image_of_a_view_in_place_is_of_what_was_examined(tmp_path: Path) -> None:
    with private_view(make_model(tmp_path / "model"), room=NO_ROOM) as view:
        assert examined_image(view).digest == view.digest


# --- a copy stays out of reach as long as it is held


@pytest.mark.parametrize("mixed", [False, True], ids=["links", "links-and-files"])
def test_blobs_that_are_exchanged_as_a_directory_are_seen(hub: Path, mixed: bool) -> None:
    """Times of the files do not change when their directory is renamed, and back; leases do not break either."""
    repository = hub.parents[1]
    real, other, name = repository / "blobs", repository / "other", blob_of(hub).name
    if mixed:
        (hub / "notes").write_bytes(b"notes")
    other.mkdir()
    (other / name).write_bytes(b"WEIGHTS")
    read = b""

    def examine() -> None:
        nonlocal read
        with private_view(hub, room=NO_ROOM) as view, view.opened() as descriptor:
            file = view.files[0]
            assert file.sha256 == hashlib.sha256(b"weights").hexdigest()
            real.rename(repository / "aside")
            other.rename(real)
            given = ModelFile(name=file.name, size=file.size, descriptor=descriptor, path=file.path, start=file.start)
            read = read_whole(given, limit=100)  # as a worker does
            real.rename(other)
            (repository / "aside").rename(real)

    with pytest.raises(ModelError, match=r"the directory .* of the Hub's cache changed"):
        examine()
    assert read == (b"WEIGHTS" if mixed else b"weights")


@pytest.mark.parametrize("name", ["snapshots", "snapshots/r1", "blobs"])
def test_every_directory_on_the_way_to_a_blob_is_watched(hub: Path, name: str) -> None:
    place = hub.parents[1] / name

    def examine() -> None:
        with private_view(hub, room=NO_ROOM):
            place.rename(place.with_name("aside"))
            place.with_name("aside").rename(place)

    with pytest.raises(ModelError, match=r"changed while it was read"):
        examine()


def test_the_end_of_one_copy_does_not_open_the_other_to_others(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model")
    room = Room(memory=0, disk=1024**4, unwritable=False, place=tmp_path)
    before = _libc.prctl(_libc.PR_GET_DUMPABLE)
    first = private_view(model, room=room)
    first.__enter__()
    try:
        with private_view(model, room=room) as second:
            assert second.kind is ViewKind.COPY
            first.__exit__(None, None, None)

            assert _libc.prctl(_libc.PR_GET_DUMPABLE) == 0
    finally:
        _libc.prctl(_libc.PR_SET_DUMPABLE, before)


# --- `policy bind` changes the policy, and nothing but its lines


POLICY = """\
apiVersion: weighbridge.dev/v1alpha1
kind: ModelPolicy
metadata: {name: production}
spec:
  inputs:
    lock: unbound
  requirements:
    - check: model-scan
      signers: [scanner]
      maxAge: 30d
  separation: [[scanner], [verifier]]
"""


def test_binding_through_a_link_changes_the_policy_that_it_leads_to(tmp_path: Path, shell: Shell) -> None:
    policy, link, lock = tmp_path / "policy.yaml", tmp_path / "current.yaml", tmp_path / "pylock.toml"
    policy.write_text(POLICY)
    link.symlink_to(policy.name)
    lock.write_text("lock-version = '1.0'\n")

    result = shell.run("policy", "bind", link, "--lock", lock)

    if result.code == 0:
        assert link.is_symlink()
        assert "sha256" in policy.read_text()


def test_binding_leaves_the_mode_of_the_policy(tmp_path: Path, shell: Shell) -> None:
    policy, lock = tmp_path / "policy.yaml", tmp_path / "pylock.toml"
    policy.write_text(POLICY)
    policy.chmod(0o600)
    lock.write_text("lock-version = '1.0'\n")

    assert shell.run("policy", "bind", policy, "--lock", lock).code == 0

    assert policy.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("signer", ["on", "no", "yes", "off"])
def test_a_signer_whose_name_yaml_takes_for_a_truth_value_can_be_bound(
    tmp_path: Path, shell: Shell, signer: str
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY.replace("lock: unbound", f'lock: {{signers: ["{signer}"], about: "{signer}"}}'))
    assert shell.run("policy", "show", policy).code == 0

    result = shell.run("policy", "bind", policy, "--signed", f"test={signer}")

    assert (result.code, result.err) == (0, "")


# --- names


@pytest.mark.parametrize("name", ["a\u2065", "a\ufff0", "a\U000e0fff"])
def test_a_name_with_a_character_that_unicode_says_to_leave_out_has_no_digest(tmp_path: Path, name: str) -> None:
    # Default_Ignorable_Code_Point and not assigned (Cn): shown as nothing, like the format characters (Cf).
    from weighbridge.errors import ModelError

    model = tmp_path / "model"
    model.mkdir()
    (model / name).write_bytes(b"1")
    (model / "a").write_bytes(b"2")

    with pytest.raises(ModelError):
        hash_model(model)


def test_the_signatures_of_a_mounted_configmap_are_read(tmp_path: Path) -> None:
    # As the kubelet writes it: files are links into a directory that `..data` leads to.
    from weighbridge.evidence.inputs import read_signatures

    key = PrivateKey.generate(KeyAlgorithm.ED25519)
    signature = sign_input(b"x", name="x.npz", role=InputRole.TEST, signer=key, now=NOW)
    (tmp_path / "..2026_11_29").mkdir()
    (tmp_path / "..2026_11_29" / "x.sigstore.json").write_bytes(signature)
    (tmp_path / "..data").symlink_to("..2026_11_29")
    (tmp_path / "x.sigstore.json").symlink_to("..data/x.sigstore.json")

    assert read_signatures(tmp_path) == [signature]


def test_nothing_is_signed_that_is_too_large_to_be_read() -> None:
    key = PrivateKey.generate(KeyAlgorithm.ED25519)

    with pytest.raises(OutputError, match="nothing was written") as caught:
        write_bundle(bytes(MAX_BUNDLE_BYTES), signer=key)
    assert "a model with fewer files" in caught.value.remedy


# --- inputs whose signature cannot lie beside them


@pytest.mark.parametrize("data", [".", "/"])
def test_an_input_without_a_name_is_no_internal_error(tmp_path: Path, shell: Shell, data: str) -> None:
    from weighbridge.evidence.inputs import signatures_beside

    assert signatures_beside([Path(data)]) == []


def test_an_input_with_the_longest_name_that_there_is_can_be_used(tmp_path: Path) -> None:
    from weighbridge.evidence.inputs import signatures_beside

    data = tmp_path / ("d" * 251 + ".npz")
    data.touch()

    assert signatures_beside([data]) == []


# --- numbers of an ONNX file that lie in another one

GOOD, BAD = ((1.0, 0.0), (0.0, 1.0)), ((0.0, 1.0), (1.0, 0.0))


def branching_onnx() -> bytes:
    """Return a linear classifier whose weights are external data of an initializer inside a branch of an ``If``."""
    onnx = pytest.importorskip("onnx")
    helper, proto = onnx.helper, onnx.TensorProto

    def branch(name: str) -> object:
        weights = proto(name=f"w_{name}", data_type=proto.FLOAT, dims=[2, 2], data_location=proto.EXTERNAL)
        for key, value in (("location", "w.bin"), ("offset", "0"), ("length", "16")):
            weights.external_data.add(key=key, value=value)
        answer = helper.make_tensor_value_info(name, proto.FLOAT, [None, 2])
        product = helper.make_node("MatMul", ["x", weights.name], [name])
        return helper.make_graph([product], name, [], [answer], [weights])

    node = helper.make_node("If", ["c"], ["y"], then_branch=branch("one"), else_branch=branch("two"))
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", proto.FLOAT, [None, 2])],
        [helper.make_tensor_value_info("y", proto.FLOAT, [None, 2])],
        [helper.make_tensor("c", proto.BOOL, [], [True])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


def weights(rows: tuple[tuple[float, float], ...]) -> bytes:
    import numpy as np

    return np.array(rows, dtype=np.float32).tobytes()


def test_numbers_of_a_branch_come_from_the_model_and_not_from_where_the_process_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np

    from weighbridge.checks.interface import ModelFile
    from weighbridge.checks.runners.interface import RunnerError
    from weighbridge.checks.runners.onnx_model import OnnxRunner

    model, elsewhere = tmp_path / "model", tmp_path / "elsewhere"
    model.mkdir()
    elsewhere.mkdir()
    (model / "w.bin").write_bytes(weights(BAD))
    (elsewhere / "w.bin").write_bytes(weights(GOOD))
    monkeypatch.chdir(elsewhere)
    beside = {"w.bin": ModelFile(name="w.bin", size=16, path=str(model / "w.bin"))}

    try:
        runner = OnnxRunner(branching_onnx(), name="m.onnx", features=2, threads=1, beside=beside)
    except RunnerError:
        return
    assert runner.scores(np.eye(2)).tolist() == [list(row) for row in BAD]


def test_a_file_that_somebody_drops_where_a_worker_runs_is_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model's own weights get every example wrong: what is measured must never be that it gets all right."""
    import threading

    import numpy as np

    from weighbridge.checks.run import run_check
    from weighbridge.clock import system_clock
    from weighbridge.evidence.measurements import RobustnessMeasurements

    model, places = tmp_path / "model", tmp_path / "places"
    model.mkdir()
    places.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(places))
    (model / "m.onnx").write_bytes(branching_onnx())
    (model / "w.bin").write_bytes(weights(BAD))
    x = np.random.default_rng(1).random((60, 2))
    np.savez(tmp_path / "test.npz", x=x, y=(x[:, 1] > x[:, 0]).astype(np.int64))
    options = RobustnessOptions(data=str(tmp_path / "test.npz"), epsilon=0.01, queries=10, samples=20)
    request = CheckRequest(model=str(model), options=options)
    done = threading.Event()

    def drop() -> None:
        while not done.wait(0.01):
            for place in places.glob("weighbridge-worker-*"):
                with contextlib.suppress(FileNotFoundError):  # the worker ends meanwhile, and its folder with it
                    if not (place / "w.bin").exists():
                        (place / "w.bin").write_bytes(weights(GOOD))

    thread = threading.Thread(target=drop)
    thread.start()
    try:
        with private_view(model) as view:
            record = run_check(request, view=view, clock=system_clock, nonce="0" * 32)
    finally:
        done.set()
        thread.join()

    measured = record.measurements
    if isinstance(measured, RobustnessMeasurements):
        assert [entry.correct for entry in measured.entries] in ([], [0])

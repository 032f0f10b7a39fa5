"""Hostile pickles: gadgets by name, and every opcode that can reach one."""

from __future__ import annotations

import io
import pickle
import struct
from collections.abc import Iterator

from tests.attacks.models import Case

GADGETS = """
os system|posix system|nt system|os popen|os execv|os spawnl|os remove|os putenv|os posix_spawn|pty spawn
subprocess Popen|subprocess call|subprocess run|subprocess check_output|subprocess getoutput
subprocess getstatusoutput|builtins eval|builtins exec|builtins compile|builtins open|builtins __import__
builtins getattr|builtins setattr|builtins map|builtins filter|builtins print|builtins input|builtins vars
builtins globals|builtins breakpoint|builtins delattr|builtins classmethod|builtins type|builtins super
builtins memoryview|__builtin__ eval|__builtin__ apply|importlib import_module|importlib reload|imp load_source
runpy run_path|runpy run_module|runpy _run_code|code interact|code InteractiveInterpreter|codeop compile_command
pdb run|pdb Pdb|bdb Bdb|cProfile run|profile run|timeit timeit|timeit repeat|trace Trace|doctest testmod
doctest debug_script|pydoc pipepager|pydoc locate|site main|marshal loads|pickle loads|pickle load|_pickle loads
pickle Unpickler|cloudpickle loads|cloudpickle.cloudpickle _make_function|cloudpickle.cloudpickle _builtin_type
dill loads|dill._dill _create_code|shelve open|copyreg _extension_registry|operator attrgetter
operator methodcaller|operator itemgetter|_operator attrgetter|_operator methodcaller|functools reduce
functools partialmethod|_functools partial|functools cached_property|itertools starmap|types FunctionType
types CodeType|types MethodType|types ModuleType|ctypes CDLL|ctypes cdll|ctypes.util find_library|_ctypes dlopen
cffi FFI|socket socket|socket create_connection|socket gethostbyname|ssl get_server_certificate
urllib.request urlopen|urllib.request urlretrieve|http.client HTTPSConnection|requests get|requests.api get
ftplib FTP|smtplib SMTP|telnetlib Telnet|webbrowser open|antigravity geohash
asyncio.subprocess create_subprocess_shell|asyncio.unix_events _UnixSubprocessTransport._start
multiprocessing.util spawnv_passfds|concurrent.futures ThreadPoolExecutor|threading Thread
_thread start_new_thread|signal signal|atexit register|sys exit|sys modules|sys settrace|gc get_objects
shutil rmtree|shutil move|shutil copyfile|pathlib Path|pathlib PosixPath|io open|io FileIO|_io open|_io FileIO
codecs open|tempfile mktemp|fileinput input|linecache getlines|glob glob|zipfile ZipFile|tarfile open
sqlite3 connect|mailcap findmatch|platform popen|distutils.spawn spawn|setuptools.command.easy_install main
pip main|pip._internal main|ensurepip _run_pip|venv create|idlelib.pyshell ModifiedInterpreter.runcode
lib2to3.pgen2.pgen ParserGenerator|logging.config dictConfig|logging FileHandler|xmlrpc.client ServerProxy
yaml load|yaml unsafe_load|jinja2 Template|commands getoutput|popen2 popen3|numpy load|numpy fromfile|numpy save
numpy savetxt|numpy loadtxt|numpy memmap.tofile|numpy vectorize|numpy apply_along_axis
numpy.testing._private.utils runstring|numpy.f2py.crackfortran myeval|numpy.f2py.crackfortran param_eval
numpy.distutils.exec_command exec_command|scipy._lib._bunch _make_tuple_bunch
sklearn.utils._testing check_skip_network|sklearn.datasets load_files|sklearn.datasets fetch_openml|joblib load
joblib.numpy_pickle load|joblib.memory Memory|joblib.parallel BatchedCalls|torch load|torch.jit load
torch.hub load|torch.utils.cpp_extension load|torch.serialization load|torch._dynamo.guards GuardBuilder.get
torch.utils._config_module ConfigModule.load_config|torch.ops load_library
torch.utils.data.datapipes.utils.decoder basichandlers|torch.utils.bottleneck.__main__ run_cprofile
torch.utils.collect_env run|torch.fx.experimental.symbolic_shapes ShapeEnv.evaluate_guards_expression
pandas read_pickle|pandas.io.pickle read_pickle|pandas eval|pandas.core.computation.eval eval
xgboost Booster.load_model|lightgbm.basic _InnerPredictor|keras.models load_model
tensorflow.keras.models load_model|mlflow.pyfunc load_model|transformers AutoModel.from_pretrained
huggingface_hub hf_hub_download|_interpreters run_string|_xxsubinterpreters run_string
test.support.script_helper assert_python_ok|unittest.mock _importer|uuid _get_command_stdout|aifc open
nturl2path url2pathname|torch._utils torch.os.getcwd|numpy core.os.system|sklearn.base os.system
collections OrderedDict.__init__|builtins object.__reduce_ex__|functools partial.__call__|zoneinfo ZoneInfo
weakref finalize|contextlib ExitStack
"""


def gadgets() -> Iterator[tuple[str, str]]:
    """Yield module and name of every gadget."""
    for entry in GADGETS.replace("\n", "|").split("|"):
        if entry.strip():
            module, name = entry.split()
            yield module, name


def _text(value: str) -> bytes:
    raw = value.encode()
    return b"\x8c" + bytes([len(raw)]) + raw


def name4(module: str, name: str) -> bytes:
    """Import by STACK_GLOBAL."""
    return _text(module) + _text(name) + b"\x93"


def name0(module: str, name: str) -> bytes:
    """Import by GLOBAL."""
    return f"c{module}\n{name}\n".encode()


SYSTEM = name0("os", "system") + b"(S'true'\ntR."
"""The classic: os.system('true')."""

_ARG = b"\x8c\x04true\x85"
_P4 = b"\x80\x04"


def framed(body: bytes) -> bytes:
    """Wrap a body as protocol 4 writes it."""
    return _P4 + b"\x95" + struct.pack("<Q", len(body)) + body


OPCODES: dict[str, bytes] = {
    "reduce-protocol-0": SYSTEM,
    "inst": b"(S'true'\nios\nsystem\n.",
    "obj": b"(" + name0("os", "system") + b"S'true'\no.",
    "newobj": _P4 + name4("os", "system") + _ARG + b"\x81.",
    "newobj-ex": _P4 + name4("os", "system") + _ARG + b"}\x92.",
    "stack-global": framed(name4("os", "system") + _ARG + b"R."),
    "import-only": _P4 + name4("os", "system") + b".",
    "import-and-drop": _P4 + name4("os", "system") + b"0N.",
    "import-in-list": _P4 + b"]" + name4("os", "system") + b"a.",
    "memo-names": _P4 + _text("os") + b"\x940" + _text("system") + b"\x940h\x00h\x01\x93" + _ARG + b"R.",
    "memo-overwritten": _P4 + _text("numpy") + b"q\x000" + _text("os") + b"q\x000h\x00" + _text("system") + b"\x93.",
    "names-by-dup": _P4 + _text("os") + b"2\x93.",
    "names-from-call": _P4 + _text("os") + name4("_codecs", "encode") + _text("system") + _text("latin1")
    + b"\x86R\x93.",
    "names-by-old-string": b"\x80\x02U\x02osU\x06system\x93.",
    "names-by-escaped-string": b"S'\\x6fs'\nS'system'\n\x93.",
    "names-by-unicode-escape": b"V\\u006fs\nVsystem\n\x93.",
    "names-are-bytes": _P4 + b"C\x02osC\x06system\x93.",
    "name-is-number": _P4 + _text("os") + b"K\x01\x93.",
    "name-is-empty": _P4 + _text("") + _text("") + b"\x93.",
    "dotted-name": _P4 + name4("torch._utils", "torch.os.system") + _ARG + b"R.",
    "dotted-listed-prefix": _P4 + name4("collections", "OrderedDict.fromkeys") + _ARG + b"R.",
    "name-with-space": b"cos\nsystem \n(S'true'\ntR.",
    "name-with-carriage-return": b"cos\r\nsystem\r\n(S'true'\ntR.",
    "name-with-nul": _P4 + name4("os\x00", "system") + b".",
    "name-in-other-case": _P4 + name4("OS", "System") + b".",
    "extension-1": _P4 + b"\x82\x01" + _ARG + b"R.",
    "extension-2": _P4 + b"\x83\x01\x00" + _ARG + b"R.",
    "extension-4": _P4 + b"\x84\x01\x00\x00\x00" + _ARG + b"R.",
    "persistent-line": b"Pos.system\n.",
    "persistent-stack": _P4 + _text("os.system") + b"Q.",
    "persistent-storage-outside-torch": _P4 + b"(" + _text("storage") + b"tQ.",
    "out-of-band-buffer": b"\x80\x05\x97.",
    "readonly-buffer": b"\x80\x05\x97\x98.",
    "build-on-class": _P4 + name4("sklearn.tree._classes", "DecisionTreeClassifier") + b"}b.",
    "build-on-function": _P4 + name4("copyreg", "_reconstructor") + b"}b.",
    "build-on-list": _P4 + b"]}b.",
    "build-on-unlisted": _P4 + name4("os", "environ") + b"}b.",
    "build-special-attribute": _P4 + name4("sklearn.tree._classes", "DecisionTreeClassifier")
    + b")\x81}" + _text("__class__") + b"Nsb.",
    "build-special-slot": _P4 + name4("sklearn.tree._classes", "DecisionTreeClassifier")
    + b")\x81N}" + _text("__reduce__") + b"Ns\x86b.",
    "build-function-as-attribute": _P4 + name4("sklearn.tree._classes", "DecisionTreeClassifier")
    + b")\x81}" + _text("predict") + name4("torch.storage", "_load_from_bytes") + b"sb.",
    "function-in-list": _P4 + b"]" + name4("copyreg", "_reconstructor") + b"a.",
    "function-in-tuple-result": _P4 + name4("copyreg", "_reconstructor") + b"\x85.",
    "function-as-result": _P4 + name4("_codecs", "encode") + b".",
    "function-transformer-loader": _P4 + name4("sklearn.preprocessing._function_transformer", "FunctionTransformer")
    + b")\x81}" + _text("func") + name4("torch.storage", "_load_from_bytes") + b"sb.",
    "call-a-string": _P4 + _text("os.system") + _ARG + b"R.",
    "call-an-instance": _P4 + name4("collections", "OrderedDict") + b")R)R.",
    "call-with-list": _P4 + name4("collections", "OrderedDict") + b"]R.",
    "call-value": _P4 + name4("numpy", "log1p") + b"K\x01\x85R.",
    "class-with-arguments": _P4 + name4("sklearn.tree._classes", "DecisionTreeClassifier") + _ARG + b"R.",
    "ndarray-called": _P4 + name4("numpy", "ndarray") + b"J\xff\xff\xff\x7f\x85\x85R.",
    "list-of-range": _P4 + name4("builtins", "list") + name4("builtins", "range") + b"J\xff\xff\xff\x7f\x85R\x85R.",
    "bytearray-of-size": _P4 + name4("builtins", "bytearray") + b"J\xff\xff\xff\x7f\x85R.",
    "defaultdict-eval": _P4 + name4("collections", "defaultdict") + name4("builtins", "eval") + b"\x85R.",
    "defaultdict-listed-function": _P4 + name4("collections", "defaultdict") + name4("_codecs", "encode") + b"\x85R.",
    "reconstructor-of-function": _P4 + name4("copyreg", "_reconstructor") + name4("_codecs", "encode")
    + name4("builtins", "object") + b"N\x87R.",
    "reconstructor-odd-base": _P4 + name4("copyreg", "_reconstructor") + name4("numpy", "ndarray")
    + name4("numpy", "ndarray") + b"N\x87R.",
    "array-of-odd-class": _P4 + name4("numpy._core.multiarray", "_reconstruct")
    + name4("sklearn.tree._classes", "DecisionTreeClassifier") + b"K\x00\x85C\x01b\x87R.",
    "codecs-encode-other-codec": _P4 + name4("_codecs", "encode") + _text("x") + _text("zlib_codec") + b"\x86R.",
    "partial-of-loader": _P4 + name4("functools", "partial") + name4("torch.storage", "_load_from_bytes") + b"\x85R.",
    "partial-state-swap": _P4 + name4("functools", "partial") + name4("numpy", "log1p") + b"\x85R("
    + name4("_codecs", "encode") + b")}Ntb.",
    "newobj-of-function": _P4 + name4("_codecs", "encode") + _text("x") + _text("latin1") + b"\x86\x81.",
    "newobj-ex-keywords": _P4 + name4("collections", "OrderedDict") + b")}" + _text("a") + b"Ns\x92.",
    "bit-generator-odd": _P4 + name4("numpy.random._pickle", "__bit_generator_ctor") + _text("os") + b"\x85R.",
    "typed-tensor-of-loader": _P4 + name4("torch._tensor", "_rebuild_from_type_v2") + b"("
    + name4("torch.storage", "_load_from_bytes") + name4("torch", "Tensor") + b"C\x01x\x85}tR.",
    "nested-loader": _P4 + name4("torch.storage", "_load_from_bytes")
    + b"C" + bytes([len(SYSTEM)]) + SYSTEM + b"\x85R.",
    "nested-loader-long": _P4 + name4("torch.storage", "_load_from_bytes")
    + b"B" + struct.pack("<I", len(SYSTEM) + 2000) + b"N0" * 1000 + SYSTEM + b"\x85R.",
    "append-to-instance": _P4 + name4("sklearn.tree._classes", "DecisionTreeClassifier") + b")\x81Na.",
    "set-item-on-instance": _P4 + name4("sklearn.tree._classes", "DecisionTreeClassifier") + b")\x81NNs.",
    "add-items-to-list": _P4 + b"](N\x90.",
    "payload-after-stop": _P4 + b"N." + SYSTEM,
    "junk-after-stop": _P4 + b"N.junk",
    "payload-without-stop": SYSTEM[:-1],
    "payload-then-garbage": SYSTEM[:-1] + b"\xff",
    "payload-then-cut": SYSTEM[:-1] + b"X\xff\xff\xff\x7f",
    "two-values-left": _P4 + b"NN.",
    "stack-underflow": _P4 + b"a.",
    "mark-missing": _P4 + b"t.",
    "mark-left": _P4 + b"(N.",
    "memo-missing": _P4 + b"h\x05.",
    "memo-hole": _P4 + b"Nq\x05h\x03.",
    "memo-mixed": _P4 + b"Nq\x05\x94.",
    "memo-negative": b"Np-1\n.",
    "memo-far": _P4 + b"Nr\xff\xff\xff\xff.",
    "protocol-6": b"\x80\x06N.",
    "protocol-in-the-middle": _P4 + b"N\x80\x040.",
    "frame-of-any-length": _P4 + b"\x95" + b"\xff" * 8 + b"N.",
    "string-without-quotes": _P4 + b"Sabc\n.",
    "string-negative-length": _P4 + b"T\xff\xff\xff\xff.",
    "integer-is-no-number": _P4 + b"Iabc\n.",
    "float-is-no-number": _P4 + b"Fabc\n.",
    "wrong-utf8": _P4 + b"\x8c\x01\xff.",
    "no-opcode": _P4 + b"\xfe.",
    "empty-after-protocol": _P4,
    "odd-dictionary": _P4 + b"(Nd.",
    "obj-without-class": _P4 + b"(o.",
}  # fmt: skip
"""Pickles by the way they reach for something, or break the format."""


def joblib_array(*, padding: bytes, data: bytes, alignment: bytes = b"K\x10", subclass: bytes | None = None) -> bytes:
    """Build a joblib file of one array by hand."""
    body = io.BytesIO()
    body.write(_P4 + name4("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81}(")
    body.write(_text("subclass") + (subclass or name4("numpy", "ndarray")))
    body.write(_text("shape") + b"K" + bytes([len(data)]) + b"\x85")
    body.write(_text("order") + _text("C"))
    body.write(_text("dtype") + name4("numpy", "dtype") + _text("u1") + b"\x89\x88\x87R")
    body.write(_text("allow_mmap") + b"\x88" + _text("numpy_array_alignment_bytes") + alignment)
    body.write(b"ub" + padding + data + b".")
    return body.getvalue()


def _joblib_cases() -> dict[str, bytes]:
    payload = b"0" + SYSTEM
    objects = joblib_array(padding=b"", data=b"").replace(_text("u1"), _text("O8"))[:-1]
    return {
        "array-is-opcodes-for-pickle": joblib_array(padding=b"", data=payload, alignment=b"N"),
        "padding-is-opcode": joblib_array(padding=b"N" + b"0" * 78, data=b"abcd"),
        "padding-is-zero": joblib_array(padding=b"\x00", data=b"abcd"),
        "array-cut-off": joblib_array(padding=b"\x01\xff", data=b"abcd")[:-4],
        "payload-after-array": joblib_array(padding=b"\x01\xff", data=b"abcd")[:-1] + payload,
        "array-of-unlisted-class": joblib_array(padding=b"\x01\xff", data=b"a", subclass=name4("os", "system")),
        "array-of-estimator": joblib_array(
            padding=b"\x01\xff", data=b"a", subclass=name4("sklearn.tree._classes", "DecisionTreeClassifier")
        ),
        "objects-hold-payload": objects + SYSTEM + b".",
        "objects-hold-payload-new": objects + _P4 + name4("os", "system") + _ARG + b"R..",
    }


def cases() -> list[Case]:
    """Return all hostile pickles."""
    found: list[Case] = []
    for module, name in gadgets():
        found.append(Case("gadgets", f"{module}.{name}-0", "m.pkl", name0(module, name) + b"(S'true'\ntR."))
        found.append(Case("gadgets", f"{module}.{name}-4", "m.pkl", framed(name4(module, name) + _ARG + b"R.")))
    found += [Case("opcodes", name, "m.pkl", data) for name, data in OPCODES.items()]
    found += [Case("joblib", name, "m.joblib", data) for name, data in _joblib_cases().items()]
    found.append(Case("dos", "opcodes", "m.pkl", _P4 + b"N0" * 2_600_000 + SYSTEM))
    found.append(Case("dos", "marks", "m.pkl", _P4 + b"(" * 1_100_000 + b"."))
    found.append(Case("dos", "stack", "m.pkl", _P4 + b"N" * 1_100_000 + b"."))
    found.append(Case("dos", "tuples-in-tuples", "m.pkl", _P4 + b"N" + b"2\x86" * 2_600_000 + b"."))
    return found


class Benign:
    """An object of a class that no list knows, pickled by Python itself."""


def python_made() -> bytes:
    """Return a real pickle of a class that is not listed."""
    return pickle.dumps(Benign())

"""The one place of Weighbridge that unpickles, and the conditions under which it does.

Decision: a scikit-learn model exists as a pickle only, and its behaviour cannot be measured without loading it. So
it is loaded, when all of these hold, and reported undecided when one does not:

1. The process is a worker whose confinement is in force: no keys, no network, no writing.
2. The model scan's symbolic pickle machine found these bytes clean, just before.
3. The unpickler resolves exactly the globals of the scan's allow list, by module and name; no dotted names.

The third holds even if the second is wrong. What is left is a hostile value inside an allowed class, such as a
decision tree whose nodes point outside its arrays: native code may misbehave on it, which is what the first is for.
"""

from __future__ import annotations

import io
import pickle
import struct
from collections.abc import Callable
from typing import Any, Final

from weighbridge.checks.runners.interface import RunnerError

MAX_PICKLE_BYTES: Final = 2 * 1024**3
"""Largest pickle that is loaded."""

AllowedGlobals = frozenset[tuple[str, str]]

# Protocols 0 to 2 call these modules and names as Python 2 did. The unpickler's own translation is off, because it
# would translate after the list was asked.
_MODULES: Final = {"__builtin__": "builtins", "copy_reg": "copyreg"}
_NAMES: Final = {("__builtin__", "unicode"): "str", ("__builtin__", "long"): "int"}


# The unpickler in Python, for which there are no type stubs. The one in C takes gigabytes for a large memo number
# before it has seen that many objects, and works on memory by hand; arrays are read at once by either.
_PythonUnpickler: Any = vars(pickle)["_Unpickler"]


class StrictUnpickler(_PythonUnpickler):  # type: ignore[misc]
    """An unpickler that knows the allow list and nothing else."""

    dispatch = _PythonUnpickler.dispatch.copy()

    def __init__(self, stream: io.BytesIO, allowed: AllowedGlobals) -> None:
        """Read from a stream with the globals of an allow list."""
        super().__init__(stream, fix_imports=False)
        self._allowed = allowed

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401
        """Resolve one allowed global."""
        return super().find_class(*resolved(module, name, self._allowed))

    def load_bytearray8(self) -> None:
        """Read a byte array without taking its memory before its bytes are seen."""
        (size,) = struct.unpack("<Q", self.read(8))
        content = self.read(size)
        if len(content) != size:
            raise RunnerError(f"the pickle ends within {size} bytes")
        self.append(bytearray(content))

    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8


def resolved(module: str, name: str, allowed: AllowedGlobals) -> tuple[str, str]:
    """Return the module and name to import for a global of the allow list, by its present name.

    Raises:
        RunnerError: For every other pair, and for a dotted name, which would reach attributes of an allowed object.
    """
    if (module, name) not in allowed or "." in name:
        raise RunnerError(f"the pickle asks for {module}.{name}, which is not on the allow list")
    return _MODULES.get(module, module), _NAMES.get((module, name), name)


def load_pickle(content: bytes, *, allowed: AllowedGlobals) -> object:
    """Load a plain pickle with the globals of an allow list.

    Raises:
        RunnerError: Another global is asked for, the pickle is damaged, or bytes follow it.
    """
    stream = io.BytesIO(content)
    loaded = run_pickle(StrictUnpickler(stream, allowed).load)
    if stream.tell() != len(content):
        raise RunnerError(f"{len(content) - stream.tell()} bytes follow the end of the pickle")
    return loaded


_PACKAGES: Final = {"sklearn": "scikit-learn", "PIL": "pillow"}
"""Packages whose name is another one than that of their module."""


def _not_installed(error: ModuleNotFoundError) -> RunnerError:
    """Say which package is missing, and how this installation can have it."""
    module = (error.name or "").partition(".")[0]
    package = _PACKAGES.get(module, module) or "the package"
    return RunnerError(
        f"the pickle needs {package}, which is not installed where the check runs",
        remedy=(
            f"Install it beside weighbridge: pip install {package}. In an image that has none, and cannot have it, "
            "export the model to ONNX."
        ),
    )


def run_pickle(load: Callable[[], Any]) -> object:
    """Call an unpickler's ``load`` and turn whatever a damaged pickle makes it raise into a RunnerError."""
    try:
        return load()
    except RunnerError:
        raise
    except ModuleNotFoundError as error:
        raise _not_installed(error) from None
    except Exception as error:  # a pickle calls constructors with what it likes, and they raise what they like
        raise RunnerError(f"the pickle cannot be loaded: {type(error).__name__}: {str(error)[:300]}") from None

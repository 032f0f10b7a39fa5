"""Limit the threads of numeric libraries in a process that may read nothing of itself.

threadpoolctl finds the loaded libraries in ``/proc/self/maps``, which a confined worker cannot open; the dynamic
loader tells them as well (``dl_iterate_phdr``), and threadpoolctl knows that way too, for systems without ``/proc``.
scikit-learn asks the same question while it predicts, for example in nearest neighbours, so it is given the answer.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sklearn.utils import parallel
from threadpoolctl import ThreadpoolController


class _LoaderController(ThreadpoolController):  # type: ignore[misc]
    """Finds libraries through the dynamic loader."""

    def _find_libraries_with_linux(self) -> None:
        self._find_libraries_with_dl_iterate_phdr()


@cache
def thread_pools() -> Any:  # noqa: ANN401 - threadpoolctl has no types
    """Return the controller of the process's thread pools; found once, since finding takes a millisecond.

    Where ``/proc`` is closed, scikit-learn gets the same controller.
    """
    try:
        return ThreadpoolController()
    except OSError:
        controller = _LoaderController()
        vars(parallel)["_threadpool_controller"] = controller
        return controller

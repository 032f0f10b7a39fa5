"""Kubeflow Pipelines: ``deploy(model=secure(train.outputs["model"], policy=..., trust=..., image=...))``.

The deploy step can only receive what the gate wrote, and the gate writes a model only after a passed verdict. That is
a data dependency; an order of tasks (``.after``), an exit code or a condition would not do, and each has a regression
test in ``tests/pipelines/test_kfp_traps.py``. Needs the extra ``kfp``; nothing else in Weighbridge imports it.
"""

from __future__ import annotations

from weighbridge.kfp.components import Unpinned, component, components
from weighbridge.kfp.secure import Data, Secrets, secure

__all__ = ["Data", "Secrets", "Unpinned", "component", "components", "secure"]

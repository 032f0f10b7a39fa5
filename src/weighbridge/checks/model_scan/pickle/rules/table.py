"""Every rule that an allow list may name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from weighbridge.checks.model_scan.pickle.rules.arrays import ARRAY_RULES
from weighbridge.checks.model_scan.pickle.rules.builtin import BUILTIN_RULES
from weighbridge.checks.model_scan.pickle.rules.functions import FUNCTION_RULES
from weighbridge.checks.model_scan.pickle.rules.native import NATIVE_RULES
from weighbridge.checks.model_scan.pickle.rules.objects import OBJECT_RULES
from weighbridge.checks.model_scan.pickle.rules.random import RANDOM_RULES
from weighbridge.checks.model_scan.pickle.rules.rule import Rule
from weighbridge.checks.model_scan.pickle.rules.sparse import SPARSE_RULES
from weighbridge.checks.model_scan.pickle.rules.tables import TABLE_RULES
from weighbridge.checks.model_scan.pickle.rules.tensors import TENSOR_RULES
from weighbridge.checks.model_scan.pickle.rules.training import TRAINING_RULES

RULES: Final[Mapping[str, Rule]] = {
    **BUILTIN_RULES,
    **ARRAY_RULES,
    **RANDOM_RULES,
    **OBJECT_RULES,
    **FUNCTION_RULES,
    **NATIVE_RULES,
    **SPARSE_RULES,
    **TABLE_RULES,
    **TENSOR_RULES,
    **TRAINING_RULES,
}
"""The rules by the names that the allow lists use."""

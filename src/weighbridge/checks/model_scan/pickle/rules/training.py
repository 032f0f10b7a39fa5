"""Arguments of a training: the Trainer of Transformers pickles them beside the model, and nothing needs them to load.

They are plain settings: numbers, text, members of enums, which are a call of the enum with one text, and objects that
are made of the same. Nothing of that can be called, so which of its attributes a class knows need not be.
"""

from __future__ import annotations

from typing import Final

from weighbridge.checks.model_scan.pickle.attributes import Attributes
from weighbridge.checks.model_scan.pickle.rules.kinds import is_data
from weighbridge.checks.model_scan.pickle.rules.rule import Items, Rule
from weighbridge.checks.model_scan.pickle.values import Collection, Instance, Value, is_plain

MAX_MEMBER: Final = 100
"""Longest value of an enum's member."""


def _nothing(items: Items) -> bool:
    return not items


def _member(items: Items) -> bool:
    """Judge the call of an enum: one short text, which it looks up among its members."""
    match items:
        case [str() as value]:
            return len(value) <= MAX_MEMBER
        case _:
            return False


def _judge_settings(target: Instance, state: Value, attributes: Attributes) -> str | None:
    del target, attributes
    if type(state) is not Collection or state.kind != "dict":
        return "is no dictionary of settings"
    if state.special is not None:
        return f"sets {state.special}"
    for name, value in state.entries.items():
        if not is_data(value) or not is_plain(value):
            return f"keeps something under {name} that is no number, text or member of an enum"
    return None


TRAINING_RULES: Final = {
    "enum": Rule(call=_member, is_plain=True),
    "settings": Rule(new=_nothing, state=_judge_settings, is_plain=True),
}
"""The rules about settings of a training."""

"""Read a data set that ``datasets.Dataset.save_to_disk`` of Hugging Face wrote: Arrow streams, and what lists them."""

from __future__ import annotations

import json
from typing import Any, Final

from weighbridge.checks.data.arrow import read_arrow
from weighbridge.checks.data.kinds import Kind
from weighbridge.checks.data.limits import DataError, listed
from weighbridge.checks.data.raw import Choice, Raw
from weighbridge.checks.data.source import Folder

STATE: Final = "state.json"
"""Lists the files of one data set."""

SPLITS: Final = "dataset_dict.json"
"""Lists the splits of a folder of data sets."""

_MAX_LIST: Final = 2**20
_KIND: Final = "hf-dataset"


def is_saved_dataset(names: tuple[str, ...]) -> bool:
    """Tell whether a folder is one data set, or several as splits."""
    return STATE in names or SPLITS in names


def read_saved_dataset(folder: Folder, *, choice: Choice) -> Raw:
    """Read the rows of a data set, or of the only split of several.

    Raises:
        DataError: There are several splits, a list names a file that is not there, or a part cannot be read.
    """
    base = ""
    if STATE not in folder.names:
        splits = _texts(_listed(folder, SPLITS), "splits", SPLITS)
        if len(splits) != 1:
            one = f"{folder.path.name}/{splits[0] if splits else 'train'}"
            raise DataError(
                f"{folder.path.name} has {len(splits)} splits: {listed(splits)}",
                remedy=f"Give the folder of one of them, such as {one}.",
            )
        base = f"{splits[0]}/"
    state = _listed(folder, f"{base}{STATE}")
    if state.get("_indices_data_files"):
        raise DataError(
            f"{folder.path.name} is a selection of rows by a second file",
            remedy="Save it again after dataset.flatten_indices().",
        )
    files = state.get("_data_files")
    if not isinstance(files, list) or not files:
        raise DataError(f"{base}{STATE} names no files", remedy="Save the data set again with save_to_disk.")
    names = [base + str(file.get("filename") if isinstance(file, dict) else "") for file in files]
    missing = [name for name in names if name not in folder.names]
    if missing:
        raise DataError(
            f"{listed(missing)} of {folder.path.name} is not in the folder", remedy="Copy the whole folder."
        )
    parts = (folder.read(name) for name in names)
    raw = read_arrow(parts, kind=Kind.ARROW_STREAM, what=folder.path.name, choice=choice)
    return Raw(_KIND, raw.x, raw.y, raw.label, raw.bounds)


def _listed(folder: Folder, name: str) -> dict[str, Any]:
    if name not in folder.names:
        raise DataError(f"{folder.path.name} has no {name}", remedy="Copy the whole folder.")
    blob = folder.read(name)
    try:
        found = json.loads(blob) if len(blob) <= _MAX_LIST else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise DataError(f"{name} of {folder.path.name} is no list of files", remedy="Save it again with save_to_disk.")
    return found


def _texts(table: dict[str, Any], key: str, name: str) -> list[str]:
    found = table.get(key)
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise DataError(f"{name} names no {key}", remedy="Save it again with save_to_disk.")
    return found

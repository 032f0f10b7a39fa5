"""Read pictures: a folder with a folder of PNG or JPEG files for each class, or pictures in a column of a table.

Pixels are scaled from 0 to 255 onto the bounds, [0, 1] when nobody says otherwise, with channels first: what
``ToTensor`` of torchvision gives. Classes have the order of their names, as torchvision and Keras number them.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from weighbridge.checks.data import limits
from weighbridge.checks.data.labels import LabelColumn
from weighbridge.checks.data.limits import DataError, listed, shown_text
from weighbridge.checks.data.raw import Choice, Raw, refuse_label
from weighbridge.checks.data.source import Folder

WHOLE_RANGE: Final = (0.0, 1.0)
"""What black and white become when nobody says otherwise."""

_WHITE: Final = 255
_MAGIC: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_CLASSES: Final = "A folder of pictures has one folder for each class, with PNG or JPEG files in it and nothing else."
_MODES: Final = {"1": "L", "L": "L", "P": "RGB", "RGB": "RGB"}


def is_picture_folder(names: tuple[str, ...]) -> bool:
    """Tell whether every file of a folder lies in a folder of its own class."""
    return all(name.count("/") == 1 for name in names)


def read_folder(folder: Folder, *, choice: Choice) -> Raw:
    """Read a folder of pictures; the folders' names are the labels.

    Raises:
        DataError: A file is no such picture, pictures differ in size, or there is only one class.
    """
    what = folder.path.name
    refuse_label(choice.label, what=what, instead="its labels are the names of its folders")
    classes = sorted({name.partition("/")[0] for name in folder.names})
    if len(classes) < 2:  # noqa: PLR2004
        raise DataError(f"{what} has one folder only, {listed(classes)}", remedy=_CLASSES)
    places = {name: place for place, name in enumerate(classes)}
    numbers = np.array([places[name.partition("/")[0]] for name in folder.names], dtype=np.int64)
    pictures = ((name, folder.read(name)) for name in folder.names)
    x = decoded(pictures, count=len(folder.names), bounds=choice.bounds, what=what)
    # The bounds are those that black and white were scaled to, so the caller's are the caller's.
    bounds = None if choice.bounds is not None else WHOLE_RANGE
    return Raw("pictures", x, LabelColumn(numbers, tuple(classes)), label="folder", bounds=bounds)


def decoded(
    pictures: Iterable[tuple[str, bytes]], *, count: int, bounds: tuple[float, float] | None, what: str
) -> NDArray[Any]:
    """Return so many pictures, each with its name, as one array: rows, height, width, or rows, 3, height, width.

    Raises:
        DataError: One is no PNG or JPEG of 8 bits a channel, or is of another size than the first; Pillow is not
            installed.
    """
    found: NDArray[Any] | None = None
    for place, (name, blob) in enumerate(pictures):
        pixels = _pixels(blob, name=shown_text(name), what=what)
        if found is None:
            if count * pixels.size > limits.MAX_NUMBERS:
                raise DataError(
                    f"{count} pictures of {pixels.size} numbers in {what} are more than {limits.MAX_NUMBERS}",
                    remedy="Give fewer pictures.",
                )
            found = np.empty((count, *pixels.shape), dtype=np.uint8)
        if pixels.shape != found.shape[1:]:
            raise DataError(
                f"{shown_text(name)} of {what} has {_size(pixels.shape)}, the first picture {_size(found.shape[1:])}",
                remedy="Scale all pictures to the size that the model is given, in colour or all in grey.",
            )
        found[place] = pixels
    if found is None:
        raise DataError(f"{what} has no pictures", remedy=_CLASSES)
    low, high = bounds or WHOLE_RANGE
    return found / _WHITE * (high - low) + low


def _pixels(blob: bytes, *, name: str, what: str) -> NDArray[Any]:
    try:
        from PIL import Image
    except ImportError:
        raise DataError(
            f"{what} holds pictures, and Pillow is not installed",
            remedy="Install it where the check runs: pip install 'weighbridge[data]'",
        ) from None
    if not blob.startswith(_MAGIC):
        raise DataError(f"{name} of {what} is no PNG or JPEG file", remedy=_CLASSES)
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(blob), formats=("PNG", "JPEG")) as picture:
            warnings.simplefilter("ignore")
            # The size stands in the head, and memory is taken only now.
            if picture.width * picture.height * 3 > limits.MAX_FEATURES:
                raise DataError(f"{name} of {what} has {picture.width} by {picture.height} pixels, which is too large")
            mode = _MODES.get(picture.mode)
            if mode is None:
                raise DataError(
                    f"{name} of {what} has pixels of the kind {picture.mode}",
                    remedy="Save pictures in grey or colour, 8 bits a channel, without transparency.",
                )
            pixels = np.asarray(picture.convert(mode))
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"{name} of {what} cannot be read: {type(error).__name__}: {str(error)[:200]}") from None
    return pixels if mode == "L" else np.moveaxis(pixels, -1, 0)


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[-1]} by {shape[-2]} pixels in {'grey' if len(shape) == 2 else 'colour'}"  # noqa: PLR2004

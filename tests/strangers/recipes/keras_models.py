"""Write model folders with Keras and TensorFlow."""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np


def main(folder: Path) -> None:
    """Write every folder of this environment."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(3)])
    model(np.zeros((1, 4)))
    for name in ("keras", "keras-h5", "saved-model"):
        (folder / name).mkdir(parents=True)
    model.save(folder / "keras" / "model.keras")
    model.save(folder / "keras-h5" / "model.h5")
    model.export(folder / "saved-model")
    loose = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x + 1)])
    (folder / "hostile-keras").mkdir()
    loose.save(folder / "hostile-keras" / "model.keras")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Next steps that several rules share."""

from __future__ import annotations

from typing import Final

EXPORT: Final = "export the weights to safetensors or the model to ONNX, which hold no code, or train and save it again"
"""What to do with a model whose format can run code."""

FETCH: Final = (
    "download the file again and compare its sha256 with the publisher's; if it is the same, have the publisher save "
    "it again with the format's own library"
)
"""What to do with a file that is damaged, or was made by nobody's library."""

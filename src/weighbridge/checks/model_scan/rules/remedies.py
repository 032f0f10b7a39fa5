"""Next steps that several rules share."""

from __future__ import annotations

from typing import Final

EXPORT: Final = (
    "ask whoever made it for the weights as safetensors or the model as ONNX, which hold no code; do not convert the "
    "file yourself, since that loads it"
)
"""What to do with a model whose format can run code: often the reader is not who made it."""

FETCH: Final = (
    "download the file again and compare its sha256 with the publisher's; if it is the same, have the publisher save "
    "it again with the format's own library"
)
"""What to do with a file that is damaged, or was made by nobody's library."""

"""Load a model's entry files and ask them for scores; used by the robustness and the leakage check.

These modules import numpy, and some scikit-learn or ONNX Runtime: only a worker imports them.
"""

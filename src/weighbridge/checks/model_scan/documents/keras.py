"""What a serialised Keras object may be: a class of Keras' own, by its name and module."""

from __future__ import annotations

import re
from typing import Final

from weighbridge.checks.model_scan.documents.listed import listed
from weighbridge.checks.model_scan.documents.tree import Node, Object

JUDGED: Final = frozenset({"class_name", "module", "registered_name", "shared_object_id"})
"""The members that say which class it is."""

_MODULE: Final = re.compile(
    r"(?:tf_)?keras(?:\.src)?(?:\.(?:layers|models|initializers|regularizers|constraints|optimizers|losses|metrics|activations|dtype_policies|"
    r"engine|legacy)(?:\.[a-z0-9_]+)*)?|builtins"
)
_CLASSES: Final = listed(
    # models and forms
    "Convolution1D Convolution2D Convolution3D MaxPool1D MaxPool2D MaxPool3D Sequential Functional Model "
    "InputLayer DTypePolicy DTypePolicyMap FloatDTypePolicy QuantizedDTypePolicy "
    "QuantizedFloat8DTypePolicy Policy TensorShape "
    # layers
    "Activation ActivityRegularization Add AdditiveAttention AlphaDropout Attention Average AveragePooling1D "
    "AveragePooling2D AveragePooling3D BatchNormalization Bidirectional CategoryEncoding CenterCrop Concatenate "
    "Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D "
    "ConvLSTM1DCell ConvLSTM2DCell ConvLSTM3DCell Cropping1D Cropping2D Cropping3D Dense DepthwiseConv1D "
    "DepthwiseConv2D Discretization Dot Dropout ELU EinsumDense Embedding Flatten GRU GRUCell GaussianDropout "
    "GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalMaxPooling1D "
    "GlobalMaxPooling2D GlobalMaxPooling3D GroupNormalization GroupQueryAttention HashedCrossing Hashing Identity "
    "IntegerLookup LSTM LSTMCell LayerNormalization LeakyReLU LocallyConnected1D LocallyConnected2D Masking "
    "MaxPooling1D MaxPooling2D MaxPooling3D Maximum MelSpectrogram Minimum MultiHeadAttention Multiply "
    "Normalization PReLU Permute RMSNormalization RNN RandomBrightness RandomContrast RandomCrop RandomFlip "
    "RandomRotation RandomTranslation RandomZoom ReLU RepeatVector Rescaling Reshape Resizing SeparableConv1D "
    "SeparableConv2D SimpleRNN SimpleRNNCell Softmax SpatialDropout1D SpatialDropout2D SpatialDropout3D "
    "SpectralNormalization StackedRNNCells StringLookup Subtract TextVectorization ThresholdedReLU "
    "TimeDistributed UnitNormalization UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D "
    "ZeroPadding3D STFTSpectrogram ReversibleEmbedding "
    # initializers, constraints, regularizers
    "Constant GlorotNormal GlorotUniform HeNormal HeUniform IdentityInitializer LecunNormal LecunUniform Ones "
    "Orthogonal OrthogonalInitializer RandomNormal RandomUniform TruncatedNormal VarianceScaling Zeros "
    "STFTInitializer STFT MaxNorm MinMaxNorm NonNeg UnitNorm L1 L2 L1L2 OrthogonalRegularizer "
    # optimizers and schedules
    "Adadelta Adafactor Adagrad Adam AdamW Adamax Ftrl Lamb Lion LossScaleOptimizer Muon Nadam RMSprop SGD "
    "CosineDecay CosineDecayRestarts ExponentialDecay InverseTimeDecay PiecewiseConstantDecay PolynomialDecay "
    # losses and metrics
    "BinaryCrossentropy BinaryFocalCrossentropy CTC CategoricalCrossentropy CategoricalFocalCrossentropy "
    "CategoricalGeneralizedCrossEntropy CategoricalHinge Circle CosineSimilarity Dice Hinge Huber KLDivergence "
    "LogCosh MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError Poisson "
    "SparseCategoricalCrossentropy SquaredHinge Tversky AUC Accuracy BinaryAccuracy BinaryIoU CategoricalAccuracy "
    "ConcordanceCorrelation F1Score FBetaScore FalseNegatives FalsePositives IoU LogCoshError Mean MeanIoU "
    "OneHotIoU OneHotMeanIoU PearsonCorrelation Precision PrecisionAtRecall R2Score Recall RecallAtPrecision "
    "RootMeanSquaredError SensitivityAtSpecificity SparseCategoricalAccuracy SparseTopKCategoricalAccuracy "
    "SpecificityAtSensitivity Sum TopKCategoricalAccuracy TrueNegatives TruePositives "
)
"""Keras' own classes that compute from their own arguments.

Lambda runs code that is in the file, TFSMLayer and the layers of other frameworks load some, TFOpLambda calls any
operator by its name; they are not among these.
"""

_DATA: Final = frozenset(
    {"__tuple__", "__list__", "__dict__", "__tensor__", "__keras_tensor__", "__numpy__", "__bytes__", "__slice__"}
)
"""Plain values that Keras writes in the form of an object."""

_LOOKUPS: Final = frozenset({"StringLookup", "IntegerLookup", "TextVectorization"})


def problems(node: Object) -> list[tuple[str, str]] | None:
    """Return what is wrong with a serialised object, by key; None when the object is none of Keras."""
    keys = node.keys()
    if "class_name" not in keys or not keys & {"config", "module", "registered_name"}:
        return None
    name, module, registered = node.get("class_name"), node.get("module"), node.get("registered_name")
    if isinstance(name, str) and name in _DATA:
        return []
    found: list[tuple[str, str]] = []
    if (
        not isinstance(name, str)
        or name.rpartition(">")[2] not in _CLASSES
        or name.partition(">")[0] not in ("Keras", "keras", name)
    ):
        found.append(("class_name", f"the class {_show(name)} is none of Keras' own that only compute"))
    if "module" in keys and module is not None and not (isinstance(module, str) and _MODULE.fullmatch(module)):
        found.append(("module", f"the class is imported from {_show(module)}, outside Keras"))
    if registered not in (None, name) and not (
        isinstance(registered, str) and registered.startswith(("Keras>", "keras>"))
    ):
        found.append(
            ("registered_name", f"the class is registered as {_show(registered)}, which is code of the model's own")
        )
    config = node.get("config")
    if name in _LOOKUPS and isinstance(config, Object) and isinstance(config.get("vocabulary"), str):
        found.append(("config", f"{name} reads its vocabulary from a file that the model names"))
    return found


def _show(value: Node) -> str:
    return repr(value[:100]) if isinstance(value, str) else "that is no text"

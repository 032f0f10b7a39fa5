"""Hostile arrays of whole numbers that native code takes as places in other arrays, and their honest siblings.

Each is one that SciPy, pandas or scikit-learn would follow out of its array when it is used.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from tests.attacks.model_pickles import name4
from tests.attacks.model_typed import (
    FLOATS,
    HEAD,
    NO,
    NONE,
    array,
    call,
    dtype,
    made,
    many,
    nodes,
    number,
    raw,
    row,
    table,
    text,
)
from tests.attacks.models import Case

WORD, SHORT, BYTE = dtype("i8", order="<"), dtype("i4", order="<"), dtype("i1")
BACKWARDS = dtype("i8", order=">")

FLOAT = b"G" + struct.pack(">d", 2.0)
_BLOCK = name4("pandas._libs.internals", "_unpickle_block")
_INDEX = name4("pandas.core.indexes.base", "_new_Index")
_PLAIN_INDEX = name4("pandas.core.indexes.base", "Index")


def integers(*values: int, kind: bytes = WORD, code: str = "<{}q", length: int | None = None) -> bytes:
    """Make a row of whole numbers."""
    data = struct.pack(code.format(len(values)), *values)
    return array(
        kind, shape=(len(values) if length is None else length,), data=b"B" + struct.pack("<I", len(data)) + data
    )


def floats(*shape: int) -> bytes:
    """Make an array of zeros."""
    size = 8
    for length in shape:
        size *= length
    return array(FLOATS, shape=shape, data=raw(bytes(size)))


def matrix(kind: str, *, shape: tuple[int, ...], **arrays: bytes) -> bytes:
    """Make a sparse matrix."""
    module = f"scipy.sparse._{kind[:3]}"
    return made(name4(module, kind), table(_shape=row(*map(number, shape)), maxprint=number(50), **arrays))


def compressed(
    kind: str, starts: bytes, indices: bytes, *, shape: tuple[int, ...] = (2, 3), data: bytes | None = None
) -> bytes:
    """Make a matrix of two rows."""
    return matrix(kind, shape=shape, indptr=starts, indices=indices, data=floats(2) if data is None else data)


def span(length: int) -> bytes:
    """Make an index that counts."""
    kind = name4("pandas.core.indexes.range", "RangeIndex")
    return call(_INDEX, kind, table(start=number(0), stop=number(length), step=number(1), name=NONE))


def piece(start: int, stop: int, step: int = 1) -> bytes:
    """Make a slice."""
    return call(name4("builtins", "slice"), number(start), number(stop), number(step))


def frame(place: bytes, *, columns: int = 2) -> bytes:
    """Make a manager of one block of two columns."""
    block = call(_BLOCK, floats(2, 1), place, number(2))
    return call(name4("pandas.core.internals.managers", "BlockManager"), row(block), many(span(columns), span(1)))


def old_frame(place: bytes) -> bytes:
    """Make a manager by the state that pandas 0.14 wrote and later ones still read."""
    state = table(axes=many(span(2), span(1)), blocks=many(table(values=floats(2, 1), mgr_locs=place)))
    old = row(many(), many(), many(), b"}(" + text("0.14.1") + state + b"u")
    return made(name4("pandas.core.internals.managers", "BlockManager"), old)


def levels(codes: bytes, *, level: bytes | None = None) -> bytes:
    """Make an index of one level of two values."""
    kind = name4("pandas.core.indexes.multi", "MultiIndex")
    inside = span(2) if level is None else level
    return call(_INDEX, kind, table(levels=many(inside), codes=many(codes), sortorder=NONE, names=many(NONE)))


def categories(codes: bytes) -> bytes:
    """Make an array of two categories."""
    empty = call(
        name4("pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked"),
        name4("pandas.core.arrays.categorical", "Categorical"),
        number(1),
        NONE,
    )
    kind = made(name4("pandas.core.dtypes.dtypes", "CategoricalDtype"), table(categories=span(2), ordered=NO))
    return empty + row(kind, codes) + b"b"


def _distance(kind: str) -> bytes:
    """Make a distance with two tables of one number."""
    module = "sklearn.metrics._dist_metrics"
    return call(name4(module, "newObj"), name4(module, kind)) + row(FLOAT, floats(1), floats(1, 1)) + b"b"


def neighbours(
    *, order: tuple[int, ...] = (1, 0), nodes: tuple[tuple[int, int, int], ...] = ((0, 2, 1),), count: int = 1,
    bounds: bytes | None = None, metric: bytes = NONE,
) -> bytes:  # fmt: skip
    """Make a tree of the nearest neighbours of two rows."""
    heads = dict(zip(("idx_start", "idx_end", "is_leaf"), (0, 8, 16), strict=True))
    fields = {name: row(WORD, number(place)) for name, place in heads.items()} | {"radius": row(FLOATS, number(24))}
    kind = dtype("V32", names=row(*map(text, fields)), fields=table(**fields), size=32, align=8, flags=16)
    records = raw(b"".join(struct.pack("<3qd", *one, 0.5) for one in nodes))
    held = array(kind, shape=(len(nodes),), data=records)
    module = "sklearn.neighbors._kd_tree"
    made_of = row(
        floats(2, 1), integers(*order), held, floats(2, 1, 1) if bounds is None else bounds, number(40), number(1),
        number(count), number(0), number(0), number(0), number(0), metric, NONE,
    )  # fmt: skip
    return call(name4(module, "newObj"), name4(module, "KDTree")) + made_of + b"b"


def machine(kind: str = "SVC", **changed: bytes) -> bytes:
    """Make a support vector machine of two classes and three vectors, but for what is changed."""
    parts = {
        "kernel": text("rbf"), "support_": integers(0, 2, 4, kind=SHORT, code="<{}i"),
        "support_vectors_": floats(3, 2), "_n_support": integers(1, 2, kind=SHORT, code="<{}i"),
        "_dual_coef_": floats(1, 3), "_intercept_": floats(1), "_probA": floats(0), "_probB": floats(0),
        "shape_fit_": row(number(5), number(2)),
    }  # fmt: skip
    return made(name4("sklearn.svm._classes", kind), table(**parts | changed))


def boosting(
    *, nodes: tuple[tuple[int, ...], ...] = ((0, 1, 2, 0, 0, 0), (0, 0, 0, 1, 0, 0), (0, 0, 0, 1, 0, 0)),
    lists: bool = True, columns: int = 2,
) -> bytes:  # fmt: skip
    """Make an estimator of one boosted tree; a node is column, left, right, is it a leaf, categorical, row of bits."""
    names = ("feature_idx", "left", "right", "is_leaf", "is_categorical", "bitset_idx")
    wide, small = dtype("u4", order="<"), dtype("u1")
    places = zip(names, (WORD, wide, wide, small, small, wide), (0, 8, 12, 16, 17, 18), strict=True)
    fields = {name: row(part, number(place)) for name, part, place in places}
    kind = dtype("V22", names=row(*map(text, fields)), fields=table(**fields), size=22, align=1, flags=16)
    content = raw(b"".join(struct.pack("<qIIBBI", *node) for node in nodes))
    module = "sklearn.ensemble._hist_gradient_boosting"
    bits = array(wide, shape=(1, 8), data=raw(bytes(32)))
    tree = made(
        name4(f"{module}.predictor", "TreePredictor"),
        table(nodes=array(kind, shape=(len(nodes),), data=content), raw_left_cat_bitsets=bits),
    )
    rounds = many(many(tree)) if lists else row(row(tree))
    estimator = name4(f"{module}.gradient_boosting", "HistGradientBoostingClassifier")
    return made(estimator, table(n_features_in_=number(columns), _predictors=rounds))


def _hostile() -> Iterator[tuple[str, bytes]]:
    good = integers(0, 1, 2)
    yield "column-beyond", compressed("csr_matrix", good, integers(0, 3))
    yield "column-before", compressed("csr_matrix", good, integers(0, -1))
    yield "column-far-beyond-in-short", compressed("csr_matrix", good, integers(0, 1 << 30, kind=SHORT, code="<{}i"))
    yield "column-lowest-byte-last", compressed("csr_matrix", good, integers(0, 1, kind=BACKWARDS, code=">{}q"))
    yield "columns-are-floats", compressed("csr_matrix", good, floats(2))
    yield "start-beyond", compressed("csr_matrix", integers(0, 1, 9), integers(0, 1))
    yield "start-goes-back", compressed("csr_matrix", integers(0, 2, 1), integers(0, 1))
    yield "start-before", compressed("csr_matrix", integers(-5, 1, 2), integers(0, 1))
    yield "starts-too-few", compressed("csr_matrix", integers(0, 2), integers(0, 1))
    yield "shape-of-more-rows", compressed("csr_matrix", good, integers(0, 1), shape=(1 << 20, 3))
    yield "data-too-short", compressed("csr_matrix", good, integers(0, 1), data=floats(1))
    yield "without-starts", matrix("csr_matrix", shape=(2, 3), indices=integers(0, 1), data=floats(2))
    yield (
        "without-shape",
        made(name4("scipy.sparse._csr", "csr_matrix"), table(indptr=good, indices=integers(0, 1), data=floats(2))),
    )
    yield "csc-row-beyond", compressed("csc_matrix", integers(0, 1, 2, 2), integers(0, 2))
    yield "bsr-block-beyond", compressed("bsr_matrix", good, integers(0, 1), shape=(4, 2), data=floats(2, 2, 2))
    yield "coo-row-beyond", matrix("coo_matrix", shape=(2, 3), row=integers(2), col=integers(0), data=floats(1))
    yield (
        "coo-coordinates-beyond",
        matrix("coo_array", shape=(2, 3), coords=row(integers(0), integers(3)), data=floats(1)),
    )
    yield (
        "coo-rows-and-columns-differ",
        matrix("coo_matrix", shape=(2, 3), row=integers(0, 1), col=integers(0), data=floats(2)),
    )
    yield "dia-more-offsets", matrix("dia_matrix", shape=(2, 2), offsets=integers(0, 1), data=floats(1, 2))
    yield "block-beyond", frame(integers(0, 2))
    yield "block-beyond-by-slice", frame(piece(0, 3))
    yield "block-beyond-by-step", frame(piece(0, 4, 2))
    yield "block-far-beyond", frame(integers(0, 1 << 40))
    yield "block-beyond-in-an-old-state", old_frame(integers(0, 5))
    yield "code-beyond", levels(integers(0, 2, kind=BYTE, code="<{}b"))
    yield "code-before", levels(integers(0, -2, kind=BYTE, code="<{}b"))
    yield (
        "code-of-a-level-of-unknown-length",
        levels(integers(0), level=made(_PLAIN_INDEX)),
    )
    yield "category-beyond", categories(integers(0, 2, kind=BYTE, code="<{}b"))
    yield "category-before", categories(integers(-7, kind=BYTE, code="<{}b"))
    yield "neighbour-beyond", neighbours(order=(2, 0))
    yield "neighbour-before", neighbours(order=(-1, 0))
    yield "neighbours-too-few", neighbours(order=(0,))
    yield "neighbour-node-beyond-its-rows", neighbours(nodes=((0, 3, 1),))
    yield "neighbour-node-before-its-rows", neighbours(nodes=((-1, 2, 1),))
    yield "neighbour-node-without-children", neighbours(nodes=((0, 2, 0),))
    yield "neighbour-nodes-counted-wrong", neighbours(count=7)
    yield "neighbour-bounds-too-few", neighbours(bounds=floats(2, 1, 0))
    short = integers(0, 1, kind=SHORT, code="<{}i")
    yield "vectors-fewer-than-their-places", machine(support_vectors_=floats(2, 2))
    yield "vectors-counted-wrong", machine(_n_support=integers(1, 9, kind=SHORT, code="<{}i"))
    yield "vectors-counted-below-zero", machine(_n_support=integers(-5, 8, kind=SHORT, code="<{}i"))
    yield "vectors-of-more-classes", machine(_n_support=integers(1, 1, 1, kind=SHORT, code="<{}i"))
    yield "coefficients-too-few", machine(_dual_coef_=floats(1, 1))
    yield "intercepts-too-few", machine(_intercept_=floats(0))
    yield "probabilities-too-few", machine(
        _n_support=integers(1, 1, 1, kind=SHORT, code="<{}i"), _dual_coef_=floats(2, 3), _intercept_=floats(3),
        _probA=floats(2),
    )  # fmt: skip
    yield "vector-beyond-what-was-fitted", machine(kernel=text("precomputed"), shape_fit_=row(number(4), number(2)))
    yield "vectors-without-what-was-fitted", machine(shape_fit_=NONE)
    yield "vectors-of-a-regression", machine("SVR", _dual_coef_=floats(2, 3))
    yield "vectors-with-fewer-places", machine(support_=short)
    yield "boosted-child-beyond", boosting(nodes=((0, 1, 7, 0, 0, 0), (0, 0, 0, 1, 0, 0)))
    yield "boosted-child-is-itself", boosting(nodes=((0, 0, 1, 0, 0, 0), (0, 0, 0, 1, 0, 0)))
    yield "boosted-column-beyond", boosting(nodes=((2, 1, 2, 0, 0, 0), (0, 0, 0, 1, 0, 0), (0, 0, 0, 1, 0, 0)))
    yield "boosted-column-before", boosting(nodes=((-1, 1, 2, 0, 0, 0), (0, 0, 0, 1, 0, 0), (0, 0, 0, 1, 0, 0)))
    yield "boosted-categories-beyond", boosting(nodes=((0, 1, 2, 0, 1, 9), (0, 0, 0, 1, 0, 0), (0, 0, 0, 1, 0, 0)))
    yield "boosted-by-categories", boosting(nodes=((1, 1, 2, 0, 1, 0), (0, 0, 0, 1, 0, 0), (0, 0, 0, 1, 0, 0)))
    yield "boosted-without-nodes", boosting(nodes=())
    yield "boosted-trees-in-tuples", boosting(lists=False)
    yield (
        "tree-of-more-columns-than-its-estimator",
        made(
            name4("sklearn.tree._classes", "DecisionTreeClassifier"),
            table(n_features_in_=number(2), tree_=nodes(1, 2, 1, features=1 << 30)),
        ),
    )
    many_counts = integers(*[1] * 500, kind=SHORT, code="<{}i")
    yield "vectors-of-a-regression-of-many-classes", machine("SVR", _n_support=many_counts)
    empty = matrix("csr_matrix", shape=(1, 3), indptr=integers(0, 0), indices=integers(), data=floats(0))
    yield "coefficients-that-are-not-there", machine(_dual_coef_=empty)
    module = "sklearn.metrics._dist_metrics"
    distance = call(name4(module, "newObj"), name4(module, "EuclideanDistance64"))
    yield "distance-without-its-numbers", distance + b")b"
    yield (
        "distance-by-another-maker",
        call(name4("sklearn.neighbors._kd_tree", "newObj"), name4(module, "CanberraDistance32")) + b")b",
    )
    yield "neighbours-by-a-table", neighbours(metric=_distance("MahalanobisDistance64"))
    yield "tree-lowest-byte-last", nodes(1, 2, 1).replace(dtype("i8", order="<"), BACKWARDS)


def _honest() -> Iterator[tuple[str, bytes]]:
    good = integers(0, 1, 2)
    yield "csr", compressed("csr_matrix", good, integers(0, 2))
    yield (
        "csr-short",
        compressed("csr_array", integers(0, 1, 2, kind=SHORT, code="<{}i"), integers(0, 2, kind=SHORT, code="<{}i")),
    )
    yield "csr-with-room", compressed("csr_matrix", integers(0, 1, 1), integers(0, 2))
    yield "csr-of-no-rows", compressed("csr_matrix", integers(0), integers(), shape=(0, 3), data=floats(0))
    yield "csr-of-one-dimension", compressed("csr_array", integers(0, 2), integers(0, 2), shape=(3,))
    yield "csc", compressed("csc_matrix", integers(0, 1, 2, 2), integers(0, 1))
    yield "bsr", compressed("bsr_matrix", good, integers(0, 0), shape=(4, 2), data=floats(2, 2, 2))
    yield "coo", matrix("coo_matrix", shape=(2, 3), row=integers(1), col=integers(2), data=floats(1))
    yield "coo-coordinates", matrix("coo_array", shape=(2, 3), coords=row(integers(1), integers(2)), data=floats(1))
    yield "dia", matrix("dia_matrix", shape=(2, 2), offsets=integers(0, -1), data=floats(2, 2))
    yield "matrix-without-state", made(name4("scipy.sparse._csr", "csr_matrix"))
    yield "neighbours-by-a-plain-distance", neighbours(metric=_distance("EuclideanDistance64"))
    yield (
        "tree-of-its-estimator",
        made(
            name4("sklearn.tree._classes", "DecisionTreeClassifier"),
            table(n_features_in_=number(2), tree_=nodes(1, 2, 1)),
        ),
    )
    yield "neighbours", neighbours()
    yield "neighbours-in-three", neighbours(nodes=((0, 2, 0), (0, 1, 1), (1, 2, 1)), count=3, bounds=floats(2, 3, 1))
    yield "machine", machine()
    yield "machine-of-three-classes", machine(
        _n_support=integers(1, 1, 1, kind=SHORT, code="<{}i"), _dual_coef_=floats(2, 3), _intercept_=floats(3),
        _probA=floats(3),
    )  # fmt: skip
    yield "machine-of-a-computed-kernel", machine(kernel=text("precomputed"), support_vectors_=floats(0, 0))
    yield "regression", machine("SVR")
    yield "boosting", boosting()
    yield "frame", frame(piece(0, 2))
    yield "frame-by-step", frame(piece(0, 4, 2), columns=3)
    yield "frame-by-array", frame(integers(2, 0), columns=3)
    yield "frame-by-many", frame(integers(*range(3000)), columns=3000)
    yield "old-frame", old_frame(piece(0, 2))
    yield "levels", levels(integers(0, 1, -1, kind=BYTE, code="<{}b"))
    yield "categories", categories(integers(0, 1, -1, kind=BYTE, code="<{}b"))
    yield (
        "categories-by-index",
        levels(
            integers(0, kind=BYTE, code="<{}b"),
            level=call(_INDEX, _PLAIN_INDEX, table(data=floats(1), name=NONE)),
        ),
    )


def cases() -> list[Case]:
    """Return every hostile case."""
    return [Case("typed-places", name, f"{name}.pkl", HEAD + content + b".") for name, content in _hostile()]


def siblings() -> list[Case]:
    """Return the honest ones."""
    return [Case("honest", name, f"{name}.pkl", HEAD + content + b".") for name, content in _honest()]

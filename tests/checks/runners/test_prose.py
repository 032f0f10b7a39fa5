"""Which text may lie beside a measured file: what people read, and not a model or a table that is written as text."""

from __future__ import annotations

import base64
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from weighbridge.checks.interface import ModelFile
from weighbridge.checks.runners.prose import (
    FEW_NUMBERS,
    MAX_COMPARED,
    MAX_FRACTIONS,
    MAX_LIST,
    MAX_REPEATED,
    why_not_prose,
)
from weighbridge.checks.runners.settings import MAX_VALUES, why_no_settings
from weighbridge.checks.runners.unmeasured import MAX_TEXT_BYTES, unmeasured

ROOT = Path(__file__).parents[3]
BYTES = random.Random(0).randbytes(6000)
NUMBERS = np.random.default_rng(0).random((60, 5))

XGBOOST = json.dumps(
    {
        "learner": {
            "gradient_booster": {
                "model": {
                    "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": "1"},
                    "tree_info": [0],
                    "trees": [{"base_weights": [0.5, -1.0, 1.0], "left_children": [1, -1, -1], "id": 0}],
                },
                "name": "gbtree",
            },
            "learner_model_param": {"base_score": "5E-1", "num_class": "0", "num_feature": "4"},
        },
        "version": [2, 1, 1],
    }
)
LIGHTGBM = """tree
version=v4
num_class=1
label_index=0
max_feature_idx=3
objective=binary sigmoid:1
feature_names=a b c d
feature_infos=[0:1] [0:1] [0:1] [0:1]

Tree=0
num_leaves=2
split_feature=0
threshold=0.5
left_child=-1
right_child=-2
leaf_value=-1 1

end of trees
"""
LABELS = {str(place): f"LABEL_{place}" for place in range(1000)}
CONFIG = {
    "architectures": ["Wav2Vec2ForSequenceClassification"],
    "attention_probs_dropout_prob": 0.1,
    "conv_dim": [512] * 7,
    "conv_kernel": [10, 3, 3, 3, 3, 2, 2],
    "hidden_size": 768,
    "id2label": LABELS,
    "initializer_range": 0.02,
    "label2id": {name: int(place) for place, name in LABELS.items()},
    "layer_norm_eps": 1e-12,
    "num_attention_heads": 12,
    "num_hidden_layers": 12,
    "vocab_size": 30522,
}
PREPROCESSOR = {
    "crop_size": 224,
    "do_center_crop": True,
    "do_normalize": True,
    "feature_extractor_type": "CLIPFeatureExtractor",
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
    "resample": 3,
    "size": {"shortest_edge": 224},
}
MLMODEL = """flavors:
  sklearn: {pickled_model: model.pkl, serialization_format: cloudpickle, sklearn_version: 1.4.2}
mlflow_version: 2.14.3
model_size_bytes: 57475
model_uuid: 48b0cbaab8c24c178214e8d869ceec0b
utc_time_created: '2026-07-22 20:21:53.281528'
"""
CONDA = "name: env\ndependencies:\n- python=3.11.9\n- pip<=24.2\n- pip:\n  - mlflow==2.14.3\n  - scikit-learn==1.4.2\n"
CARD = """# Digits

A network of 64 units, trained on 1797 pictures of 8x8 pixels (see https://scikit-learn.org/stable/datasets.html).

| epsilon | accuracy | lower | upper |
|---|---|---|---|
| 0.00 | 0.975 | 0.943 | 0.992 |
| 0.05 | 0.870 | 0.815 | 0.913 |
| 0.10 | 0.750 | 0.684 | 0.808 |
"""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0-9",
        "\n".join(f"V{number}" for number in range(1, 29)),
        json.dumps([f"x{number}" for number in range(64)]),
        json.dumps({str(place): chr(0x4E00 + place) * 2 for place in range(200)}),
        "\n".join(str(digit) for digit in range(10)),
        "\n".join(f"{place}: tench, Tinca tinca" for place in range(1000)),
        json.dumps(CONFIG, indent=2),
        json.dumps(CONFIG),
        json.dumps(PREPROCESSOR, indent=2),
        json.dumps({"vocab": {letter: place for place, letter in enumerate("abcdefghijklmnopqrstuvwxyz|' ")}}),
        MLMODEL,
        CONDA,
        CARD,
        "mlflow==2.14.3\nnumpy==2.4.0\nscikit-learn==1.4.2\n",
        "*.bin filter=lfs diff=lfs merge=lfs -text\n" * 30,
        json.dumps({"added_tokens": [{"content": f"<{n}>", "id": n + n // 7, "special": True} for n in range(500)]}),
        json.dumps({"model": {"vocab": {f"##word{n}ing": 7 * n % 1009 for n in range(1000)}, "merges": []}}),
        "".join(f"item {{\n  id: {n + n // 9}\n  name: 'thing{n}x'\n}}\n" for n in range(90)),
        "".join(f'time="2015-03-{n % 28 + 1:02}T01:27:38-04:00" level=info msg="it goes on"\n' for n in range(60)),
        "\n".join(
            f"As figure {n * 7 % 90} and section {n * 5 % 70} say, it was so in {1900 + 3 * n}." for n in range(40)
        ),
        "Die Gewichte liegen bei: 0,5 und 0,25. 重みは別のファイルにあります。" * 20,
    ],
)
def test_what_people_read_may_lie_beside(text: str) -> None:
    assert why_not_prose(text) is None


@pytest.mark.parametrize(
    "name", ["LICENSE", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "requirements.lock", "pyproject.toml"]
)
def test_this_projects_own_texts_may_lie_beside(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert len(text.encode()) <= MAX_TEXT_BYTES
    assert why_not_prose(text) is None


def catboost() -> dict[str, Any]:
    """Return what CatBoost writes as JSON: trees whose leaves and borders are whole numbers."""
    draw = random.Random(1)
    return {
        "features_info": {"float_features": [{"borders": [4, 9], "feature_index": n} for n in range(64)]},
        "oblivious_trees": [
            {
                "leaf_values": [draw.randint(-99, 99) for _ in range(20)],
                "leaf_weights": [draw.randint(1, 90), draw.randint(1, 90)],
                "splits": [{"border": draw.choice([4, 9]), "float_feature_index": draw.randint(0, 63)}],
            }
            for _ in range(120)
        ],
        "scale_and_bias": [1, [0] * 10],
    }


CATBOOST = json.dumps(catboost(), indent=1)


@pytest.mark.parametrize("escape", ["\\u005f", "\\u005F", "\\x5f", "\\U0000005f"])
def test_escapes_hide_no_model(escape: str) -> None:
    assert why_not_prose(CATBOOST)
    hidden = CATBOOST.replace("oblivious_trees", f"oblivious{escape}trees").replace("leaf_", f"leaf{escape}")
    assert "hides words" in str(why_not_prose(hidden))
    assert "hides words" in str(why_not_prose(f"a: &b '{escape}'"))


def test_escapes_that_are_needed_hide_nothing() -> None:
    assert why_not_prose(json.dumps({"a": 'caf\u00e9 \t "x" \\ <\u7f51>', "b": "\u003cp\u003e"})) is None
    assert why_not_prose(r'{"html": "\u003cp\u003e a \u0026 b \u003d c"}') is None


@pytest.mark.parametrize("indent", [None, 1])
def test_json_of_many_numbers_is_a_model_whatever_its_keys_are_called(indent: int | None) -> None:
    draw = random.Random(4)
    words = "some words that make the share of numbers small and that nobody needs at all"
    nodes = [{f"a{n}q": draw.randint(0, 9), f"note{n}x": words, f"b{n}q": draw.random()} for n in range(200)]
    assert "numbers as values" in str(why_not_settings(nodes, indent))
    lists = [[words, draw.randint(0, 9), words, draw.randint(0, 9)] for _ in range(150)]
    assert "numbers as values" in str(why_not_settings(lists, indent))
    strings = [{f"k{n}q": [str(draw.randint(0, 9)), words]} for n in range(300)]
    assert "numbers as values" in str(why_not_settings(strings, indent))


def why_not_settings(value: object, indent: int | None) -> str | None:
    return why_not_prose(json.dumps(value, indent=indent))


@pytest.mark.parametrize("count", [MAX_VALUES, MAX_VALUES + 1])
def test_settings_may_have_so_many_numbers(count: int) -> None:
    draw = random.Random(5)
    values = {f"setting of {chr(97 + n % 26)}{chr(97 + n // 26)} words": draw.choice([0.5, 7]) for n in range(count)}
    assert bool(why_no_settings(json.dumps(values))) is (count > MAX_VALUES)
    assert why_no_settings("{" + json.dumps(values)) is None, "no JSON is none of settings; it is judged as text"


MANY = json.dumps({f"setting of {chr(97 + n % 26)}{chr(97 + n // 26)} words": 7 - n % 3 for n in range(MAX_VALUES + 9)})


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 1, ' + MANY[1:],
        '{"a": NaN, ' + MANY[1:],
        '{"a": 1e999, ' + MANY[1:],
        '{"a": ' + "7" * 5000 + ", " + MANY[1:],
        '{"a": "\\ud800", ' + MANY[1:],
        "[" * 90 + MANY + "]" * 90,
        MANY + " and so it ends",
        "{}\n" + MANY,
        MANY[:-1].replace(", ", "}\n{") + "}",
        json.dumps([{"the same key": 7 - n % 3} for n in range(MAX_VALUES)]).replace('{"', '{"the same key": 1, "'),
    ],
)
def test_json_that_is_not_strict_is_counted_as_others_read_it(text: str) -> None:
    assert "numbers as values" in str(why_no_settings(text))


def test_the_few_whole_numbers_of_a_node_are_no_vocabulary() -> None:
    nodes = [
        {"kind of it": n % 7, "other kind of it": 9 + n % 5, "words that say little": n % 3 + 20} for n in range(99)
    ]
    assert "numbers as values" in str(why_no_settings(json.dumps(nodes)))
    assert why_no_settings(json.dumps({"label2id": {"good": 0, "bad": 1}, "task": {"a": 3}})) is None


@pytest.mark.parametrize("form", ["<threshold>{:.2f}</threshold> ", "<td class='of {0}'>{0:.3f}</td>\n"])
def test_the_end_of_a_tag_makes_no_version_of_a_number(form: str) -> None:
    assert why_not_prose("".join(form.format(n / 97) for n in range(MAX_REPEATED + 9)))


def test_json_that_nests_too_deep_to_be_counted_is_none_of_settings() -> None:
    assert "nests deeper" in str(why_no_settings("[" * 100_000))


@pytest.mark.parametrize(
    "text", ["[![badge](a.svg)](b)", "[1]: https://a.example", "[tool]\nlevel = 3\n", "{{ name }}"]
)
def test_a_text_that_begins_as_json_does_is_not_taken_for_it(text: str) -> None:
    assert why_not_prose(text) is None


@pytest.mark.parametrize("form", ["{}: {}\n", "{},{}\n", "{} -> {}\n"])
def test_a_text_has_so_many_fractions_at_most_whatever_stands_between(form: str) -> None:
    draw = random.Random(6)
    names = [f"some_quite_long_name_{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(MAX_FRACTIONS + 1)]
    lines = [form.format(name, f"{draw.random():.2f}") for name in names]
    assert why_not_prose("".join(lines[:-1])) is None
    assert f"{MAX_FRACTIONS + 1} fractions" in str(why_not_prose("".join(lines)))


def tree(*, thresholds: int, form: str) -> str:
    """Return the text of a tree after scikit-learn's ``export_text``, with so many thresholds over four features."""
    features = ("age", "income", "overdue", "deposit")
    return "".join(
        f"|   |--- {features[n % 4]}{form.format(n / 97 + 1)}\n|   |   |--- class: {('good', 'bad')[n % 2]}\n"
        for n in range(thresholds)
    )


@pytest.mark.parametrize("form", [" <= {:.2f}", " >  {:.2f}", "<{:.3f}", "[0] <= {:.2f}", " <= -{:.6f}"])
def test_a_tree_of_comparisons_is_no_text_with_versions(form: str) -> None:
    assert why_not_prose(tree(thresholds=MAX_COMPARED, form=form)) is None
    assert why_not_prose(tree(thresholds=MAX_COMPARED + 9, form=form))


def test_packages_may_be_compared_with_versions() -> None:
    packages = "".join(f"package{chr(97 + n % 26)}{chr(97 + n // 26)} >=1.{n},<2.0\n" for n in range(400))
    pythons = "".join(f"markers = \"python_version < '3.{n % 7 + 8}'\"\n" for n in range(30))
    assert why_not_prose(packages + pythons) is None


def test_a_prefix_hides_no_pmml() -> None:
    draw = random.Random(2)
    nodes = "".join(
        f'<p:Node score="{draw.randint(0, 9)}"><p:SimplePredicate field="pixel{draw.randint(0, 63)}" '
        f'operator="lessOrEqual" value="{draw.randint(1, 15)}"/></p:Node>\n'
        for _ in range(300)
    )
    assert why_not_prose('<p:PMML xmlns:p="http://www.dmg.org/PMML-4_4" version="4.4"><p:Header/></p:PMML>')
    assert why_not_prose(nodes), "the same key has hundreds of numbers"


def test_a_text_saved_model_of_tensorflow_is_no_prose() -> None:
    draw = random.Random(3)
    numbers = [draw.randint(-99, 99) for _ in range(650)]
    assert why_not_prose("".join(f"    float_val: {number}\n" for number in numbers))
    assert why_not_prose("saved_model_schema_version: 1\nmeta_graphs {\n}\n")
    for text in (
        f"    renamed: {{}} # {CARD[:60]}\n",
        "kind: DT_FLOAT renamed: {} name: some_name_of_it ",
        "renamed={}; a word ",
    ):
        assert why_not_prose("".join(text.format(number) for number in numbers)), text


def csv(**options: object) -> str:
    stream = io.StringIO()
    np.savetxt(stream, NUMBERS, delimiter=",", **options)  # type: ignore[arg-type]
    return stream.getvalue()


def hexadecimal() -> str:
    return BYTES.hex()


@pytest.mark.parametrize(
    "text",
    [
        XGBOOST,
        LIGHTGBM,
        json.dumps({"coef_": [0.5, -0.25], "intercept_": [0.125]}),
        json.dumps({"layer": {"weights": [[0.5, -0.25]]}}),
        '<PMML version="4.4"><Header/></PMML>',
        "svm_type c_svc\nkernel_type rbf\n",
        csv(),
        csv(fmt="%.2f"),
        "\n".join(f"{row[0]:.1f},{row[1]:.1f},setosa" for row in NUMBERS),
        "\n".join(f'<node name="n{place}" at="{row[0]:.3f}"/>' for place, row in enumerate(NUMBERS)),
        "\n".join(",".join(map(str, row)) for row in (NUMBERS > 0.5).astype(int)),
        "\n".join(",".join(map(str, np.eye(10, dtype=int)[place % 10])) + ",cat" for place in range(60)),
        json.dumps({"w": NUMBERS.ravel().tolist()}),
        hexadecimal(),
        BYTES.hex(" "),
        BYTES.hex(" ", 4),
        "\n".join(hexadecimal()[start : start + 64] for start in range(0, 12000, 64)),
        base64.b64encode(BYTES).decode(),
        base64.encodebytes(BYTES).decode(),
        base64.b32encode(BYTES).decode(),
        "7" * 5000,
        "abcdefgh" * 500,
        json.dumps({"a": "\\u0030.5"}) * 400,
    ],
)
def test_models_and_tables_in_text_may_not_lie_beside(text: str) -> None:
    assert why_not_prose(text)


@pytest.mark.parametrize(
    "padded",
    [
        lambda words, numbers: numbers + words * 40,
        lambda words, numbers: words * 40 + numbers,
        lambda words, numbers: words * 20 + numbers + words * 20,
    ],
)
def test_numbers_do_not_vanish_in_a_long_text(padded: Callable[[str, str], str]) -> None:
    words = "The licensor grants the licensee a right to use the work under the terms of this text. " * 5
    assert why_not_prose(padded(words, "")) is None
    assert why_not_prose(padded(words, csv(fmt="%.3f")))
    named = "".join(f"x{place} {value:.4f} " for place, value in enumerate(NUMBERS.ravel()))
    assert why_not_prose(padded(words, named))


def test_each_limit_is_where_it_says() -> None:
    words = " and so it goes on for a while without any number in it" * 80
    for count, refused in ((MAX_LIST, False), (MAX_LIST + 1, True)):
        assert bool(why_not_prose(" 7 3" * (count // 2) + " 7" * (count % 2) + words)) is refused
    for count, refused in ((MAX_REPEATED, False), (MAX_REPEATED + 1, True)):
        assert bool(why_not_prose("".join(f"at 0.{place}{words[:200]} " for place in range(count)))) is refused
    assert why_not_prose(" 7 3" * (FEW_NUMBERS // 2)) is None
    assert why_not_prose(" 7 3" * (FEW_NUMBERS // 2) + " 7")


def test_a_hostile_text_of_the_greatest_length_is_judged() -> None:
    for part in (
        "1 ",
        "1.",
        "+-",
        "a",
        "sha256:",
        "weights:[",
        "left_child ",
        "x=1",
        "\\u005",
        "<p:",
        "{",
        "[",
        '{"a":',
    ):
        why_not_prose(part * (MAX_TEXT_BYTES // len(part)))
    # A reader that may share out spaces in two ways would take an hour for each.
    for start in ("coef=", "coef=[", "weights:", "weights: [", "left_child", "a:", "a=["):
        for filling in (" ", "[ "):
            why_not_prose(start + filling * ((MAX_TEXT_BYTES - 20) // len(filling)) + "x")


def place(path: Path, content: bytes) -> list[str]:
    path.write_bytes(content)
    file = ModelFile(name=path.name, size=len(content), path=str(path))
    assert unmeasured([file], {path.name}) == ()
    return [doubt.reason for doubt in unmeasured([file], frozenset())]


@pytest.mark.parametrize(("name", "content"), [("model.json", XGBOOST), ("model.txt", LIGHTGBM), ("README.md", csv())])
def test_a_model_in_text_beside_what_was_measured_is_not_passed_over(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_bytes(content.encode())
    (doubt,) = unmeasured([ModelFile(name=name, size=path.stat().st_size, path=str(path))], frozenset())
    assert "was not measured" in doubt.reason
    assert doubt.code == "file-not-measured"
    assert "Leave it out of the model" in doubt.remedy


@pytest.mark.parametrize(
    "name", ["saved_model.pbtxt", "model.json", "Model.JSON", "model.txt", "graph_def.pbtxt", "model.xml", "a.pmml"]
)
def test_a_name_that_models_in_text_have_is_undecided(tmp_path: Path, name: str) -> None:
    (reason,) = place(tmp_path / name, b"Words alone.")
    assert "has the name of a model" in reason
    assert place(tmp_path / f"about-{name}.md", b"Words alone.") == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"word " * (MAX_TEXT_BYTES // 5) + b"w", None),
        (b"word " * (MAX_TEXT_BYTES // 5 + 1), "more than the 262144"),
        (b"caf\xe9", "is no text"),
        (b"nul\0", "is no text"),
        (BYTES[:64] + b"\xff", "is no text"),
    ],
)
def test_what_is_no_text_or_too_long_is_undecided(tmp_path: Path, content: bytes, said: str | None) -> None:
    reasons = place(tmp_path / "notes", content)
    assert len(reasons) == (said is not None)
    assert all(str(said) in reason for reason in reasons)


def test_a_file_that_cannot_be_read_is_undecided(tmp_path: Path) -> None:
    assert unmeasured([ModelFile(name="a", size=3, path=str(tmp_path / "absent"))], frozenset())

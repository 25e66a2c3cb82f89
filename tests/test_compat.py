"""The drop-in classes beside the package they stand in for."""

from __future__ import annotations

import inspect
import pickle
import struct
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from synthgen.compat import CTGAN, TVAE
from synthgen.errors import ConfigError, DataError, MachineError, SynthgenError

BOTH = [CTGAN, TVAE]
DISCRETE = [
    "workclass",
    "education",
    "marital-status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "native-country",
    "income",
]


def census(rows: int, seed: int = 0) -> pd.DataFrame:
    """The columns of the ctgan package's demo, in their order and dtypes."""
    rng = np.random.default_rng(seed)

    def text(*values: str) -> Any:
        return rng.choice(np.array(values, dtype=object), rows)

    return pd.DataFrame(
        {
            "age": rng.integers(17, 90, rows),
            "workclass": text("Private", "State-gov", "Self-emp-inc"),
            "fnlwgt": rng.integers(20_000, 400_000, rows),
            "education": text("Bachelors", "HS-grad", "Masters"),
            "education-num": rng.integers(1, 16, rows),
            "marital-status": text("Never-married", "Divorced"),
            "occupation": text("Sales", "Craft-repair", "Tech-support"),
            "relationship": text("Husband", "Wife", "Own-child"),
            "race": text("White", "Black", "Other"),
            "sex": text("Male", "Female"),
            "capital-gain": np.where(rng.random(rows) < 0.9, 0, rng.integers(1, 9999, rows)),
            "capital-loss": np.where(rng.random(rows) < 0.9, 0, rng.integers(1, 999, rows)),
            "hours-per-week": rng.integers(20, 60, rows),
            "native-country": text("United-States", "Mexico"),
            "income": text("<=50K", ">50K"),
        }
    )


def small(rows: int = 200, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "amount": rng.normal(50, 9, rows).round(2),
            "colour": rng.choice(["red", "green"], rows, p=[0.7, 0.3]),
            "count": rng.integers(0, 60, rows),
            "shape": rng.choice(["disc", "cube", "cone"], rows, p=[0.6, 0.3, 0.1]),
        }
    )


def fitted(kind: type[Any] = CTGAN, **settings: Any) -> Any:
    model = kind(**{"epochs": 2, "batch_size": 100, "enable_gpu": False, **settings})
    model.set_random_state(1)
    model.fit(small(), ["colour", "shape"])
    return model


# ---- beside ctgan -----------------------------------------------------------------------------


def test_the_readme_example_of_ctgan_runs_with_the_import_changed() -> None:
    real_data = census(600)
    discrete_columns = DISCRETE
    ctgan = CTGAN(epochs=1)
    ctgan.fit(real_data, discrete_columns)
    synthetic_data = ctgan.sample(1000)
    assert isinstance(synthetic_data, pd.DataFrame)
    assert len(synthetic_data) == 1000
    pd.testing.assert_series_equal(synthetic_data.dtypes, real_data.dtypes)
    for name in discrete_columns:
        assert set(synthetic_data[name]) <= set(real_data[name])


@pytest.fixture(scope="module")
def ctgan() -> Any:
    return pytest.importorskip("ctgan")


OURS_ALONE = {
    "CTGAN.__init__": ["ema", "numeric"],
    "TVAE.__init__": ["ema", "numeric"],
    # Conditions are ours in TVAE.
    "TVAE.sample": ["condition_column", "condition_value"],
}
"""The deliberate exceptions: arguments that come after all of ctgan's."""


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    "method",
    ["__init__", "fit", "sample", "save", "load", "set_device", "set_random_state"],
)
def test_arguments_and_defaults_are_those_of_ctgan(
    ctgan: Any, kind: type[Any], method: str
) -> None:
    theirs = getattr(getattr(ctgan, kind.__name__), method)
    # fit and sample are wrapped there in a decorator that keeps no signature.
    while theirs.__closure__ and method in ("fit", "sample"):
        theirs = theirs.__closure__[0].cell_contents
    expected = list(inspect.signature(theirs).parameters.values())
    found = list(inspect.signature(getattr(kind, method)).parameters.values())
    further = [parameter.name for parameter in found[len(expected) :]]
    assert further == OURS_ALONE.get(f"{kind.__name__}.{method}", [])
    for ours, reference in zip(found, expected, strict=False):
        assert (ours.name, ours.default) == (reference.name, reference.default)


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("form", ["frame", "objects", "floats", "float32", "integers"])
def test_rows_and_losses_come_as_from_ctgan(ctgan: Any, kind: type[Any], form: str) -> None:
    frame = small()
    numbers = frame[["amount", "count"]].to_numpy()
    data, discrete = {
        "frame": (frame.astype({"colour": "category"}), ["colour", "shape"]),
        "objects": (frame.to_numpy(), [1, 3]),
        "floats": (numbers, []),
        "float32": (numbers.astype("float32"), []),
        "integers": (numbers.astype("int64"), []),
    }[form]
    settings = {"epochs": 2, "batch_size": 100, "enable_gpu": False}
    theirs, ours = getattr(ctgan, kind.__name__)(**settings), kind(**settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs.fit(data, discrete)
        expected = theirs.sample(7)
    ours.fit(data, discrete)
    found = ours.sample(7)
    assert type(found) is type(expected)
    assert found.shape == expected.shape
    if form == "frame":
        pd.testing.assert_series_equal(found.dtypes, expected.dtypes)
        assert list(found.index) == list(expected.index)
    else:
        assert found.dtype == expected.dtype
        assert [type(cell) for cell in found[0]] == [type(cell) for cell in expected[0]]
    pd.testing.assert_frame_equal(
        ours.loss_values.drop(columns=[c for c in ours.loss_values if "Loss" in c]),
        theirs.loss_values.drop(columns=[c for c in theirs.loss_values if "Loss" in c]),
    )
    pd.testing.assert_series_equal(ours.loss_values.dtypes, theirs.loss_values.dtypes)
    assert np.isfinite(ours.loss_values.to_numpy()).all()


# ---- conditions, seeds, device ----------------------------------------------------------------


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(("column", "value"), [("colour", "green"), ("shape", "cube")])
def test_every_row_has_the_category_that_is_asked_for(
    kind: type[Any], column: str, value: str
) -> None:
    rows = fitted(kind).sample(50, column, value)
    assert len(rows) == 50
    assert set(rows[column]) == {value}
    other = "shape" if column == "colour" else "colour"
    assert rows[other].nunique() > 1


@pytest.mark.parametrize("column", [3, "3"])
def test_an_array_is_conditioned_by_position(column: int | str) -> None:
    model = CTGAN(epochs=1, batch_size=100, enable_gpu=False)
    model.fit(small().to_numpy(), [1, np.int64(3)])
    rows = model.sample(20, column, "cube")
    assert set(rows[:, 3]) == {"cube"}


@pytest.mark.parametrize("kind", BOTH)
def test_a_seed_fixes_rows_and_later_calls_draw_others(kind: type[Any]) -> None:
    first, second = fitted(kind), fitted(kind)
    rows = first.sample(20)
    pd.testing.assert_frame_equal(rows, second.sample(20))
    pd.testing.assert_frame_equal(first.loss_values, second.loss_values)
    assert not rows.equals(first.sample(20))
    for seed in (5, np.int64(5), (np.random.RandomState(5), torch.Generator())):
        first.set_random_state(seed)
        again = first.sample(20)
        first.set_random_state(seed if not isinstance(seed, tuple) else first._random[0])
        pd.testing.assert_frame_equal(again, first.sample(20))


def test_without_a_seed_the_global_one_of_numpy_counts() -> None:
    model = fitted()
    model.set_random_state(None)
    samples = []
    state = np.random.get_state()  # noqa: NPY002
    try:
        for seed in (3, 3, 4):
            np.random.seed(seed)  # noqa: NPY002
            samples.append(model.sample(10))
    finally:
        np.random.set_state(state)  # noqa: NPY002
    assert samples[0].equals(samples[1])
    assert not samples[0].equals(samples[2])


def test_a_sample_does_not_depend_on_the_rows_drawn_with_it() -> None:
    # Batch normalisation in training mode would mix the rows of a batch.
    model = fitted()
    model.set_random_state(2)
    few = model.sample(5)
    model.set_random_state(2)
    pd.testing.assert_frame_equal(few, model.sample(50).head(5))


def test_devices() -> None:
    model = CTGAN(cuda=False)
    model.set_device("cpu")
    model.set_device(torch.device("cpu"))
    model.set_device(None)
    with pytest.raises(ConfigError, match="no device 'abacus'"):
        model.set_device("abacus")
    with pytest.raises(MachineError, match="cuda:99"):
        CTGAN(cuda="cuda:99")


def test_verbose_shows_progress_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    fitted(CTGAN, verbose=True)
    captured = capsys.readouterr()
    assert "epoch 2" in captured.err
    assert captured.out == ""


# ---- losses -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("rows", "epochs"), [(230, 3), (60, 4), (200, 101)])
def test_losses_have_a_row_per_epoch(rows: int, epochs: int) -> None:
    model = CTGAN(epochs=epochs, batch_size=20, embedding_dim=2, generator_dim=(4,), pac=2)
    model.fit(small(rows)[["amount"]])
    assert model.loss_values["Epoch"].tolist() == list(range(epochs))


def test_losses_of_tvae_have_a_row_per_batch() -> None:
    model = TVAE(epochs=2, batch_size=90, embedding_dim=2)
    model.fit(small()[["amount"]])
    assert model.loss_values["Epoch"].tolist() == [0, 0, 0, 1, 1, 1]
    assert model.loss_values["Batch"].tolist() == [0, 1, 2, 0, 1, 2]


# ---- files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", BOTH)
def test_a_saved_model_samples_the_same(kind: type[Any], tmp_path: Path) -> None:
    model = fitted(kind)
    file = tmp_path / "model.bin"
    model.save(file)
    model.save(str(tmp_path / "again.bin"))
    assert file.read_bytes() == (tmp_path / "again.bin").read_bytes()
    loaded = kind.load(str(file))
    pd.testing.assert_frame_equal(loaded.loss_values, model.loss_values)
    for _ in range(2):
        pd.testing.assert_frame_equal(loaded.sample(30), model.sample(30))
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
    assert sorted(names) == ["model.json", "model.safetensors", "synthesizer.json"]
    loaded.fit(small(), ["colour", "shape"])


def test_an_array_comes_back_as_one_after_loading(tmp_path: Path) -> None:
    model = TVAE(epochs=1, enable_gpu=False)
    model.fit(small().to_numpy(), [1, 3])
    model.save(tmp_path / "model")
    rows = TVAE.load(tmp_path / "model").sample(4)
    assert isinstance(rows, np.ndarray)
    assert rows.shape == (4, 4)


class Trap:
    """Unpickling it leaves a file behind."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("form", ["torch", "old torch", "pickle"])
def test_a_pickle_is_refused_and_not_run(tmp_path: Path, form: str) -> None:
    file, mark = tmp_path / "model.pkl", tmp_path / "ran"
    if form == "pickle":
        file.write_bytes(pickle.dumps(Trap(mark)))
    else:
        torch.save(Trap(mark), file, _use_new_zipfile_serialization=form == "torch")
    with pytest.raises(DataError, match="is a pickle"):
        CTGAN.load(file)
    assert not mark.exists()
    torch.load(file, weights_only=False) if form != "pickle" else pickle.loads(file.read_bytes())
    assert mark.exists(), "the trap works"


def test_a_model_of_ctgan_itself_is_refused(ctgan: Any, tmp_path: Path) -> None:
    file = tmp_path / "model.pkl"
    ctgan.CTGAN(epochs=1, enable_gpu=False).save(file)
    with pytest.raises(DataError, match="is a pickle") as refused:
        CTGAN.load(file)
    assert "fit again" in refused.value.remedy


def test_other_files_are_refused(tmp_path: Path) -> None:
    fitted().save(tmp_path / "model")
    with pytest.raises(DataError, match="holds a CTGAN, not a TVAE"):
        TVAE.load(tmp_path / "model")
    (tmp_path / "text").write_text("no model")
    with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
        archive.writestr("a", "b")
    with zipfile.ZipFile(tmp_path / "empty", "w") as archive:
        archive.writestr("synthesizer.json", '{"class": "CTGAN"}')
    whole = (tmp_path / "model").read_bytes()
    (tmp_path / "torn").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "flipped").write_bytes(whole.replace(b'"ctgan-paper"', b'"tvae       "'))
    for name in ("text", "zip", "empty", "torn", "flipped", "."):
        with pytest.raises(DataError, match="does not hold a whole model"):
            CTGAN.load(tmp_path / name)
    with pytest.raises(DataError, match="does not exist"):
        CTGAN.load(tmp_path / "absent")
    with pytest.raises(MachineError, match="does not exist"):
        fitted().save(tmp_path / "absent" / "model")


# ---- what is protected ------------------------------------------------------------------------


def test_rare_categories_and_extremes_are_in_no_row_and_no_file(tmp_path: Path) -> None:
    frame = small()
    frame.loc[:2, "shape"] = "Klein bottle"
    frame.loc[0, "amount"] = 9876.5
    model = CTGAN(epochs=1, batch_size=100, enable_gpu=False)
    model.fit(frame, ["colour", "shape"])
    rows = model.sample(500)
    assert set(rows["shape"]) <= {"disc", "cube", "cone"}
    assert rows["amount"].max() < 100
    model.save(tmp_path / "model")
    content = (tmp_path / "model").read_bytes()
    assert b"Klein" not in content
    # With its point: four digits alone stand somewhere in many a weight.
    assert b"9876.5" not in content
    assert struct.pack("<d", 9876.5) not in content
    with pytest.raises(ConfigError, match="fewer than five rows"):
        model.sample(5, "shape", "Klein bottle")


def test_columns_without_a_shared_value_are_told_of() -> None:
    frame = small().assign(
        key=[f"K-{number:05d}" for number in range(200)],
        note=[f"note number {number} of many" for number in range(200)],
    )
    model = CTGAN(epochs=1, batch_size=100, enable_gpu=False)
    with pytest.warns(UserWarning, match="'key' look like keys.*'note' have no value") as told:
        model.fit(frame, ["colour", "shape", "key", "note"])
    assert told[0].filename == __file__
    rows = model.sample(20)
    assert rows["key"].str.fullmatch(r"K-\d+").all()
    assert rows["note"].isna().all()


def test_missing_numbers_booleans_times_and_numeric_categories_are_taken() -> None:
    frame = small().assign(
        flag=np.arange(200) % 3 == 0,
        born=pd.date_range("2001-01-01", periods=200),
        grade=np.arange(200) % 4,
    )
    frame.loc[::5, "amount"] = np.nan
    model = CTGAN(epochs=1, batch_size=100, enable_gpu=False)
    model.fit(frame, ["colour", "shape", "grade"])
    rows = model.sample(200)
    pd.testing.assert_series_equal(rows.dtypes, frame.dtypes)
    assert 0 < rows["amount"].isna().sum() < 200
    assert set(model.sample(20, "grade", 2)["grade"]) == {2}


def test_columns_may_be_numbered() -> None:
    frame = small().set_axis(range(4), axis=1)
    model = CTGAN(epochs=1, batch_size=100, enable_gpu=False)
    model.fit(frame, [1, 3])
    rows = model.sample(9)
    assert list(rows.columns) == [0, 1, 2, 3]
    assert set(model.sample(9, 1, "green")[1]) == {"green"}


# ---- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "cause"),
    [
        ({"batch_size": 500, "pac": 7}, "500 is not a multiple of pac 7"),
        ({"batch_size": 25, "pac": 5}, "25 is odd"),
        ({"epochs": 0}, "epochs=0"),
        ({"generator_decay": -1}, "generator_decay=-1"),
        ({"discriminator_lr": "fast"}, "discriminator_lr='fast'"),
        ({"enable_gpu": False, "cuda": True}, "enable_gpu is False and cuda is True"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any], cause: str) -> None:
    with pytest.raises(ConfigError, match=cause):
        CTGAN(**settings)
    with pytest.raises(ConfigError, match="l2scale"):
        TVAE(l2scale=-1)


@pytest.mark.parametrize(
    ("change", "discrete", "error", "cause", "remedy"),
    [
        ({}, ["color", "shape"], ConfigError, "no column 'color'", "Did you mean 'colour'"),
        ({}, ["colour"], DataError, "'shape' holds text", "discrete_columns"),
        ({}, "colour", ConfigError, "text 'colour', not a list", "['colour']"),
        ({"amount": np.inf}, ["colour", "shape"], DataError, "'amount' holds infinity", "Replace"),
        ({1.5: 0}, ["colour", "shape"], DataError, "name 1.5 is float", "Rename"),
        ({"mix": [1, "a"] * 100}, ["colour", "shape", "mix"], DataError, "'mix' mixes", "Convert"),
    ],
)
def test_data_that_cannot_be(
    change: dict[Any, Any], discrete: Any, error: type[SynthgenError], cause: str, remedy: str
) -> None:
    frame = small()
    for name, value in change.items():
        frame[name] = value
    with pytest.raises(error, match=cause) as raised:
        CTGAN(epochs=1).fit(frame, discrete)
    assert remedy in raised.value.remedy
    assert "\n" not in raised.value.cause + raised.value.remedy


def test_what_is_neither_frame_nor_array_is_refused() -> None:
    data: Any
    for data in ([[1.0]], np.zeros(3), pd.Series([1.0])):
        with pytest.raises(DataError, match="training data are a"):
            CTGAN(epochs=1).fit(data)
    with pytest.raises(ConfigError, match="no column 7"):
        CTGAN(epochs=1).fit(np.zeros((20, 2)), [7])
    with pytest.raises(ConfigError, match="no column -1"):
        CTGAN(epochs=1).fit(np.zeros((20, 2)), [-1])
    with pytest.raises(DataError, match="no rows"):
        CTGAN(epochs=1).fit(small().iloc[:0], ["colour", "shape"])


def test_samples_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match="has not been fitted"):
        CTGAN().sample(1)
    with pytest.raises(ConfigError, match="has not been fitted"):
        TVAE().save("model")
    model = fitted()
    asked: list[tuple[tuple[Any, ...], str]] = [
        ((-1,), "-1 rows"),
        ((1.5,), "1.5 rows"),
        ((1, "colour"), "without condition_value"),
        ((1, None, "red"), "without condition_column"),
        ((1, "amount", 3), "not fitted as a discrete one"),
        ((1, "colours", "red"), "no column 'colours'"),
        ((1, "colour", "greene"), "no category 'greene'"),
    ]
    for arguments, cause in asked:
        with pytest.raises(ConfigError, match=cause):
            model.sample(*arguments)
    state: Any
    for state in ("1", -1, (1, 2)):
        with pytest.raises(ConfigError, match="random_state is"):
            model.set_random_state(state)
    assert model.sample(0).shape == (0, 4)

"""What a run found out, as plain data: written as ``report.json``, rendered as ``report.html``.

Nothing here names a single row or image: shares of categories held by fewer than five rows are
summed under one entry, and histogram edges are protected bounds. Of a run on images, what is said
here of rows is said of images; pictures show some of them.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, PositiveInt

SCHEMA_VERSION = 1

Modality: TypeAlias = Literal["table", "images"]
"""What the run is about: the rows of a table, or labelled images."""
Pillar: TypeAlias = Literal["fidelity", "utility", "privacy"]
Goal: TypeAlias = Literal["min", "max", "target"]
Decision: TypeAlias = Literal["augment", "do-not-augment", "inconclusive"]
Filter: TypeAlias = Literal["density_ratio", "teacher", "boundary"]
"""How synthetic rows are selected: see :mod:`synthgen.benchmark.filters`."""
Augmentation: TypeAlias = Literal["flips_crops", "randaugment", "mixup"]
"""What is done to each batch of images: see :mod:`synthgen.benchmark.images.augmentations`."""


OUT_OF_REACH = 100
"""Beyond so many times the training rows at hand, how many would be needed is not said."""


class _Data(BaseModel):
    # JSON has no NaN: as text it comes back as the same number, as null it would not load.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class Reading(_Data):
    """What a metric returns: one value and, where useful, its parts (JSON-able)."""

    value: float
    detail: dict[str, Any] = {}


class Score(_Data):
    """A metric's value beside its reference: the same metric of real rows of the same number.

    ``goal`` says which direction is better; ``target`` means: as near the reference as possible.
    """

    metric: str
    title: str
    pillar: Pillar
    goal: Goal
    value: float
    reference: float | None
    detail: dict[str, Any] = {}


class Interval(_Data):
    low: float
    high: float


class Difference(_Data):
    """One arm against ``nothing`` on one metric: mean over resamples, corrected interval."""

    arm: str
    """For example ``ctgan``, ``ctgan-filtered``, ``smote``, ``class_weights``."""
    learner: str
    """A learner's name, or ``best``: chosen inside each resample."""
    metric: str
    part: str | None = None
    """A class (scored against the rest) or a subgroup of the test rows; None: all of them."""
    baseline: float
    """Mean score of ``nothing``."""
    mean: float
    interval: Interval
    p_value: float
    resamples: int


class Recipe(_Data):
    """What is done with the training rows and with what a learner predicts."""

    ratio: float | Literal["balanced"] | None = None
    """Synthetic rows per training row; None: no synthetic rows."""
    filter: Filter | None = None
    """How the synthetic rows are selected from twice as many."""
    weight: float = 1.0
    """Sample weight of a synthetic row; that of a real one is 1."""
    balanced: bool = False
    """Whether weights give every class the same total (regression: every part of the range;
    images: by its effective number)."""
    multipliers: tuple[float, ...] | None = None
    """The predicted class is the largest of probability times multiplier; None: all are 1."""
    augmentation: Augmentation | None = None
    """Of the images in training, real and synthetic ones alike."""


class RealEquivalents(_Data):
    """How many further real rows would do what the arm does, by the learning curve of ``nothing``.

    ``rows`` is negative for an arm that does harm; None where the curve does not tell (it is flat).
    A number at ``ceiling`` means: that many or more; at ``floor``: that many or even fewer.
    """

    rows: int | None
    low: int | None
    high: int | None
    ceiling: int
    floor: int = 0
    useful: int | None = None
    """Further real rows that would bring the minimum effect."""
    useful_low: int | None = None
    useful_high: int | None = None
    """The interval of ``useful``."""


class CurvePoint(_Data):
    """Mean score of ``nothing`` over the resamples at a number of real rows."""

    rows: int
    score: float


class Harm(_Data):
    """A subgroup that the arm is shown to make worse."""

    subgroup: str
    difference: Difference


class Sealed(_Data):
    """The arm against ``nothing`` on the sealed test rows, by a hierarchical paired bootstrap over
    seeds (of the generator and the learners) and rows. It decided nothing."""

    arm: str
    learner: str
    metric: str
    baseline: float
    mean: float
    interval: Interval
    p_value: float
    seeds: int
    rows: int


class Verdict(_Data):
    """The answer. ``difference`` and ``interval`` are of ``arm`` against ``nothing``."""

    decision: Decision
    arm: str | None
    """The arm to use: a generator's for ``augment``; the best cheap arm, or None, otherwise."""
    recipe: Recipe | None = None
    """What that arm does, as it was chosen most often inside; None without an arm."""
    ratio: float | Literal["balanced"] | None
    """Synthetic rows per training row, for ``augment`` (or what the user fixed)."""
    metric: str
    difference: float
    interval: Interval
    confidence: float
    sentence: str
    """One sentence a manager understands."""
    reasons: list[str] = []
    alternatives: list[Difference] = []
    """All other arms, strongest first."""
    minimum_effect: float
    detectable_effect: float
    """The smallest true difference that this budget would have found with 80 % power."""
    resamples: int
    learners: list[str]
    learner: str | None = None
    """The learner that was chosen most often inside for the arm that the verdict is about."""
    cheap: str | None = None
    """The strongest arm without a generator; None: no such arm gains anything."""
    equivalents: RealEquivalents | None = None
    """What ``difference`` is worth in real rows."""
    harmed: list[Harm] = []
    untested: list[str] = []
    """Subgroups with too few rows, each with the reason."""
    dropped: dict[str, int] = {}
    """Arms that were clear losers early, and after how many resamples."""
    rows_needed: int | None = None
    """Training rows at which the minimum effect would be detectable, roughly; None: unknown."""
    room: float | None = None
    """What is left to gain: the metric's best value less the score of ``nothing``."""
    scarce: float | None = None
    """Test rows of the rarest class per resample, where they are too few to judge by."""
    unmeasured: int = 0
    """Resamples that were asked for and not measured to the end: interrupted, or out of time."""

    def __repr__(self) -> str:
        return f"Verdict: {self.sentence}"

    __str__ = __repr__


class Marginal(_Data):
    """One column, real beside synthetic: shares per category or per bin, summing to 1 each."""

    column: str
    kind: str
    score: float
    """Column shape: 1 - Kolmogorov-Smirnov distance, or 1 - total variation distance."""
    reference: float
    """The same score of held-out rows."""
    labels: list[str]
    """Category names, or for binned columns one label per bin."""
    edges: list[float] | None
    """Bin edges (one more than labels) of continuous columns, else None."""
    real: list[float]
    synthetic: list[float]


class PairTrends(_Data):
    """Square matrices in the order of ``columns``, values 0 to 1, None where undefined."""

    columns: list[str]
    score: list[list[float | None]]
    """Agreement of real and synthetic association per pair (1 is best)."""


class Curve(_Data):
    """A training curve: ``values`` per ``step``."""

    name: str
    steps: list[int]
    values: list[float]


class Picture(_Data):
    """An image of images, to be looked at: a PNG in the run's folder ``pictures/``, and here."""

    name: str
    """The file's, without its ending."""
    title: str
    caption: str
    width: PositiveInt
    """In pixels of the PNG, as is the height."""
    height: PositiveInt
    png: str
    """The file's bytes in base64."""


class ColumnNote(_Data):
    """The schema as shown to the user."""

    name: str
    kind: str
    dtype: str
    note: str


class Privacy(_Data):
    """The differential privacy of a model and of rows drawn from it: one training run, tables that
    differ in one row, the number of rows public (docs/differential-privacy.md)."""

    epsilon: float
    """Proven by the accountant for what was done; at most what was asked for."""
    delta: float
    rows: int
    """Training rows."""
    accountant: str
    noise_multiplier: float
    """Of the critic's training: standard deviation of the noise over ``max_grad_norm``."""
    sample_rate: float
    steps: int
    """Of the critic."""
    max_grad_norm: float
    preprocessing_epsilon: float
    """What the noisy counts would cost alone; composed with the training they cost less."""
    preprocessing_queries: int
    """Noisy histograms behind bounds, categories and frequencies."""
    preprocessing_noise: float
    """Standard deviation of the noise of each count."""
    categories_delta: float
    """The part of ``delta`` that the lists of categories took."""
    secret_noise: bool
    """False: the noise follows from the published seed, so that nothing is private."""


class Contender(_Data):
    """A generator that ``auto`` tried, and how far its rows are told from held-out training rows:
    mean ROC-AUC of a classifier, 0.5 if not at all; None where it was not measured."""

    name: str
    auc: float | None
    standard_error: float | None
    failure: str | None = None
    """Why it could not be trained."""


class Choice(_Data):
    """Which generator ``auto`` took for the final model, and by which scores."""

    chosen: str
    held_out: int
    """Training rows that the candidates were judged by; 0: too few rows to judge by."""
    candidates: list[Contender]
    """Cheapest first: of those not told apart from the best one the first is taken."""
    resamples: dict[str, int] = {}
    """How often each was taken inside the resamples that the verdict rests on."""


class Provenance(_Data):
    source: str
    source_sha256: str | None
    rows: dict[str, int]
    """``train``, ``test``, ``synthetic``, ``augmented``."""
    target: str
    generator: str
    choice: Choice | None = None
    """Where the generator chose among others."""
    seed: int
    budget: str
    device: str
    versions: dict[str, str]
    config: dict[str, Any]
    command: str | None = None
    """The command line that gives this run again; None: put together from the fields above."""
    hashes: dict[str, str] = {}
    """SHA-256 of what the run wrote, by file name."""


class Report(_Data):
    schema_version: Literal[1] = 1
    modality: Modality = "table"
    title: str
    verdict: Verdict
    differences: list[Difference]
    """Every arm x learner (and ``best``) on the primary metric and the others."""
    by_class: list[Difference] = []
    """Every arm x class, ``best`` learner, all metrics of one class against the rest."""
    by_subgroup: list[Difference] = []
    """Every arm x subgroup, ``best`` learner, all metrics."""
    learning_curve: list[CurvePoint] = []
    sealed: list[Sealed] = []
    scores: list[Score]
    marginals: list[Marginal]
    """Worst first."""
    pair_trends: PairTrends | None
    curves: list[Curve]
    columns: list[ColumnNote]
    """Of a table; empty for images."""
    classes: dict[str, dict[str, int]] = {}
    """Of images, in the order of the classes' codes: numbers of ``train``, ``test``, ``synthetic``
    and ``augmented`` ones by the class's name; empty for a table."""
    pictures: list[Picture] = []
    notices: list[str]
    """What the user should know: columns left out, shortfalls, caps."""
    privacy: Privacy | None = None
    """What a differentially private generator guarantees of its model; None: nothing."""
    provenance: Provenance

    def __repr__(self) -> str:
        return f"Report on {self.title}: {self.verdict.decision}, {len(self.scores)} scores"

    __str__ = __repr__

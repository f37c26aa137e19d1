"""Everything that a rule imports, apart from numpy, pandas and scikit-learn.

A rule file imports it at the top; pandas and scikit-learn, which cost more to load than a fast scan takes, are imported
inside the functions that need them.
"""

from __future__ import annotations

from datalint.core import missing
from datalint.core.amounts import CURRENCIES, is_amount, is_day
from datalint.core.annotations import CROWD, MALFORMED, OTHER_SIZE, OUTLINED, UNDECLARED, UNSEEN, Gap
from datalint.core.clean import Clean, Planted, blacken, break_shards, rows_of, training, transpose, truncate
from datalint.core.codes import codes_of
from datalint.core.dataset import Dataset, Problem, Role, reduction
from datalint.core.dataset import Field as Column
from datalint.core.dialogues import TURNS, Conversation, Dialogue, Turn, without_speakers
from datalint.core.loops import Loop, Target
from datalint.core.roles import words_of
from datalint.core.secrets import Secret, masked, secrets_in
from datalint.core.secrets import pattern as pattern_of_secrets
from datalint.core.silence import Silence, SilenceKind
from datalint.core.sounds import Recordings
from datalint.core.statistics import (
    auc,
    auc_error,
    binomial_tail,
    chi_square,
    chi_square_tail,
    design_effect,
    design_effect_of_classes,
    digits,
    kolmogorov_smirnov,
    log_chance_absent,
    log_chi_square_tail,
    midranks,
    normal_tail,
    poisson_tail,
)
from datalint.core.terms import Storage
from datalint.core.wording import are, counted, have, more_of, plural, quoted
from datalint.measures.base import Measurement, Reading
from datalint.measures.columns import NumberStats
from datalint.measures.contents import Contents
from datalint.measures.images import ImageHeaders
from datalint.measures.label_sets import LabelSets
from datalint.measures.masks import Masks
from datalint.measures.objects import Objects
from datalint.measures.order import MISSING_CLASS, LabelRuns, Run, TargetOrder
from datalint.measures.passages import Passages
from datalint.measures.pixel_moments import PixelMoments
from datalint.measures.pixels import PixelStats
from datalint.measures.places import Places
from datalint.measures.problems import Problems
from datalint.measures.sample import Sample
from datalint.measures.sounds import SoundStats
from datalint.measures.texts import TextStats
from datalint.measures.zeros import ZeroSamples
from datalint.profile import statistics
from datalint.profile.duplicates import (
    Copies,
    coincidences,
    coinciding,
    firsts,
    labels_of,
    without_label,
)
from datalint.profile.learn.chance import NEEDED as NEEDED_SHUFFLES
from datalint.profile.learn.chance import category_design, class_targets, number_design, number_targets, relation
from datalint.profile.learn.entities import keys_by_structure
from datalint.profile.learn.groups import FILE_NAMES, Key, group_keys, names_a_source
from datalint.profile.learn.noise import Named as NamedSamples
from datalint.profile.learn.noise import NoiseEstimate, estimate_noise
from datalint.profile.learn.object_classes import LearnedObjects
from datalint.profile.learn.orientation import LEAST as LEAST_ORIENTED
from datalint.profile.learn.orientation import VERSIONS as ORIENTATIONS
from datalint.profile.learn.orientation import Orientation, orient
from datalint.profile.learn.outoffold import OutOfFold
from datalint.profile.learn.pixel_tables import as_pictures, pixel_columns
from datalint.profile.learn.placement import NEEDED as NEEDED_PICTURES
from datalint.profile.learn.placement import Cuts as PlacementCuts
from datalint.profile.learn.placement import Placement, placement
from datalint.profile.learn.pooled import Learned, inputs_of
from datalint.profile.learn.residuals import Residuals, residuals
from datalint.profile.learn.sampled import ROWS as MODEL_ROWS
from datalint.profile.learn.sampled import bins_of, features_of, fewer, folds_of, labelled_rows, lookup_accuracy
from datalint.profile.learn.tails import MIN_VALUES as MIN_TAIL_VALUES
from datalint.profile.learn.tails import Tail, tail_of
from datalint.profile.learn.threads import one_thread
from datalint.profile.learn.tokens import NoTokenizer, token_counter
from datalint.profile.learn.verdict import Contradictions, contradictions
from datalint.profile.learn.verdict import Verdict as NoiseVerdict
from datalint.profile.learn.verdict import judge as judge_noise
from datalint.profile.loop import (
    Activations,
    ByHeart,
    Chance,
    Collated,
    Finite,
    FirstStep,
    FreeOutputs,
    Gradients,
    Influence,
    Input,
    Loaded,
    LoopProfile,
    LossCall,
    Modes,
    NotMeasured,
    Optimized,
    Sequences,
    Slope,
    Stretch,
    Terms,
)
from datalint.profile.profile import Profile
from datalint.profile.splits import Elsewhere, SampledRows, SplitProfile
from datalint.rules.base import AllWell, Cases, Field, Found, LoopRule, Rule, RuleParams, Severity, Skip

__all__ = [
    "CROWD",
    "CURRENCIES",
    "FILE_NAMES",
    "LEAST_ORIENTED",
    "MALFORMED",
    "MIN_TAIL_VALUES",
    "MISSING_CLASS",
    "MODEL_ROWS",
    "NEEDED_PICTURES",
    "NEEDED_SHUFFLES",
    "ORIENTATIONS",
    "OTHER_SIZE",
    "OUTLINED",
    "TURNS",
    "UNDECLARED",
    "UNSEEN",
    "Activations",
    "AllWell",
    "ByHeart",
    "Cases",
    "Chance",
    "Clean",
    "Collated",
    "Column",
    "Contents",
    "Contradictions",
    "Conversation",
    "Copies",
    "Dataset",
    "Dialogue",
    "Elsewhere",
    "Field",
    "Finite",
    "FirstStep",
    "Found",
    "FreeOutputs",
    "Gap",
    "Gradients",
    "ImageHeaders",
    "Influence",
    "Input",
    "Key",
    "LabelRuns",
    "LabelSets",
    "Learned",
    "LearnedObjects",
    "Loaded",
    "Loop",
    "LoopProfile",
    "LoopRule",
    "LossCall",
    "Masks",
    "Measurement",
    "Modes",
    "NamedSamples",
    "NoTokenizer",
    "NoiseEstimate",
    "NoiseVerdict",
    "NotMeasured",
    "NumberStats",
    "Objects",
    "Optimized",
    "Orientation",
    "OutOfFold",
    "Passages",
    "PixelMoments",
    "PixelStats",
    "Placement",
    "PlacementCuts",
    "Places",
    "Planted",
    "Problem",
    "Problems",
    "Profile",
    "Reading",
    "Recordings",
    "Residuals",
    "Role",
    "Rule",
    "RuleParams",
    "Run",
    "Sample",
    "SampledRows",
    "Secret",
    "Sequences",
    "Severity",
    "Silence",
    "SilenceKind",
    "Skip",
    "Slope",
    "SoundStats",
    "SplitProfile",
    "Storage",
    "Stretch",
    "Tail",
    "Target",
    "TargetOrder",
    "Terms",
    "TextStats",
    "Turn",
    "ZeroSamples",
    "are",
    "as_pictures",
    "auc",
    "auc_error",
    "binomial_tail",
    "bins_of",
    "blacken",
    "break_shards",
    "category_design",
    "chi_square",
    "chi_square_tail",
    "class_targets",
    "codes_of",
    "coincidences",
    "coinciding",
    "contradictions",
    "counted",
    "design_effect",
    "design_effect_of_classes",
    "digits",
    "estimate_noise",
    "features_of",
    "fewer",
    "firsts",
    "folds_of",
    "group_keys",
    "have",
    "inputs_of",
    "is_amount",
    "is_day",
    "judge_noise",
    "keys_by_structure",
    "kolmogorov_smirnov",
    "labelled_rows",
    "labels_of",
    "log_chance_absent",
    "log_chi_square_tail",
    "lookup_accuracy",
    "masked",
    "midranks",
    "missing",
    "more_of",
    "names_a_source",
    "normal_tail",
    "number_design",
    "number_targets",
    "one_thread",
    "orient",
    "pattern_of_secrets",
    "pixel_columns",
    "placement",
    "plural",
    "poisson_tail",
    "quoted",
    "reduction",
    "relation",
    "residuals",
    "rows_of",
    "secrets_in",
    "statistics",
    "tail_of",
    "token_counter",
    "training",
    "transpose",
    "truncate",
    "without_label",
    "without_speakers",
    "words_of",
]

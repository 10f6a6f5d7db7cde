"""The rules, in the order of their codes: an explicit list, so that none can vanish."""

from actlab.checker.rule import Rule
from actlab.checker.rules.after_the_loss.decoding import (
    ArgmaxOffClassAxis,
    OtherNormaliser,
    ProbabilitiesTwice,
)
from actlab.checker.rules.after_the_loss.thresholds_and_metrics import (
    MetricOnLogits,
    ThresholdOnWrongScale,
)
from actlab.checker.rules.head_and_target.activation_on_regression_head import (
    ActivationOnRegressionHead,
)
from actlab.checker.rules.head_and_target.bounded_critic import BoundedCritic
from actlab.checker.rules.head_and_target.head_stuck_at_zero import HeadStuckAtZero
from actlab.checker.rules.head_and_target.latent_distribution import (
    BoundedLogParameter,
    SquashedTwice,
)
from actlab.checker.rules.head_and_target.range_cannot_reach_target import RangeCannotReachTarget
from actlab.checker.rules.head_and_target.scale_mismatch import ScaleMismatch
from actlab.checker.rules.head_and_target.softmax_for_multilabel import SoftmaxForMultilabel
from actlab.checker.rules.head_and_target.unconstrained_positive_parameter import (
    UnconstrainedPositiveParameter,
)
from actlab.checker.rules.initialisation.constant_init import ConstantInit
from actlab.checker.rules.initialisation.init_gain_mismatch import InitGainMismatch
from actlab.checker.rules.initialisation.init_never_called import InitNeverCalled
from actlab.checker.rules.initialisation.prelu_weight_decay import PreluWeightDecay
from actlab.checker.rules.initialisation.selu_contract import SeluContract
from actlab.checker.rules.loss_input.activation_on_logits import ActivationOnLogits
from actlab.checker.rules.loss_input.bce_on_non_probability import BceOnNonProbability
from actlab.checker.rules.loss_input.custom_loss_double_activation import CustomLossDoubleActivation
from actlab.checker.rules.loss_input.distribution_logits_given_probabilities import (
    DistributionLogitsGivenProbabilities,
)
from actlab.checker.rules.loss_input.double_sigmoid import DoubleSigmoid
from actlab.checker.rules.loss_input.double_softmax import DoubleSoftmax
from actlab.checker.rules.loss_input.kl_divergence_input import KlDivergenceInput
from actlab.checker.rules.loss_input.log_of_softmax import LogOfSoftmax, SplitSigmoidBce
from actlab.checker.rules.loss_input.log_probability_misread import LogProbabilityMisread
from actlab.checker.rules.loss_input.log_softmax_then_cross_entropy import (
    LogSoftmaxThenCrossEntropy,
)
from actlab.checker.rules.loss_input.nll_on_non_log_probability import NllOnNonLogProbability
from actlab.checker.rules.loss_input.overlap_of_logits import OverlapOfLogits
from actlab.checker.rules.loss_input.sigmoid_then_cross_entropy import SigmoidThenCrossEntropy
from actlab.checker.rules.softmax_axis.attention_weights import (
    MaskMissesSoftmax,
    SoftmaxOverQueries,
)
from actlab.checker.rules.softmax_axis.implicit_softmax_dim import ImplicitSoftmaxDim
from actlab.checker.rules.softmax_axis.single_logit_cross_entropy import SingleLogitCrossEntropy
from actlab.checker.rules.softmax_axis.softmax_dim_not_class_dim import SoftmaxDimNotClassDim
from actlab.checker.rules.softmax_axis.softmax_over_batch import SoftmaxOverBatch
from actlab.checker.rules.softmax_axis.softmax_over_one import SoftmaxOverOne
from actlab.checker.rules.structure.deep_saturating_stack import DeepSaturatingStack
from actlab.checker.rules.structure.no_nonlinearity import LinearBottleneck, NoNonlinearity
from actlab.checker.rules.structure.piecewise_linear_curvature import PiecewiseLinearCurvature
from actlab.checker.rules.structure.pretrained_activation_mismatch import (
    PretrainedActivationMismatch,
)
from actlab.checker.rules.structure.softmax_between_layers import SoftmaxBetweenLayers
from actlab.checker.rules.structure.stacked_activations import (
    RedundantActivation,
    StackedActivations,
)
from actlab.checker.rules.structure.unbounded_recurrence import UnboundedRecurrence
from actlab.checker.rules.training.activation_drift import ActivationDrift
from actlab.checker.rules.training.backward_fails import BackwardFails
from actlab.checker.rules.training.constant_output import ConstantOutput
from actlab.checker.rules.training.dead_units import DeadUnits, SaturatedUnits
from actlab.checker.rules.training.initial_loss_off import InitialLossOff
from actlab.checker.rules.training.no_better_than_constant import NoBetterThanConstant
from actlab.checker.rules.training.not_finite import NotFinite
from actlab.checker.rules.training.vanishing_gradient import ExplodingGradient, VanishingGradient

RULES: tuple[type[Rule], ...] = (
    DoubleSoftmax,
    LogSoftmaxThenCrossEntropy,
    SigmoidThenCrossEntropy,
    DoubleSigmoid,
    BceOnNonProbability,
    NllOnNonLogProbability,
    KlDivergenceInput,
    ActivationOnLogits,
    LogOfSoftmax,
    SplitSigmoidBce,
    DistributionLogitsGivenProbabilities,
    CustomLossDoubleActivation,
    LogProbabilityMisread,
    OverlapOfLogits,
    SoftmaxOverOne,
    SingleLogitCrossEntropy,
    SoftmaxOverBatch,
    ImplicitSoftmaxDim,
    SoftmaxDimNotClassDim,
    MaskMissesSoftmax,
    SoftmaxOverQueries,
    RangeCannotReachTarget,
    SoftmaxForMultilabel,
    ScaleMismatch,
    HeadStuckAtZero,
    BoundedCritic,
    UnconstrainedPositiveParameter,
    ActivationOnRegressionHead,
    BoundedLogParameter,
    SquashedTwice,
    NoNonlinearity,
    LinearBottleneck,
    RedundantActivation,
    StackedActivations,
    SoftmaxBetweenLayers,
    DeepSaturatingStack,
    UnboundedRecurrence,
    PretrainedActivationMismatch,
    PiecewiseLinearCurvature,
    DeadUnits,
    SaturatedUnits,
    VanishingGradient,
    ExplodingGradient,
    ActivationDrift,
    ConstantOutput,
    InitialLossOff,
    NotFinite,
    NoBetterThanConstant,
    BackwardFails,
    InitGainMismatch,
    SeluContract,
    ConstantInit,
    PreluWeightDecay,
    InitNeverCalled,
    MetricOnLogits,
    ThresholdOnWrongScale,
    ArgmaxOffClassAxis,
    ProbabilitiesTwice,
    OtherNormaliser,
)

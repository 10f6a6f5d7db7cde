"""The rules, in the order of their codes: an explicit list, so that none can vanish."""

from actlab.checker.rule import Rule
from actlab.checker.rules.activation_drift import ActivationDrift
from actlab.checker.rules.activation_on_logits import ActivationOnLogits
from actlab.checker.rules.activation_on_regression_head import ActivationOnRegressionHead
from actlab.checker.rules.bce_on_non_probability import BceOnNonProbability
from actlab.checker.rules.bounded_critic import BoundedCritic
from actlab.checker.rules.constant_init import ConstantInit
from actlab.checker.rules.constant_output import ConstantOutput
from actlab.checker.rules.custom_loss_double_activation import CustomLossDoubleActivation
from actlab.checker.rules.dead_units import DeadUnits
from actlab.checker.rules.deep_saturating_stack import DeepSaturatingStack
from actlab.checker.rules.distribution_logits_given_probabilities import (
    DistributionLogitsGivenProbabilities,
)
from actlab.checker.rules.double_sigmoid import DoubleSigmoid
from actlab.checker.rules.double_softmax import DoubleSoftmax
from actlab.checker.rules.exploding_gradient import ExplodingGradient
from actlab.checker.rules.head_stuck_at_zero import HeadStuckAtZero
from actlab.checker.rules.implicit_softmax_dim import ImplicitSoftmaxDim
from actlab.checker.rules.init_gain_mismatch import InitGainMismatch
from actlab.checker.rules.init_never_called import InitNeverCalled
from actlab.checker.rules.initial_loss_off import InitialLossOff
from actlab.checker.rules.kl_divergence_input import KlDivergenceInput
from actlab.checker.rules.linear_bottleneck import LinearBottleneck
from actlab.checker.rules.log_of_softmax import LogOfSoftmax
from actlab.checker.rules.log_softmax_then_cross_entropy import LogSoftmaxThenCrossEntropy
from actlab.checker.rules.nll_on_non_log_probability import NllOnNonLogProbability
from actlab.checker.rules.no_nonlinearity import NoNonlinearity
from actlab.checker.rules.not_finite import NotFinite
from actlab.checker.rules.prelu_weight_decay import PreluWeightDecay
from actlab.checker.rules.pretrained_activation_mismatch import PretrainedActivationMismatch
from actlab.checker.rules.range_cannot_reach_target import RangeCannotReachTarget
from actlab.checker.rules.redundant_activation import RedundantActivation
from actlab.checker.rules.saturated_units import SaturatedUnits
from actlab.checker.rules.scale_mismatch import ScaleMismatch
from actlab.checker.rules.selu_contract import SeluContract
from actlab.checker.rules.sigmoid_then_cross_entropy import SigmoidThenCrossEntropy
from actlab.checker.rules.single_logit_cross_entropy import SingleLogitCrossEntropy
from actlab.checker.rules.softmax_between_layers import SoftmaxBetweenLayers
from actlab.checker.rules.softmax_dim_not_class_dim import SoftmaxDimNotClassDim
from actlab.checker.rules.softmax_for_multilabel import SoftmaxForMultilabel
from actlab.checker.rules.softmax_over_batch import SoftmaxOverBatch
from actlab.checker.rules.softmax_over_one import SoftmaxOverOne
from actlab.checker.rules.split_sigmoid_bce import SplitSigmoidBce
from actlab.checker.rules.stacked_activations import StackedActivations
from actlab.checker.rules.unbounded_recurrence import UnboundedRecurrence
from actlab.checker.rules.unconstrained_positive_parameter import UnconstrainedPositiveParameter
from actlab.checker.rules.vanishing_gradient import VanishingGradient

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
    SoftmaxOverOne,
    SingleLogitCrossEntropy,
    SoftmaxOverBatch,
    ImplicitSoftmaxDim,
    SoftmaxDimNotClassDim,
    RangeCannotReachTarget,
    SoftmaxForMultilabel,
    ScaleMismatch,
    HeadStuckAtZero,
    BoundedCritic,
    UnconstrainedPositiveParameter,
    ActivationOnRegressionHead,
    NoNonlinearity,
    LinearBottleneck,
    RedundantActivation,
    StackedActivations,
    SoftmaxBetweenLayers,
    DeepSaturatingStack,
    UnboundedRecurrence,
    PretrainedActivationMismatch,
    DeadUnits,
    SaturatedUnits,
    VanishingGradient,
    ExplodingGradient,
    ActivationDrift,
    ConstantOutput,
    InitialLossOff,
    NotFinite,
    InitGainMismatch,
    SeluContract,
    ConstantInit,
    PreluWeightDecay,
    InitNeverCalled,
)

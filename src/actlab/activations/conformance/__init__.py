"""Is this kernel that function? Values and gradients against 60 digits, vectors for ports, naming.

from actlab.activations.conformance import check

check(my_gelu, get("gelu")).ok
"""

from actlab.activations.conformance.checks import check
from actlab.activations.conformance.golden_vectors import check_vectors, vectors
from actlab.activations.conformance.naming import (
    configured_names,
    differing,
    identify,
    identify_modules,
    identify_single,
)
from actlab.activations.conformance.onnx_graph import load_onnx, onnx_activations
from actlab.activations.conformance.results import (
    ALLOWED_ULP,
    Check,
    ConformanceError,
    Report,
)

__all__ = [
    "ALLOWED_ULP",
    "Check",
    "ConformanceError",
    "Report",
    "check",
    "check_vectors",
    "configured_names",
    "differing",
    "identify",
    "identify_modules",
    "identify_single",
    "load_onnx",
    "onnx_activations",
    "vectors",
]

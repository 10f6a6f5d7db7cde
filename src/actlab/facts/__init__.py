"""Measuring what a function does, and verifying what the catalogue declares of it.

The public functions (`function` is a name, a `catalogue.Function` or any `Measurable`):

* `of(function, **parameters) -> Facts`: declared where the catalogue declares it, measured with
  mpmath elsewhere (other parameter values, pasted formulas). Loads no torch.
  `Facts.as_json()` has the keys of `actlab functions show NAME --json`.
* `pasted(text, **values) -> Measurable`: a formula that is not in the catalogue.
* `measure(function) -> Facts`: measured from the formula, whatever is declared.
* `verify(names=None) -> list[Row]`: each declared fact against both routes; a Row has `function`,
  `fact`, `declared`, `measured`, `route` ("formula" or "module"), `ok`, `derivation`.
* `hazards(function, dtype) -> Hazards`: `.module` and `.formula`, each with `value_from`,
  `gradient_from` (the signed x nearest 0 at which it is wrong, None where it never is),
  `value_wrong`, `gradient_wrong` (what is wrong there), and the tails' relative errors in ULP:
  `tail_value_ulp`, `tail_value_at`, `tail_gradient_ulp`, `tail_gradient_at`.
* `cost(function, dtype="float32", device="cpu", compiled=False) -> Cost`: `forward_ratio` and
  `backward_ratio` to a copy of the same tensor, the nanoseconds per element behind them, and
  `saved_bytes` per element that are kept for backward.

dtypes are named as torch names them: "float16", "bfloat16", "float32", "float64".
"""

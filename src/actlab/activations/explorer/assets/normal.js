"use strict";

// The functions that the generated formulas call, and figures under a normal input.

function erf(x) {
  const a = Math.abs(x);
  if (!(a < 6)) return Number.isNaN(x) ? NaN : Math.sign(x);
  let sum, term;
  if (a < 2.5) {
    // erf x = 2/sqrt(pi) exp(-x^2) (x + 2x^3/3 + 4x^5/15 + ...): every term is positive.
    sum = term = a;
    for (let n = 1; term > 1e-17 * sum; n++) sum += term *= 2 * a * a / (2 * n + 1);
    return Math.sign(x) * sum * 2 / Math.sqrt(Math.PI) * Math.exp(-a * a);
  }
  // erfc x = exp(-x^2)/sqrt(pi) / (x + (1/2)/(x + 1/(x + (3/2)/(x + ...))))
  let fraction = a;
  for (let n = 60; n >= 1; n--) fraction = a + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / fraction);
}

function sigmoid(x) {
  const decay = Math.exp(-Math.abs(x));
  return (x >= 0 ? 1 : decay) / (1 + decay);
}

function softplus(x) {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

// The inverse of the standard normal distribution: Newton steps from a first guess.
function normalQuantile(share) {
  const t = Math.sqrt(-2 * Math.log(Math.min(share, 1 - share)));
  let x = t - (2.30753 + 0.27061 * t) / (1 + 0.99229 * t + 0.04481 * t * t);
  if (share < 0.5) x = -x;
  for (let step = 0; step < 3; step++) {
    const error = 0.5 * (1 + erf(x / Math.SQRT2)) - share;
    x -= error * Math.sqrt(2 * Math.PI) * Math.exp(x * x / 2);
  }
  return x;
}

const NORMAL = {step: 0.0005, half: 10};
NORMAL.points = Float64Array.from(
  {length: 2 * NORMAL.half / NORMAL.step}, (_, i) => -NORMAL.half + (i + 0.5) * NORMAL.step);
NORMAL.weights = NORMAL.points.map(
  (x) => NORMAL.step * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI));

// Means over a normal input by the midpoint rule: four digits, also beside a kink.
function normalFigures(formula, parameters, center = 0, spread = 1) {
  let mean = 0, second = 0, slope = 0, slopeSecond = 0, flat = 0;
  NORMAL.points.forEach((point, i) => {
    const weight = NORMAL.weights[i], x = center + spread * point;
    const f = formula.value(x, parameters), d = formula.slope(x, parameters);
    mean += weight * f;
    second += weight * f * f;
    slope += weight * d;
    slopeSecond += weight * d * d;
    if (d === 0) flat += weight;
  });
  return {mean, second, slope, slopeSecond, flat};
}

const QUANTILES = Float64Array.from({length: 20000}, (_, i) => normalQuantile((i + 0.5) / 20000));

// What 20,000 evenly likely normal inputs become: single values that many of them give,
// where the function is flat (pins), and the density of the rest.
function outcome(formula, parameters, low, high, bins, center = 0, spread = 1) {
  const counts = new Map(), width = (high - low) / bins;
  const density = new Array(bins).fill(0);
  for (const quantile of QUANTILES) {
    const x = center + spread * quantile;
    const value = formula.value(x, parameters);
    if (formula.slope(x, parameters) === 0) {
      counts.set(value, (counts.get(value) || 0) + 1);
      continue;
    }
    const place = Math.floor((value - low) / width);
    if (place >= 0 && place < bins) density[place] += 1 / (QUANTILES.length * width);
  }
  const pins = [...counts].map(([value, count]) => ({value, share: count / QUANTILES.length}))
    .filter(({share}) => share >= 0.005);
  return {pins, density, edges: density.map((_, i) => low + i * width)};
}

// The interval that holds 99 % of what a function makes of a normal input.
function usualOutput(formula, parameters, center = 0, spread = 1) {
  const values = QUANTILES.filter((_, i) => i % 20 === 10)
    .map((x) => formula.value(center + spread * x, parameters)).sort();
  return [values[Math.floor(0.005 * values.length)], values[Math.floor(0.995 * values.length)]];
}

// A coarser rule for the many means through depth.
const COARSE = Array.from({length: 1200}, (_, i) => (i + 0.5) / 100 - 6)
  .map((z) => [z, 0.01 * Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI)]);

// The size of signal and gradient after each of `layers` layers of a wide network whose weights have
// the standard deviation gain/sqrt(width): a signal of size s becomes gain sqrt(E f(s Z)^2), and a
// gradient is multiplied by gain sqrt(E f'(s Z)^2), for a standard normal Z (mean-field theory, Poole
// et al. 2016, Schoenholz et al. 2017). `gain` is a number, or "own": 1/sqrt(E f(Z)^2).
function throughDepth(formula, parameters, layers, gain) {
  const root = (act, size) =>
    Math.sqrt(COARSE.reduce((sum, [z, weight]) => sum + weight * act(size * z, parameters) ** 2, 0));
  const factor = gain === "own" ? 1 / root(formula.value, 1) : gain;
  const signal = [1], steps = [];
  for (let layer = 0; layer < layers; layer++) {
    const size = signal[layer];
    steps.push(factor * root(formula.slope, size));
    signal.push(factor * root(formula.value, size));
  }
  const gradient = [1];
  for (let layer = layers - 1; layer >= 0; layer--) gradient.push(gradient.at(-1) * steps[layer]);
  return {signal, gradient: gradient.reverse()};
}

function shown(value) {
  if (value === null || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (Math.abs(value) < 5e-5) return "0";
  const digits = Math.abs(value) >= 1000 ? 0 : Math.max(0, 4 - Math.ceil(Math.log10(Math.abs(value) + 1e-9)));
  return value.toFixed(Math.min(digits, 4)).replace("-", "−");
}

function shownShare(share) {
  if (share > 0 && share < 0.001) return "< 0.1 %";
  const percent = share < 1 ? Math.min(100 * share, 99.9) : 100;
  return `${Number(percent.toPrecision(3))} %`;
}


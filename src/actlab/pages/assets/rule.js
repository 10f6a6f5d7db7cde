// The arithmetic of a verdict in the browser: the same numbers as actlab.verdicts.rule, to 1e-9.
// A table is { candidates, values, ran, paired }: values[candidate][seed], null where a run failed.
window.actlabRule = (() => {
  const ALPHA = 0.05, TOLERANCE = 0.05;

  // ln Gamma by Lanczos (g = 7, nine terms).
  const LANCZOS = [0.99999999999980993, 676.5203681218851, -1259.1392167224028,
    771.32342877765313, -176.61502916214059, 12.507343278686905, -0.13857109526572012,
    9.9843695780195716e-6, 1.5056327351493116e-7];
  function lnGamma(x) {
    if (x < 0.5) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * x))) - lnGamma(1 - x);
    let sum = LANCZOS[0];
    for (let k = 1; k < 9; k += 1) sum += LANCZOS[k] / (x - 1 + k);
    const t = x + 6.5;
    return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
  }

  // The regularised incomplete beta function, by Lentz's continued fraction.
  function beta(x, a, b) {
    if (x <= 0) return 0;
    if (x >= 1) return 1;
    if (x > (a + 1) / (a + b + 2)) return 1 - beta(1 - x, b, a);
    const front = Math.exp(lnGamma(a + b) - lnGamma(a) - lnGamma(b)
      + a * Math.log(x) + b * Math.log1p(-x)) / a;
    let c = 1, d = 1 / (1 - (a + b) * x / (a + 1)), f = d;
    for (let m = 1; m < 20000; m += 1) {
      for (const term of [m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
        -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))]) {
        d = 1 / (1 + term * d);
        c = 1 + term / c;
        f *= c * d;
      }
      if (Math.abs(c * d - 1) < 1e-16) break;
    }
    return front * f;
  }

  // The lower regularised incomplete gamma function, and what is left of it.
  function gammas(a, x) {
    if (x <= 0) return [0, 1];
    const front = Math.exp(-x + a * Math.log(x) - lnGamma(a));
    if (x < a + 1) {
      let term = 1 / a, sum = term;
      for (let k = 1; k < 20000 && Math.abs(term) > 1e-17 * sum; k += 1) sum += term *= x / (a + k);
      return [front * sum, 1 - front * sum];
    }
    let b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
    for (let k = 1; k < 20000; k += 1) {
      b += 2;
      d = 1 / (k * (a - k) * d + b);
      c = b + k * (a - k) / c;
      h *= c * d;
      if (Math.abs(c * d - 1) < 1e-16) break;
    }
    return [1 - front * h, front * h];
  }

  const normal = (x) => (x < 0 ? gammas(0.5, x * x / 2)[1] / 2 : 1 - gammas(0.5, x * x / 2)[1] / 2);
  // P(T <= -|t|) of Student's t.
  const tTail = (t, degrees) => beta(degrees / (degrees + t * t), degrees / 2, 0.5) / 2;

  // The x in (low, high) at which a rising function takes a value, halving as far as doubles go.
  function inverse(rising, value, low, high) {
    for (let step = 0; step < 200; step += 1) {
      const middle = (low + high) / 2;
      if (middle === low || middle === high) break;
      if (rising(middle) < value) low = middle; else high = middle;
    }
    return (low + high) / 2;
  }
  const memo = new Map();
  function remembered(key, make) {
    if (!memo.has(key)) memo.set(key, make());
    return memo.get(key);
  }
  // The t > 0 that is exceeded with probability `tail`.
  function tQuantile(tail, degrees) {
    if (degrees <= 0) return Infinity;
    return remembered(`t ${tail} ${degrees}`, () => {
      let high = 1;
      while (tTail(high, degrees) > tail) high *= 2;
      return inverse((t) => -tTail(t, degrees), -tail, 0, high);
    });
  }
  function normalQuantile(p) {
    if (p > 0.5) return -normalQuantile(1 - p);
    return inverse(normal, p, -40, 0);
  }
  function chiSpread(p, degrees) {
    const a = degrees / 2;
    let high = a + 1;
    while (gammas(a, high)[0] < p) high *= 2;
    return Math.sqrt(2 * inverse((x) => gammas(a, x)[0], p, 0, high) / degrees);
  }

  function failureRateLow(failures, runs) {
    if (failures === 0) return 0;
    return inverse((p) => beta(p, failures, runs - failures + 1), 0.05, 0, 1);
  }

  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  function variance(values) {
    const centre = mean(values);
    return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
  }
  // The largest step of which all distances between scores are multiples: Euclid's algorithm.
  function step(scores, largest) {
    const distinct = [...new Set(withoutDust(scores, largest))].sort((a, b) => a - b);
    const least = largest * 2 ** -23;
    let found = 0;
    for (let place = 1; place < distinct.length; place += 1) {
      let one = distinct[place] - distinct[place - 1], other = found;
      while (other > least) [one, other] = [other, Math.abs(one - other * Math.floor(one / other + 0.5))];
      found = one;
    }
    return found > least ? found : 0;
  }

  // Differences free of the dust of decimal fractions: multiples of 2^-40 of the largest score.
  function withoutDust(values, largest) {
    if (largest === 0) return values;
    let exponent = Math.floor(Math.log2(largest)) + 1;
    if (2 ** exponent <= largest) exponent += 1;
    if (2 ** (exponent - 1) > largest) exponent -= 1;
    const quantum = 2 ** (exponent - 40);
    return values.map((value) => {
      const scaled = value / quantum, down = Math.floor(scaled);
      const rest = scaled - down;
      const even = down % 2 === 0 ? down : down + 1;
      return quantum * (rest < 0.5 ? down : rest > 0.5 ? down + 1 : even);
    });
  }

  function difference(centre, deviation, error, degrees, n) {
    if (degrees === 0) {
      const ends = { low: -Infinity, high: Infinity, low90: -Infinity, high90: Infinity };
      return { mean: centre, ...ends, p: 1, n, deviation, degrees };
    }
    const half = error === 0 ? 0 : tQuantile(0.025, degrees) * error;
    const half90 = error === 0 ? 0 : tQuantile(0.05, degrees) * error;
    const p = error === 0 ? (centre === 0 ? 1 : 0) : 2 * tTail(centre / error, degrees);
    return { mean: centre, low: centre - half, high: centre + half, low90: centre - half90,
      high90: centre + half90, p, n, deviation, degrees };
  }

  function paired(first, second, resolution) {
    const largest = Math.max(...[...first, ...second].map(Math.abs));
    const values = withoutDust(first.map((value, place) => value - second[place]), largest);
    const n = values.length;
    if (n === 1) return difference(values[0], Infinity, Infinity, 0, 1);
    let floor = resolution, centre = values[0], deviation = 0;
    if (Math.max(...values) === Math.min(...values)) {
      if (floor === null) {
        floor = step([...first, ...second], largest);
      }
    } else {
      centre = mean(values);
      deviation = Math.sqrt(variance(values));
    }
    if (floor !== null) deviation = Math.max(deviation, floor / Math.sqrt(6));
    return difference(centre, deviation, deviation * Math.sqrt(1 / n), n - 1, n);
  }

  function welch(first, second, resolution) {
    const centre = mean(first) - mean(second), n = first.length + second.length;
    const floor = (resolution ?? 0) ** 2 / 12;
    const spreads = [first, second].map((part) => Math.max(variance(part), floor));
    const parts = spreads.map((v, place) => v / [first, second][place].length);
    const error = Math.sqrt(parts[0] + parts[1]);
    if (error === 0) return difference(centre, 0, 0, n - 2, n);
    const degrees = (parts[0] + parts[1]) ** 2
      / (parts[0] ** 2 / (first.length - 1) + parts[1] ** 2 / (second.length - 1));
    return difference(centre, Math.sqrt(spreads[0] + spreads[1]), error, degrees, n);
  }

  function holm(values) {
    const order = values.map((_, place) => place).sort((a, b) => values[a] - values[b] || a - b);
    const adjusted = [];
    let highest = 0;
    order.forEach((place, rank) => {
      highest = Math.max(highest, (values.length - rank) * values[place]);
      adjusted[place] = Math.min(1, highest);
    });
    return adjusted;
  }

  function dunnett(values, degrees, { nodes, weights }) {
    if (values.length < 2) return [...values];
    const z = remembered("z", () => nodes.map(normalQuantile));
    const spreads = degrees.map((nu) =>
      remembered(`s ${nu}`, () => nodes.map((p) => chiSpread(p, nu))));
    return values.map((p) => {
      const inside = z.map(() => 1);
      degrees.forEach((nu, k) => {
        const limits = spreads[k].map((s) => Math.SQRT2 * tQuantile(p / 2, nu) * s);
        z.forEach((at, i) => {
          inside[i] *= limits.reduce((sum, limit, j) =>
            sum + weights[j] * (normal(limit - at) - normal(-limit - at)), 0);
        });
      });
      const outside = 1 - inside.reduce((sum, value, i) => sum + weights[i] * value, 0);
      return Math.min(1, Math.max(outside, p));
    });
  }

  // The chance that the t test at ALPHA / comparisons shows a difference, over the same nodes.
  function power(n, shift, comparisons, { nodes, weights }) {
    const critical = tQuantile(ALPHA / comparisons / 2, n - 1);
    const spreads = remembered(`s ${n - 1}`, () => nodes.map((p) => chiSpread(p, n - 1)));
    return spreads.reduce((sum, s, j) =>
      sum + weights[j] * (normal(shift - critical * s) + normal(-shift - critical * s)), 0);
  }
  function seedsToSeparate(found, comparisons, quadrature) {
    const effect = Math.abs(found.mean) / found.deviation;
    if (!(effect > 0)) return null;
    const enough = (n) => power(n, effect * Math.sqrt(n), comparisons, quadrature) >= 0.8;
    let high = 2;
    while (!enough(high)) if ((high *= 2) > 2000) return null;
    let low = high / 2;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (enough(middle)) high = middle; else low = middle;
    }
    return high;
  }

  function groupOf(behind, pAdjusted, margin, bothSides) {
    if (behind.high90 < margin && (!bothSides || behind.low90 > -margin)) return "tied";
    if (pAdjusted > ALPHA) return "unclear";
    if (behind.mean > 0) return "worse";
    return bothSides && behind.mean < 0 ? "best" : "unclear";
  }
  // A mean without its last digits: equal means keep the order of the table.
  const ranked = (value) => Number(value.toPrecision(12));
  const turned = (d) => ({ ...d, mean: -d.mean, low: -d.high, high: -d.low, low90: -d.high90,
    high90: -d.low90 });

  // question: { margin, higherIsBetter, baseline (or null), resolution (or null), limits }
  function compare(table, question, quadrature) {
    const sign = question.higherIsBetter ? 1 : -1;
    const all = table.values.map((row) => row.map((value) => (value === null ? null : sign * value)));
    const [lowest, highest] = question.limits ?? [-Infinity, Infinity];
    let rows = table.candidates.map((name, lane) => {
      const runs = table.ran[lane].filter(Boolean).length;
      const trained = all[lane].filter((value) => value !== null);
      const failures = runs - trained.length;
      const rate = runs ? failureRateLow(failures, runs) : null;
      const row = { name, n: runs, failures, failureRateLow: rate, mean: null, low: null,
        high: null, difference: null, pAdjusted: null, smallestMargin: null, moreSeeds: null,
        group: rate !== null && rate > TOLERANCE ? "unreliable" : "unclear" };
      if (!trained.length) return row;
      row.mean = mean(trained);
      if (trained.length === 1) return row;
      const same = Math.max(...trained) === Math.min(...trained);
      if (same) [row.mean] = trained;
      const spread = Math.max(same ? 0 : Math.sqrt(variance(trained)),
        (question.resolution ?? 0) / Math.sqrt(12));
      const half = tQuantile(0.025, trained.length - 1) * spread * Math.sqrt(1 / trained.length);
      row.low = Math.max(row.mean - half, lowest);
      row.high = Math.min(row.mean + half, highest);
      return row;
    });
    const asked = rows.map((_, lane) => lane).filter((lane) => rows[lane].mean !== null
      && (rows[lane].group !== "unreliable" || rows[lane].name === question.baseline));
    const pairs = [];
    asked.forEach((a, place) => asked.slice(place + 1).forEach((b) => {
      const names = [rows[a].name, rows[b].name];
      if (question.baseline !== null && !names.includes(question.baseline)) return;
      let found = null;
      if (table.paired) {
        const shared = all[a].map((_, seed) => seed)
          .filter((seed) => all[a][seed] !== null && all[b][seed] !== null);
        if (shared.length > 1) {
          found = paired(shared.map((s) => all[a][s]), shared.map((s) => all[b][s]), question.resolution);
        }
      } else {
        const [one, other] = [a, b].map((lane) => all[lane].filter((value) => value !== null));
        if (Math.min(one.length, other.length) > 1) found = welch(one, other, question.resolution);
      }
      if (found) pairs.push({ first: names[0], second: names[1], difference: found });
    }));
    const p = pairs.map((pair) => pair.difference.p);
    const adjusted = question.baseline === null ? holm(p)
      : dunnett(p, pairs.map((pair) => pair.difference.degrees), quadrature);
    pairs.forEach((pair, place) => { pair.pAdjusted = adjusted[place]; });
    const seen = (name, pair) => (pair.first === name ? pair.difference : turned(pair.difference));
    const reference = (() => {
      if (question.baseline !== null) {
        return pairs.length ? rows.find((row) => row.name === question.baseline) : null;
      }
      if (!pairs.length) {
        const alone = asked.length === 1 && rows.some((row) => row.group === "unreliable");
        const row = rows[asked[0]];
        return alone && row.n - row.failures > 1 ? row : null;
      }
      const compared = new Set(pairs.flatMap((pair) => [pair.first, pair.second]));
      const byMean = asked.map((lane) => rows[lane]).filter((row) => compared.has(row.name))
        .sort((a, b) => ranked(b.mean) - ranked(a.mean));
      const isBehind = (name) => pairs.some((pair) =>
        [pair.first, pair.second].includes(name) && seen(name, pair).mean < 0);
      return byMean.find((row) => !isBehind(row.name)) ?? byMean[0];
    })();
    if (reference) {
      rows = rows.map((row) => {
        if (row === reference) {
          const own = question.baseline === null ? "best" : "tied";
          return { ...row, difference: 0, group: row.group === "unreliable" ? row.group : own };
        }
        const pair = pairs.find(({ first, second }) =>
          [first, second].includes(row.name) && [first, second].includes(reference.name));
        if (!pair) return row;
        const behind = seen(reference.name, pair), bothSides = question.baseline !== null;
        const group = groupOf(behind, pair.pAdjusted, question.margin, bothSides);
        const needed = group === "unclear" && table.paired
          ? seedsToSeparate(behind, pairs.length, quadrature) : null;
        return { ...row, group, difference: 0 - behind.mean, differenceLow: -behind.high,
          differenceHigh: -behind.low, pAdjusted: pair.pAdjusted,
          smallestMargin: bothSides ? Math.max(behind.high90, -behind.low90) : behind.high90,
          moreSeeds: needed === null ? null : Math.max(needed - behind.n, 1) };
      });
    }
    const rank = (row) => [row.mean === null, row.group === "unreliable", row.group !== "best",
      -ranked(row.mean ?? 0)].map(Number);
    rows.sort((a, b) => {
      const [one, other] = [rank(a), rank(b)];
      const place = one.findIndex((value, index) => value !== other[index]);
      return place < 0 ? 0 : one[place] - other[place];
    });
    if (sign < 0) {
      rows = rows.map((row) => (row.mean === null ? row : { ...row, mean: -row.mean,
        low: row.high === null ? null : -row.high, high: row.low === null ? null : -row.low }));
    }
    return { candidates: rows, pairs, reference: reference?.name ?? null };
  }

  return { compare, groupOf, ALPHA };
})();

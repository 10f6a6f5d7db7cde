// Formulas that are typed into the page: read here, never evaluated as code. A value and its
// derivative are computed together, by the rules of actlab.activations.formula.

class FormulaFault extends Error {}

const SPELLINGS = {absolute: "abs", arcsinh: "asinh", fabs: "abs", fmax: "max", fmin: "min", arctan: "atan",
  clamp: "clip", expit: "sigmoid", ln: "log", logistic: "sigmoid", maximum: "max", minimum: "min"};
const MOST_LETTERS = 500;

const scaled = (factor, slope) => (slope === 0 ? 0 : factor * slope);

// Of one argument: the value at u, and the derivative there.
const ONE_ARGUMENT = {
  abs: [Math.abs, Math.sign], sign: [Math.sign, () => 0], floor: [Math.floor, () => 0],
  sqrt: [Math.sqrt, (u) => 0.5 / Math.sqrt(u)], exp: [Math.exp, Math.exp], expm1: [Math.expm1, Math.exp],
  log: [Math.log, (u) => 1 / u], log1p: [Math.log1p, (u) => 1 / (1 + u)],
  erf: [erf, (u) => 2 / Math.sqrt(Math.PI) * Math.exp(-u * u)],
  sin: [Math.sin, Math.cos], cos: [Math.cos, (u) => -Math.sin(u)], tan: [Math.tan, (u) => 1 + Math.tan(u) ** 2],
  atan: [Math.atan, (u) => 1 / (1 + u * u)], asinh: [Math.asinh, (u) => 1 / Math.sqrt(1 + u * u)],
  sinh: [Math.sinh, Math.cosh], cosh: [Math.cosh, Math.sinh], tanh: [Math.tanh, (u) => 1 - Math.tanh(u) ** 2],
  sigmoid: [sigmoid, (u) => sigmoid(u) * sigmoid(-u)], softplus: [softplus, sigmoid],
  relu: [(u) => Math.max(u, 0), (u) => (u > 0 ? 1 : 0)],
};

const OPERATORS = {
  "+": ([a, da], [b, db]) => [a + b, da + db],
  "-": ([a, da], [b, db]) => [a - b, da - db],
  "*": ([a, da], [b, db]) => [a * b, scaled(b, da) + scaled(a, db)],
  "/": ([a, da], [b, db]) => [a / b, db === 0 ? da / b : (da * b - a * db) / (b * b)],
  "**": ([a, da], [b, db]) => {
    const value = a ** b;
    if (db === 0) return [value, b === 0 ? 0 : scaled(b * a ** (b - 1), da)];
    return [value, value * (scaled(Math.log(a), db) + scaled(b / a, da))];
  },
};

const RELATIONS = {"<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b,
  "==": (a, b) => a === b, "!=": (a, b) => a !== b};

function tokensOf(text) {
  const found = [];
  const pattern = /\s*(?:(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)|([A-Za-z_]\w*)|(\*\*|<=|>=|==|!=|[-+*/^(),<>]))/iy;
  const bare = text.trimEnd();
  while (pattern.lastIndex < bare.length) {
    const at = pattern.lastIndex, match = pattern.exec(bare);
    if (!match) throw new FormulaFault(say(WORDS.formulaLetter, {letter: bare.slice(at).trim()[0], position: at + 1}));
    const [, number, name, sign] = match;
    found.push(number ? {number: Number(number)} : name ? {name} : {sign: sign === "^" ? "**" : sign});
  }
  return found;
}

// Returns {value(x, p), slope(x, p), parameters}: the names in the formula other than x.
function readFormula(text) {
  if (text.length > MOST_LETTERS) throw new FormulaFault(WORDS.formulaLong);
  const tokens = tokensOf(text), parameters = new Set();
  let place = 0, usesInput = false;
  const next = () => tokens[place] ?? {};
  const take = (sign) => next().sign === sign && Boolean(++place);
  const word = (name) => next().name === name && Boolean(++place);
  function expect(sign) {
    if (!take(sign)) throw new FormulaFault(say(WORDS.formulaExpected, {sign, found: shownToken()}));
  }
  function shownToken() {
    const {number, name, sign} = next();
    return String(number ?? name ?? sign ?? WORDS.formulaEnd);
  }

  function sum() {
    let left = product();
    for (;;) {
      const sign = ["+", "-"].find(take);
      if (!sign) return left;
      left = joined(sign, left, product());
    }
  }

  function product() {
    let left = signed();
    for (;;) {
      const sign = ["*", "/"].find(take);
      if (sign) left = joined(sign, left, signed());
      else if (next().name !== undefined && !["and", "or"].includes(next().name)) left = joined("*", left, power());
      else if (next().sign === "(") left = joined("*", left, power());
      else return left;
    }
  }

  function signed() {
    if (take("-")) {
      const operand = signed();
      return (x, p) => operand(x, p).map((part) => -part);
    }
    return take("+") ? signed() : power();
  }

  function power() {
    const base = atom();
    return take("**") ? joined("**", base, signed()) : base;
  }

  function joined(sign, left, right) {
    const act = OPERATORS[sign];
    return (x, p) => act(left(x, p), right(x, p));
  }

  function atom() {
    const {number, name} = next();
    if (number !== undefined) {
      place += 1;
      return () => [number, 0];
    }
    if (take("(")) {
      const inner = sum();
      expect(")");
      return inner;
    }
    if (name === undefined) throw new FormulaFault(say(WORDS.formulaExpected, {sign: "x", found: shownToken()}));
    place += 1;
    return next().sign === "(" && isFunction(name) ? call(SPELLINGS[name] ?? name) : named(name);
  }

  const isWord = (name) => name in ONE_ARGUMENT || ["clip", "max", "min", "where"].includes(name);
  const isFunction = (name) => isWord(SPELLINGS[name] ?? name) || Boolean(FORMULAS[name]);

  function named(name) {
    if (name === "x") {
      usesInput = true;
      return (x) => [x, 1];
    }
    if (name === "pi") return () => [Math.PI, 0];
    if (name === "e") return () => [Math.E, 0];
    if (isWord(SPELLINGS[name] ?? name)) throw new FormulaFault(say(WORDS.formulaExpected, {sign: "(", found: shownToken()}));
    parameters.add(name);
    return (_x, p) => [p[name], 0];
  }

  function condition() {
    let left = both();
    while (word("or")) {
      const first = left, second = both();
      left = (x, p) => first(x, p) || second(x, p);
    }
    return left;
  }

  function both() {
    let left = comparison();
    while (word("and")) {
      const first = left, second = comparison();
      left = (x, p) => first(x, p) && second(x, p);
    }
    return left;
  }

  function comparison() {
    const start = place;
    if (take("(")) {
      try {
        const inner = condition();
        expect(")");
        return inner;
      } catch (fault) {
        if (!(fault instanceof FormulaFault)) throw fault;
        place = start;
      }
    }
    const left = sum(), relation = Object.keys(RELATIONS).find(take);
    if (!relation) throw new FormulaFault(say(WORDS.formulaExpected, {sign: ">", found: shownToken()}));
    const right = sum(), act = RELATIONS[relation];
    return (x, p) => act(left(x, p)[0], right(x, p)[0]);
  }

  function call(name) {
    expect("(");
    if (name === "where") {
      const choice = condition();
      expect(",");
      const then = sum();
      expect(",");
      const otherwise = sum();
      expect(")");
      return (x, p) => (choice(x, p) ? then : otherwise)(x, p);
    }
    const given = [sum()];
    while (take(",")) given.push(sum());
    expect(")");
    const wanted = name === "clip" ? [3, 3] : ["max", "min"].includes(name) ? [2, 8] : [1, 1];
    if (given.length < wanted[0] || given.length > wanted[1]) {
      throw new FormulaFault(say(WORDS.formulaArguments, {name, wanted: wanted[0], given: given.length}));
    }
    if (name === "clip") {
      return (x, p) => {
        const [inner, low, high] = given.map((part) => part(x, p));
        return inner[0] < low[0] ? low : inner[0] > high[0] ? high : inner;
      };
    }
    if (name === "max" || name === "min") {
      const better = name === "max" ? (a, b) => a >= b : (a, b) => a <= b;
      return (x, p) => given.map((part) => part(x, p)).reduceRight((rest, one) => (better(one[0], rest[0]) ? one : rest));
    }
    const [inner] = given;
    if (name in ONE_ARGUMENT) {
      const [value, slope] = ONE_ARGUMENT[name];
      return (x, p) => {
        const [u, du] = inner(x, p);
        return [value(u), du === 0 ? 0 : slope(u) * du];
      };
    }
    const formula = FORMULAS[name], usual = defaults(name);
    return (x, p) => {
      const [u, du] = inner(x, p);
      return [formula.value(u, usual), du === 0 ? 0 : formula.slope(u, usual) * du];
    };
  }

  const whole = sum();
  if (place < tokens.length) throw new FormulaFault(say(WORDS.formulaExpected, {sign: WORDS.formulaEnd, found: shownToken()}));
  if (!usesInput) throw new FormulaFault(WORDS.formulaInput);
  return {value: (x, p) => whole(x, p)[0], slope: (x, p) => whole(x, p)[1], parameters: [...parameters]};
}

// Norms: how values are spread over the colours. Pure.

export const NORMS = {
  linear: "linear",
  log: "logarithmic, above zero",
  symlog: "logarithmic to both sides",
  logit: "logit of the place in the scale",
};

/** Logarithmic scales end this many times below their top. */
const DECADES = 1000;
/** Within this share of the top, a symmetric logarithmic scale is as good as linear. */
const LINEAR_PART = 0.01;
/** Logit stretches both ends without limit, and is cut off here. */
const EDGE = 0.01;

/**
 * The values at the ends of a norm's colours, given those of the linear scale.
 * @param {string} norm a key of NORMS
 * @param {{low: number, high: number}} ends high is above zero
 */
export function normEnds(norm, ends) {
  return norm === "log" ? { low: ends.high / DECADES, high: ends.high } : ends;
}

/**
 * @param {string} norm a key of NORMS
 * @param {{low: number, high: number}} ends as normEnds gives them
 * @returns {(value: number) => number} the place of a value, 0 at low and 1 at high; values beyond
 *   the ends are held there
 */
export function placer(norm, { low, high }) {
  const linear = (value) => hold((value - low) / (high - low), 0, 1);
  if (norm === "log") {
    return (value) => (value <= low ? 0 : hold(Math.log(value / low) / Math.log(high / low), 0, 1));
  }
  if (norm === "symlog") {
    const bend = high * LINEAR_PART;
    const shape = (value) => Math.sign(value) * Math.log1p(Math.abs(value) / bend);
    const [bottom, top] = [shape(low), shape(high)];
    return (value) => hold((shape(value) - bottom) / (top - bottom), 0, 1);
  }
  if (norm === "logit") {
    return (value) => {
      const place = hold(linear(value), EDGE, 1 - EDGE);
      return hold(0.5 + logit(place) / (2 * logit(1 - EDGE)), 0, 1);
    };
  }
  return linear;
}

/** The value at a place between 0 and 1: the inverse of placer, found by halving. */
export function valueAt(norm, ends, place) {
  const at = placer(norm, ends);
  let { low, high } = ends;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (at(middle) < place) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function logit(place) {
  return Math.log(place / (1 - place));
}

function hold(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

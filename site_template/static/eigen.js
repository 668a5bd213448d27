// Eigenvectors of a symmetric matrix: Householder's tridiagonal form, then QR steps with
// Wilkinson's shift, which always converge (Golub and Van Loan, "Matrix computations", chapter 8).
// Pure.

/**
 * The eigenvectors with the largest eigenvalues.
 * @param {Float64Array[]} rows of the matrix; are overwritten
 * @param {number} count how many
 * @returns {{value: number, vector: Float64Array}[]} unit vectors, largest eigenvalue first
 */
export function largestEigenvectors(rows, count) {
  const { diagonal, beside, reflectors } = tridiagonal(rows);
  const undo = diagonalise(diagonal, beside).reverse();
  const order = [...diagonal.keys()].sort((a, b) => diagonal[b] - diagonal[a] || a - b);
  return order.slice(0, count).map((i) => {
    const vector = new Float64Array(rows.length);
    vector[i] = 1;
    for (const { k, c, s } of undo) {
      const [x, y] = [vector[k], vector[k + 1]];
      vector[k] = c * x - s * y;
      vector[k + 1] = s * x + c * y;
    }
    for (const reflector of reflectors) {
      const twice = 2 * dot(reflector, vector);
      for (let j = 0; j < vector.length; j++) vector[j] -= twice * reflector[j];
    }
    return { value: diagonal[i], vector };
  });
}

/** The scalar product. */
export function dot(one, other, from = 0) {
  let sum = 0;
  for (let i = from; i < one.length; i++) sum += one[i] * other[i];
  return sum;
}

/**
 * The tridiagonal matrix with the same eigenvalues, its diagonal and what is beside that, and the
 * unit vectors of the reflections that made it, last first.
 */
function tridiagonal(rows) {
  const size = rows.length;
  const beside = new Float64Array(size);
  const reflectors = [];
  for (let k = 0; k < size - 1; k++) {
    const reflector = rows[k].slice().fill(0, 0, k + 1);
    const length = Math.sqrt(dot(reflector, reflector));
    if (length === 0) continue;
    beside[k] = reflector[k + 1] > 0 ? -length : length;
    reflector[k + 1] -= beside[k]; // signs differ, so that nothing cancels
    const norm = Math.sqrt(dot(reflector, reflector));
    for (let i = k + 1; i < size; i++) reflector[i] /= norm;
    reflectors.unshift(reflector);
    reflect(rows, reflector, k + 1);
  }
  return { diagonal: Float64Array.from(rows, (row, i) => row[i]), beside, reflectors };
}

/** (1 − 2 v vᵀ) A (1 − 2 v vᵀ) = A − 2 v wᵀ − 2 w vᵀ with w = A v − (vᵀ A v) v; v is 0 before `from`. */
function reflect(rows, v, from) {
  const w = new Float64Array(rows.length);
  for (let i = from; i < rows.length; i++) w[i] = dot(rows[i], v, from);
  const product = dot(v, w);
  for (let i = from; i < rows.length; i++) w[i] -= product * v[i];
  for (let i = from; i < rows.length; i++) {
    const row = rows[i];
    const [a, b] = [2 * v[i], 2 * w[i]];
    for (let j = from; j < rows.length; j++) row[j] -= a * w[j] + b * v[j];
  }
}

/** Turn a tridiagonal matrix into a diagonal one; return the rotations that did it. */
function diagonalise(diagonal, beside) {
  const largest = diagonal.reduce((most, value, i) => Math.max(most, Math.abs(value), Math.abs(beside[i])), 0);
  const isZero = (value) => !(Math.abs(value) > Number.EPSILON * largest); // NaN is, so that this ends
  const rotations = [];
  for (let last = diagonal.length - 1; last > 0; ) {
    let first = last;
    while (first > 0 && !isZero(beside[first - 1])) first--;
    if (first === last) last--;
    else step(diagonal, beside, first, last, rotations);
  }
  return rotations;
}

/** One implicit QR step on the rows `first` to `last`. */
function step(diagonal, beside, first, last, rotations) {
  const half = (diagonal[last - 1] - diagonal[last]) / 2;
  const corner = beside[last - 1];
  const root = Math.sqrt(half * half + corner * corner);
  const shift = diagonal[last] - (corner * corner) / (half < 0 ? half - root : half + root);
  let x = diagonal[first] - shift;
  let z = beside[first];
  for (let k = first; k < last; k++) {
    const length = Math.sqrt(x * x + z * z);
    const [c, s] = length > 0 ? [x / length, z / length] : [1, 0];
    const [a, b, d] = [diagonal[k], beside[k], diagonal[k + 1]];
    if (k > first) beside[k - 1] = length;
    diagonal[k] = c * c * a + 2 * c * s * b + s * s * d;
    diagonal[k + 1] = s * s * a - 2 * c * s * b + c * c * d;
    beside[k] = c * s * (d - a) + (c * c - s * s) * b;
    x = beside[k];
    z = s * beside[k + 1];
    if (k + 1 < last) beside[k + 1] *= c;
    rotations.push({ k, c, s });
  }
}

// Numbers with as many digits as the contracts give them. Pure.

/** Significant digits after which a decimal number names one float32 and no other. */
export const EXACT = 9;
export const READABLE = 6;

/** Powers of ten that a double holds exactly. */
const POWERS = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** A double this large has no digits behind the point: adding it rounds, half to even. */
const WHOLE = 1.5 * 2 ** 52;

/** The number with `digits` significant digits, a half to even. */
export function rounded(value, digits) {
  if (value === 0) return 0;
  const places = digits - 1 - Math.floor(Math.log10(Math.abs(value)));
  if (places > 22) return value;
  const up = POWERS[Math.max(0, places)];
  const down = POWERS[Math.min(22, Math.max(0, -places))];
  return (((value * up) / down + WHOLE - WHOLE) * down) / up;
}

// Numbers as people read them. Pure.

/** Three significant digits, a true minus sign, no exponent where it can be helped. */
export function readable(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(2).replaceAll("-", "−");
  const rounded = Number(size.toPrecision(3)); // 9.996 is 10.0, not 10.00
  const digits = Math.max(0, 2 - Math.floor(Math.log10(rounded)));
  return value.toFixed(digits).replace("-", "−");
}

/** As readable, with a plus sign before what is above zero. */
export function signed(value) {
  return value > 0 ? `+${readable(value)}` : readable(value);
}

/** A share between 0 and 1 in per cent. */
export function percent(share) {
  const value = share * 100;
  if (value >= 1 || value === 0) return `${value.toFixed(0)} %`;
  return value >= 0.1 ? `${value.toFixed(1)} %` : "< 0.1 %";
}

/** A whole number with thin spaces between thousands. */
export function grouped(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** How many there are of something: "1 photo", "2 photos". */
export function counted(number, noun) {
  return `${grouped(number)} ${noun}${number === 1 ? "" : "s"}`;
}

// Choices of a page and how they are written in its address. Pure.

/**
 * @param {string} search the query of an address, with or without its "?"
 * @param {Object<string, string[]>} allowed what can be chosen under each name, the default first
 * @returns {Object<string, string>} a choice for each name: the default where none that exists is
 *   given
 */
export function readChoices(search, allowed) {
  const given = new URLSearchParams(search);
  return Object.fromEntries(
    Object.entries(allowed).map(([name, values]) => [name, values.includes(given.get(name)) ? given.get(name) : values[0]]),
  );
}

/**
 * The inverse of readChoices; only what differs from the default is named.
 * @returns {string} with its "?", or empty
 */
export function writeChoices(choices, allowed) {
  const named = Object.entries(allowed).filter(([name, values]) => choices[name] !== values[0]);
  const query = new URLSearchParams(named.map(([name]) => [name, choices[name]]));
  return named.length ? `?${query}` : "";
}

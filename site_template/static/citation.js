// A view in words, to quote, and in HTML, to show elsewhere. Pure.

/**
 * @param {{channel: number, layer: {name: string, signed: boolean}, entry: {title: string,
 *   author: string, licence: string}, model: string, weights: string, site: string,
 *   address: string, seen: Date}} view
 * @returns {string} one line that says what is seen, on what, by whom, where and when
 */
export function citation({ channel, layer, entry, model, weights, site, address, seen }) {
  const kind = layer.signed ? "signed" : "zero or more";
  const rights = [entry.author, entry.licence].filter(Boolean).join(", ");
  const photo = `“${entry.title}”${rights ? ` (${rights})` : ""}`;
  const date = seen.toISOString().slice(0, 10);
  return `Channel ${channel} of ${layer.name} (${kind}) of ${model} with ${weights}, on the photo ${photo}. In: ${site}. ${address} (seen ${date})`;
}

/**
 * @param {string} address of the page to show
 * @param {string} title
 * @param {number} height pixels
 * @returns {string} an iframe
 */
export function embedding(address, title, height) {
  const safe = (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
  return `<iframe src="${safe(address)}" title="${safe(title)}" width="400" height="${height}" loading="lazy"></iframe>`;
}

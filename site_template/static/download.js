// Files that are worth keeping: fetched with their progress, checked, and kept by the browser.

/** What stands in the way of a visitor's own photo, in a sentence for the visitor. */
export class LoadFault extends Error {}

/**
 * Fetch a file, or take the copy that an earlier visit kept.
 * @param {{url: string, bytes: number, sha256: string, inflated: ?string}} file; inflated is the
 *   hash of what comes where a server unpacks it on the way
 * @param {string} shelf name of the cache; files under other hashes are left alone
 * @param {(bytes: number) => void} onBytes told how much of it has come, now and then
 * @returns {Promise<ArrayBuffer>}
 * @throws {LoadFault} where it cannot be had whole
 */
export async function download({ url, bytes, sha256, inflated }, shelf, onBytes) {
  const hashes = [sha256, inflated].filter(Boolean);
  // The hash stands in the address, so that no cache on the way hands out what an older build left.
  const address = `${url}?${sha256.slice(0, 16)}`;
  const cache = await open(shelf);
  const kept = await keptIn(cache, address);
  if (kept && hashes.includes(await hash(kept))) {
    onBytes(bytes);
    return kept;
  }
  const canHash = Boolean(globalThis.crypto?.subtle);
  // What is kept here need not be kept a second time, and a damaged copy not at all.
  const options = cache ? { cache: "no-store" } : {};
  const content = canHash ? await withProgress(address, bytes, options, onBytes) : await checkedByBrowser(address, hashes);
  if (canHash && !hashes.includes(await hash(content))) {
    throw new LoadFault(`${name(url)} is not the file that this page was made with. Reload the page; if that does not help, the site has to be published again.`);
  }
  onBytes(bytes);
  // A full disk, or a private window, keeps nothing: then it is fetched again next time.
  await cache?.put(address, new Response(content)).catch(() => {});
  return content;
}

/** Forget what earlier builds of the site kept. */
export async function keepOnly(files, shelf) {
  const cache = await open(shelf);
  if (!cache) return;
  const wanted = new Set(files.map(({ url, sha256 }) => `${url}?${sha256.slice(0, 16)}`));
  try {
    for (const { url } of await cache.keys()) if (!wanted.has(url)) await cache.delete(url);
  } catch {
    // What cannot be forgotten does no harm.
  }
}

/** The cache, or null: pages without https have none, and some browsers close it. */
async function open(shelf) {
  try {
    return await caches.open(shelf);
  } catch {
    return null;
  }
}

/** What lies in the cache; null where nothing does that can be read. */
async function keptIn(cache, address) {
  try {
    return await (await cache.match(address)).arrayBuffer();
  } catch {
    return null;
  }
}

async function withProgress(address, bytes, options, onBytes) {
  const response = await reach(address, options);
  const parts = [];
  let come = 0;
  try {
    for (const reader = response.body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      come += value.length;
      onBytes(Math.min(come, bytes)); // more comes where the server unpacks it
    }
  } catch {
    throw brokenOff(address, come, bytes);
  }
  if (come < bytes) throw brokenOff(address, come, bytes);
  return new Blob(parts).arrayBuffer();
}

/** Without https a page can compute no hash; the browser can, but tells nothing on the way. */
async function checkedByBrowser(address, hashes) {
  const digest = (hash) => btoa(hash.match(/../g).map((pair) => String.fromCharCode(Number.parseInt(pair, 16))).join(""));
  const integrity = hashes.map((hash) => `sha256-${digest(hash)}`).join(" ");
  const ask = (cache) => reach(address, { cache, integrity });
  // What the browser's own cache kept may be what is damaged.
  return (await ask("default").catch(() => ask("reload"))).arrayBuffer();
}

/** @throws {LoadFault} where nothing comes, or something else */
export async function reach(address, options) {
  let response;
  try {
    response = await fetch(address, options);
  } catch {
    throw new LoadFault(`${name(address)} cannot be reached. Check the connection and try again.`);
  }
  // Some hosts answer with a page, and call that a success.
  const isPage = response.headers.get("Content-Type")?.startsWith("text/html");
  if (!response.ok || isPage) throw new LoadFault(`${name(address)} is missing from this site (${response.ok ? "a web page comes instead" : response.status}): it has to be published again.`);
  return response;
}

function brokenOff(address, come, bytes) {
  return new LoadFault(`The download of ${name(address)} broke off after ${megabytes(come)} of ${megabytes(bytes)} MB. Check the connection and try again.`);
}

/** @returns {string} bytes as megabytes with one place */
export function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1);
}

/** @returns {string} name of the file at an address */
export function name(url) {
  return new URL(url).pathname.split("/").at(-1);
}

async function hash(content) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

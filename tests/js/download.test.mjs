import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { beforeEach, test } from "node:test";

import { LoadFault, download, keepOnly } from "../../site_template/static/download.js";

const CONTENT = new TextEncoder().encode("the weights of a network");
const UNPACKED = new TextEncoder().encode("the same, unpacked by the server on the way to the browser");
const hashOf = (bytes) => createHash("sha256").update(bytes).digest("hex");
const FILE = { url: "https://site.test/project/model.onnx", bytes: CONTENT.length, sha256: hashOf(CONTENT), inflated: null };
const ADDRESS = `${FILE.url}?${FILE.sha256.slice(0, 16)}`;

let shelves; // name to address to Response
let asked; // fetches: address and options
let answer; // what the server says
let told; // bytes, in the order in which they were told

/** Cache Storage as far as it is used; `faults` names what fails. */
function storage(faults = []) {
  const guarded = (methods) =>
    Object.fromEntries(Object.entries(methods).map(([name, run]) => [name, async (...of) => {
      if (faults.includes(name)) throw new DOMException("no", "QuotaExceededError");
      return run(...of);
    }]));
  return guarded({
    open(shelf) {
      if (!shelves.has(shelf)) shelves.set(shelf, new Map());
      const kept = shelves.get(shelf);
      return guarded({
        match: (address) => kept.get(address)?.clone(),
        put: (address, response) => void kept.set(address, response),
        delete: (address) => kept.delete(address),
        keys: () => [...kept.keys()].map((url) => ({ url })),
      });
    },
  });
}

beforeEach(() => {
  [shelves, asked, told] = [new Map(), [], []];
  answer = () => new Response(CONTENT);
  globalThis.caches = storage();
  globalThis.fetch = async (address, options) => {
    asked.push({ address, options });
    return answer();
  };
});

async function had(file = FILE) {
  return new Uint8Array(await download(file, "shelf", (bytes) => told.push(bytes)));
}

/** A response whose body comes in these parts, and then breaks if `fault` is given. */
function inParts(parts, fault) {
  return new Response(new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
    },
    pull: (controller) => (fault ? controller.error(fault) : controller.close()),
  }));
}

test("a file is fetched under its hash, checked, told as it comes, and kept", async () => {
  answer = () => inParts([CONTENT.slice(0, 5), CONTENT.slice(5)]);
  assert.deepEqual(await had(), CONTENT);
  assert.deepEqual(asked, [{ address: ADDRESS, options: { cache: "no-store" } }]);
  assert.deepEqual(told.slice(0, 2), [5, CONTENT.length]);
  assert.equal(told.at(-1), FILE.bytes);
  assert.deepEqual([...shelves.get("shelf").keys()], [ADDRESS]);
});

test("what is kept is not fetched again, unless it is damaged", async () => {
  await had();
  told.length = 0;
  assert.deepEqual(await had(), CONTENT);
  assert.equal(asked.length, 1);
  assert.deepEqual(told, [FILE.bytes]);
  shelves.get("shelf").set(ADDRESS, new Response("rotten"));
  assert.deepEqual(await had(), CONTENT);
  assert.equal(asked.length, 2);
  assert.deepEqual(await had(), CONTENT, "the whole copy took its place");
  assert.equal(asked.length, 2);
});

test("another file of the same length is refused and not kept", async () => {
  answer = () => new Response(CONTENT.toReversed());
  await assert.rejects(had(), (error) => error instanceof LoadFault && /model\.onnx is not the file/.test(error.message));
  assert.equal(shelves.get("shelf").size, 0);
});

test("a server may unpack a file on the way, to what it is known to hold", async () => {
  const packed = { ...FILE, inflated: hashOf(UNPACKED) };
  answer = () => new Response(UNPACKED);
  assert.deepEqual(await had(packed), UNPACKED);
  assert.ok(Math.max(...told) <= FILE.bytes, "more than all cannot have come");
  assert.deepEqual(await had(packed), UNPACKED);
  assert.equal(asked.length, 1, "it is kept as it came");
  await assert.rejects(had({ ...packed, sha256: hashOf("x"), inflated: hashOf("y") }), LoadFault);
  await assert.rejects(had({ ...FILE, sha256: hashOf("x") }), LoadFault);
});

test("without a cache, or with one that fails at everything, files are had all the same", async () => {
  for (const faults of [["open"], ["match", "put", "delete", "keys"]]) {
    globalThis.caches = storage(faults);
    assert.deepEqual(await had(), CONTENT);
    await keepOnly([FILE], "shelf");
  }
  delete globalThis.caches; // as without https
  assert.deepEqual(await had(), CONTENT);
  await keepOnly([FILE], "shelf");
  assert.deepEqual(asked.at(-1).options, {}, "then the browser's own cache may keep it");
});

test("where the page can compute no hash, the browser checks it", async () => {
  const real = Object.getOwnPropertyDescriptor(globalThis, "crypto");
  Object.defineProperty(globalThis, "crypto", { value: {}, configurable: true });
  delete globalThis.caches;
  answer = () => (asked.length === 1 ? Promise.reject(new TypeError("integrity")) : new Response(CONTENT));
  try {
    assert.deepEqual(await had({ ...FILE, inflated: hashOf(UNPACKED) }), CONTENT);
  } finally {
    Object.defineProperty(globalThis, "crypto", real);
  }
  const inBase64 = (hash) => `sha256-${Buffer.from(hash, "hex").toString("base64")}`;
  const integrity = `${inBase64(FILE.sha256)} ${inBase64(hashOf(UNPACKED))}`;
  // A damaged copy in the browser's own cache does not stand in the way.
  assert.deepEqual(asked.map(({ options }) => options), [{ cache: "default", integrity }, { cache: "reload", integrity }]);
  assert.deepEqual(told, [FILE.bytes]);
});

test("what stands in the way is told", async () => {
  const page = { headers: { "Content-Type": "text/html; charset=utf-8" } };
  for (const [given, says] of [
    [() => new Response("", { status: 404 }), /^model\.onnx is missing from this site \(404\)/],
    [() => new Response("<!doctype html>", page), /^model\.onnx is missing from this site \(a web page comes instead\)/],
    [() => Promise.reject(new TypeError("Failed to fetch")), /^model\.onnx cannot be reached/],
    [() => new Response(CONTENT.slice(1)), /^The download of model\.onnx broke off after 0\.0 of 0\.0 MB/],
    [() => inParts([CONTENT], new TypeError("reset")), /broke off/],
  ]) {
    answer = given;
    await assert.rejects(had(), (error) => error instanceof LoadFault && says.test(error.message));
    assert.equal(shelves.get("shelf").size, 0);
  }
});

test("what earlier builds kept is forgotten, and nothing else", async () => {
  await had();
  shelves.get("shelf").set(`${FILE.url}?0123456789abcdef`, new Response("old"));
  shelves.set("another site's", new Map([["https://site.test/other", new Response("x")]]));
  await keepOnly([FILE], "shelf");
  assert.deepEqual([...shelves.get("shelf").keys()], [ADDRESS]);
  assert.equal(shelves.get("another site's").size, 1);
});

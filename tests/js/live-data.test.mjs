import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

/** Stands for the worker: what it was asked, and answers that are given by hand. */
class Hand {
  static last;
  asked = [];
  isOver = false;
  #hear = {};

  constructor(url, options) {
    Object.assign(this, { url, options });
    Hand.last = this;
  }

  addEventListener(kind, hear) {
    this.#hear[kind] = hear;
  }

  postMessage(message) {
    this.asked.push(message);
  }

  terminate() {
    this.isOver = true;
  }

  say(data) {
    this.#hear.message({ data });
  }

  break(message) {
    this.#hear.error({ message, preventDefault() {} });
  }

  /** Answer all questions of a kind. */
  answer(ask, value) {
    for (const { id } of this.asked.filter((one) => one.ask === ask)) this.say({ id, value });
  }
}

globalThis.Worker = Hand;
const { Computer, LiveData, OWN } = await import("../../site_template/static/live-data.js");

const FIGURES = { layer: "relu", low: [0, 0], high: [3, 0], row: [1, 0], column: [2, 0] };
const PEAKS = { images: ["cat"], image: [[0], []], value: [[2], []], row: [[0], []], column: [[0], []] };
const GALLERY = {
  model: async () => ({ photos: 24, layers: ["relu"] }),
  of: (image) => `gallery's ${image}`,
  ranking: async () => PEAKS,
  shared: async () => ({ basis: "the shared basis" }),
  inputOf: (image) => `${image}/_input.png`,
};
const PIXELS = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
const FILE = new Blob(["a photo"]);

let computer, worker;

beforeEach(() => {
  computer = new Computer();
  worker = Hand.last;
});

function opened(title = "Cat", evidence = ["some"]) {
  const data = new LiveData({ computer, gallery: GALLERY, rounding: 0.25 }, FILE, title);
  const { id, of } = worker.asked.at(-1);
  const entry = { title, width: 4, evidence, sheets: [{ layer: "conv" }, { layer: "relu" }] };
  worker.say({ id, value: { entry, pixels: PIXELS, seconds: 0.5 } });
  return { data, photo: of.photo };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

test("answers go to whom has asked, whatever their order", async () => {
  const told = [];
  const first = computer.ask("load", { of: 1 }, (progress) => told.push(progress));
  const second = computer.ask("open");
  const [{ id: one }, { id: two }] = worker.asked;
  assert.deepEqual(worker.asked[0], { id: one, ask: "load", of: { of: 1 } });
  worker.say({ id: one, progress: { come: 1 } });
  worker.say({ id: two, progress: { come: 9 } });
  worker.say({ id: two, value: "b" });
  worker.say({ id: one, progress: { come: 2 } });
  worker.say({ id: one, value: undefined });
  assert.deepEqual([await first, await second], [undefined, "b"]);
  assert.deepEqual(told, [{ come: 1 }, { come: 2 }]);
  assert.equal(worker.options.type, "module");
});

test("a fault reaches whom has asked, with whether all is lost", async () => {
  for (const isFatal of [true, false]) {
    const asked = computer.ask("open");
    worker.say({ id: worker.asked.at(-1).id, fault: "no photo", isFatal });
    await assert.rejects(asked, (error) => error.message === "no photo" && error.isFatal === isFatal);
  }
});

test("a stopped computer works no more and tells everybody why", async () => {
  const waiting = [computer.ask("open"), computer.ask("sheet")];
  computer.stop(new Error("cancelled"));
  assert.ok(worker.isOver);
  for (const one of [...waiting, computer.ask("strip")]) await assert.rejects(one, /cancelled/);
  assert.equal(worker.asked.length, 2);
});

test("a worker that breaks is stopped, and all is lost", async () => {
  const waiting = computer.ask("load");
  worker.break("");
  await assert.rejects(waiting, (error) => error.isFatal && /could not be loaded/.test(error.message));
  assert.ok(worker.isOver);
});

test("a photo is asked for under its own number, and given back under it", async () => {
  const [one, two] = [opened("One"), opened("Two")];
  assert.notEqual(one.photo, two.photo);
  assert.equal((await one.data.entry()).title, "One");
  one.data.sheet({ layer: "relu" });
  two.data.sheet({ layer: "relu" });
  assert.deepEqual(worker.asked.slice(-2).map(({ of }) => of), [{ layer: "relu", photo: one.photo }, { layer: "relu", photo: two.photo }]);
  one.data.close();
  assert.deepEqual(worker.asked.at(-1), { id: worker.asked.at(-1).id, ask: "close", of: { photo: one.photo } });
});

test("its pictures are given back with it, and one that comes too late is too", async () => {
  const held = new Set();
  const [make, revoke] = [URL.createObjectURL, URL.revokeObjectURL];
  URL.createObjectURL = (blob) => {
    held.add(make(blob));
    return [...held].at(-1);
  };
  URL.revokeObjectURL = (url) => held.delete(url) && revoke(url);
  try {
    const { data } = opened();
    const { photo, input } = await data.entry();
    assert.deepEqual([...held], [photo, input]);
    const strip = data.strip();
    data.close();
    assert.equal(held.size, 0);
    worker.answer("strip", [Uint8Array.of(1, 2, 3, 4)]);
    await strip;
    assert.equal(held.size, 0);
  } finally {
    Object.assign(URL, { createObjectURL: make, revokeObjectURL: revoke });
  }
});

test("everything is asked for once, and again after a fault", async () => {
  const { data } = opened();
  const count = (ask) => worker.asked.filter((one) => one.ask === ask).length;
  const failing = data.sheet({ layer: "relu" });
  const same = data.figures({ layer: "relu" });
  assert.equal(count("sheet"), 1);
  worker.say({ id: worker.asked.at(-1).id, fault: "broken", isFatal: true });
  await assert.rejects(failing, /broken/);
  await assert.rejects(same, /broken/);
  data.sheet({ layer: "relu" });
  data.sheet({ layer: "conv" });
  assert.equal(count("sheet"), 3, "once more, and another layer");
});

test("figures complete the sheet of their layer", async () => {
  const { data } = opened();
  const figures = data.figures({ layer: "relu" });
  worker.answer("sheet", { grey: "grey", figures: FIGURES, range: { low: 0, high: 3, scale: 2.5 } });
  assert.equal(await figures, FIGURES);
  const { sheets } = await data.entry();
  assert.deepEqual(sheets, [{ layer: "conv" }, { layer: "relu", low: 0, high: 3, scale: 2.5 }]);
  const whole = data.wholeFigures({ layer: "relu" });
  worker.answer("summary", { pixels: "both", mean_low: 1, mean_high: 2, max_low: 3, max_high: 4 });
  worker.answer("components", { pixels: "three", low: [0], high: [1], explained: [0.5] });
  assert.deepEqual(await whole, { ...FIGURES, mean_low: 1, mean_high: 2, max_low: 3, max_high: 4, pca: { low: [0], high: [1], explained: [0.5] } });
});

test("it stands among the photos of the gallery, which stay theirs", async () => {
  const { data } = opened();
  assert.equal((await data.model()).photos, 25);
  assert.equal(data.of(OWN), data);
  assert.equal(data.of("cat"), "gallery's cat");
  assert.equal(data.inputOf("cat"), "cat/_input.png");
  const { input } = await data.entry();
  assert.equal(data.inputOf(OWN), input);
  const ranking = data.ranking({ name: "relu", signed: false }, 0);
  worker.answer("sheet", { figures: FIGURES, range: {} });
  assert.deepEqual(await ranking, { images: ["cat", OWN], image: [[1, 0], []], value: [[3, 2], []], row: [[1, 0], []], column: [[2, 0], []] });
  assert.equal(data.isPublished, false);
  assert.equal(data.rounding, 0.25);
});

test("the shared basis is the gallery's", async () => {
  const { data } = opened();
  data.sharedComponents({ name: "relu", width: 1, height: 1 });
  await settled();
  assert.deepEqual(worker.asked.at(-1).of.basis, "the shared basis");
});

test("contributions are asked for where there is evidence", async () => {
  const { data } = opened();
  await data.entry();
  const asked = data.contributions({ answers: [{ category: 3 }] });
  worker.answer("contributions", "values");
  assert.equal(await asked, "values");
  const { data: without } = opened("No classifier", []);
  await without.entry();
  assert.equal(without.contributions({ answers: [] }), null);
});

test("what the network saw is opaque, and the first component is the red one", async () => {
  const { data } = opened();
  assert.deepEqual([...(await data.input())], [1, 2, 3, 255, 4, 5, 6, 255, 7, 8, 9, 255, 10, 11, 12, 255]);
  const red = data.firstComponent({ layer: "relu" });
  worker.answer("components", { pixels: Uint8Array.of(10, 20, 30, 40, 50, 60) });
  assert.deepEqual([...(await red)], [10, 40]);
});

test("the depth strip has the layers side by side", async () => {
  const { data } = opened();
  const strip = data.strip();
  worker.answer("strip", [Uint8Array.of(1, 2, 3, 4), Uint8Array.of(5, 6, 7, 8)]);
  const bytes = new Uint8Array(await (await fetch(await strip)).arrayBuffer());
  const rows = [...bytes.slice(54)].filter((_, i) => i % 3 === 0);
  assert.deepEqual(rows, [1, 2, 5, 6, 3, 4, 7, 8]);
});

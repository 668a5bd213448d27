/**
 * Runs an ONNX file with the runtime as the site publishes it, and gives out every output.
 *
 *     node run-model.mjs RUNTIME MODEL SIDE
 *
 * RUNTIME is the folder of the runtime. Standard input is any number of pictures, each float32
 * (3, SIDE, SIDE), little-endian like all numbers here. Standard output is one line of JSON, the
 * names of the outputs; then for each picture the float32 values of each.
 */

import { readFile } from "node:fs/promises";
import { stdin, stdout } from "node:process";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";

const [folder, model, side] = process.argv.slice(2);
const runtime = pathToFileURL(`${folder}/`);
const ort = await import(new URL("ort.wasm.min.mjs", runtime));
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmBinary = gunzipSync(
    await readFile(new URL("ort-wasm-simd-threaded.wasm.gz", runtime)),
);

/** @param {Uint8Array} bytes */
const write = (bytes) => new Promise((resolve) => stdout.write(bytes, resolve));

/** Yield standard input in pieces of `size` bytes. */
async function* pieces(size) {
    let held = Buffer.alloc(0);
    for await (const chunk of stdin) {
        held = Buffer.concat([held, chunk]);
        while (held.length >= size) {
            yield held.subarray(0, size);
            held = held.subarray(size);
        }
    }
}

const session = await ort.InferenceSession.create(await readFile(model));
const { inputNames, outputNames } = session;
await write(Buffer.from(`${JSON.stringify(outputNames)}\n`));
const shape = [1, 3, Number(side), Number(side)];
const count = 3 * side * side;
for await (const bytes of pieces(count * 4)) {
    const values = new Float32Array(new Uint8Array(bytes).buffer);
    const outputs = await session.run({ [inputNames[0]]: new ort.Tensor("float32", values, shape) });
    for (const name of outputNames) {
        const { data } = outputs[name];
        await write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
        outputs[name].dispose();
    }
}

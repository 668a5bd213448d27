// From the last layers to answers, and to the places and channels that speak for them. Pure.

import { EXACT, READABLE, rounded } from "./figures.js";

/**
 * The probabilities of logits.
 * @param {ArrayLike<number>} logits
 * @returns {Float64Array}
 */
export function softmax(logits) {
  const largest = Math.max(...logits);
  const powers = Float64Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = powers.reduce((all, power) => all + power, 0);
  return powers.map((power) => power / sum);
}

/**
 * The largest logits, largest first; equal ones in the order of the categories.
 * @param {Float32Array} logits
 * @param {string[]} categories
 * @param {number} [count] how many
 * @returns {object[]} Answer of the index
 * @throws {Error} that names the first channel with NaN or infinity
 */
export function answers(logits, categories, count = 5) {
  const broken = logits.findIndex((logit) => !Number.isFinite(logit));
  if (broken >= 0) throw new Error(`channel ${broken}: NaN or infinity`);
  const probabilities = softmax(logits);
  const order = [...logits.keys()].sort((a, b) => logits[b] - logits[a] || a - b);
  return order.slice(0, count).map((category) => ({
    category,
    name: categories[category],
    logit: rounded(logits[category], EXACT),
    probability: rounded(probabilities[category], READABLE),
  }));
}

/**
 * Where the evidence for each answer lies: the sum over channels of weight times activation. The
 * mean over positions plus the bias is the logit.
 * @param {Float32Array} features what the classifier takes the mean of, channel after channel
 * @param {number} channels
 * @param {number} height
 * @param {number} width
 * @param {Float32Array} weight of the linear layer, category after category
 * @param {Float32Array} bias
 * @param {{category: number}[]} answers
 * @returns {object[]} Evidence of the index
 */
export function evidence(features, channels, height, width, weight, bias, answers) {
  const size = height * width;
  return answers.map(({ category }) => {
    const sum = new Float64Array(size);
    for (let channel = 0; channel < channels; channel++) {
      const share = weight[category * channels + channel];
      for (let at = 0; at < size; at++) sum[at] += share * features[channel * size + at];
    }
    const values = Array.from(sum, (value) => rounded(value, READABLE));
    return { category, height, width, bias: rounded(bias[category], READABLE), values };
  });
}

/**
 * What each channel adds to the logit of each answer: weight times mean over positions.
 * @param {Float32Array} features
 * @param {number} channels
 * @param {Float32Array} weight
 * @param {{category: number}[]} answers
 * @returns {number[][]} values of Contributions of the index
 */
export function contributions(features, channels, weight, answers) {
  const size = features.length / channels;
  const means = Float64Array.from({ length: channels }, (_, channel) => {
    const own = features.subarray(channel * size, (channel + 1) * size);
    return own.reduce((sum, value) => sum + value, 0) / size;
  });
  return answers.map(({ category }) =>
    Array.from(means, (mean, channel) => rounded(weight[category * channels + channel] * mean, READABLE)),
  );
}

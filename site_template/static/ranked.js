// A photo among those that drive a channel most. Pure.

/**
 * @param {object} peaks Peaks of some channels, from `first` on
 * @param {string} image id of the photo to put among them
 * @param {object} figures its LayerFigures
 * @param {number} first channel
 * @param {boolean} isSigned whether the layer can go below zero; if not, a silent photo is left out
 * @returns {object} Peaks with the photo, after those with the same value
 */
export function ranked(peaks, image, figures, first, isSigned) {
  const made = { images: [...peaks.images, image], image: [], value: [], row: [], column: [] };
  peaks.value.forEach((values, i) => {
    const channel = first + i;
    const own = { image: peaks.images.length, value: figures.high[channel], row: figures.row[channel], column: figures.column[channel] };
    const isIn = isSigned || own.value > 0;
    const after = values.filter((value) => value >= own.value).length;
    for (const [name, value] of Object.entries(own)) made[name].push(peaks[name][i].toSpliced(after, 0, ...(isIn ? [value] : [])));
  });
  return made;
}

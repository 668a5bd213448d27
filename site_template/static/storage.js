// What the browser remembers. Storage is closed to pages in some browsers; then nothing is remembered, and all else works.

/** @returns {string|null} what was remembered under a name */
export function recall(storage, name) {
  try {
    return storage.getItem(name);
  } catch {
    return null;
  }
}

export function remember(storage, name, value) {
  try {
    storage.setItem(name, value);
  } catch {
    // see above
  }
}

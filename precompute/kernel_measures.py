"""What a convolution kernel on colour pictures is tuned to, in numbers.

Kernels are (N, 3, rows, columns): N of them, their weights for red, green and blue. Energy is the
sum of squared weights.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from precompute.tiles import Float32

Float64 = NDArray[np.float64]

HUES = (
    *("red", "orange", "yellow", "yellow-green", "green", "sea green"),
    *("cyan", "sky blue", "blue", "violet", "magenta", "rose"),
)
"""30° apart, from 0° on."""

SAMPLES = 64
"""Frequencies along an axis, by zero padding: the spectrum is read every 1/64 cycles per pixel."""


@dataclass(frozen=True)
class KernelMeasures:
    """Measures of N kernels, each (N,). NaN where a kernel has nothing to measure."""

    norm: Float64
    """Euclidean length: the square root of the energy."""
    largest: Float64
    """Largest absolute weight."""
    colour_share: Float64
    """See colour_share()."""
    flat_share: Float64
    """See flat_share()."""
    odd_share: Float64
    """See odd_share()."""
    orientation: Float64
    """Of the stripes of the strongest Fourier component; see strongest_component(). Degrees."""
    frequency: Float64
    """Of the strongest Fourier component. Cycles per pixel of the layer's input."""
    orientation_selectivity: Float64
    """See orientation_selectivity()."""
    concentration: Float64
    """See concentration()."""


def measure(kernels: Float32) -> KernelMeasures:
    """Return the measures of (N, 3, rows, columns) kernels."""
    exact = kernels.astype(np.float64)
    orientation, frequency = strongest_component(exact)
    return KernelMeasures(
        norm=strength(exact),
        largest=np.abs(exact).max(axis=(1, 2, 3)),
        colour_share=colour_share(exact),
        flat_share=flat_share(exact),
        odd_share=odd_share(exact),
        orientation=orientation,
        frequency=frequency,
        orientation_selectivity=orientation_selectivity(exact),
        concentration=concentration(exact),
    )


def colour_share(kernels: Float64) -> Float64:
    """Return the share of the energy outside grey, between 0 and 1.

    A kernel's grey part has the mean of the three weights in each of the three planes: it is the
    projection on (1, 1, 1)/√3, position by position. 0 is a kernel that is blind to colour, 1 one
    that is blind to grey. Noise that is independent in the planes has 2/3.
    """
    return 1 - _share(3 * (kernels.mean(axis=1) ** 2).sum(axis=(1, 2)), kernels)


def flat_share(kernels: Float64) -> Float64:
    """Return the share of the energy in the means of the planes, between 0 and 1.

    1 is a kernel that averages one mixture of the colours over its window, 0 one that does not
    answer to an even colour at all.
    """
    positions = kernels.shape[2] * kernels.shape[3]
    return _share(positions * (kernels.mean(axis=(2, 3)) ** 2).sum(axis=1), kernels)


def odd_share(kernels: Float64) -> Float64:
    """Return the share of the energy that changes sign under a half turn, between 0 and 1.

    Every kernel is the sum of an even and an odd part, w(x) = (w(x) ± w(−x))/2, whose energies add
    up. 1 is an edge between two halves of opposite sign, 0 a centred bar, stripe or blob.
    """
    odd = (kernels - kernels[:, :, ::-1, ::-1]) / 2
    return _share(_energy(odd), kernels)


def strongest_component(kernels: Float64) -> tuple[Float64, Float64]:
    """Return orientation (degrees) and frequency (cycles per pixel) where the power is largest.

    The orientation is that of the stripes, from 0 (horizontal) over 45 (rising to the right) and 90
    (upright) to below 180: at a right angle to the direction in which the wave runs.
    """
    power, across, down = _spectrum(kernels)
    strongest = power.reshape(len(power), -1).argmax(axis=1)
    across, down = across.ravel()[strongest], down.ravel()[strongest]
    orientation = (np.degrees(np.arctan2(-down, across)) + 90) % 180
    measurable = power.any(axis=(1, 2))
    frequency = np.hypot(across, down)
    return np.where(measurable, orientation, np.nan), np.where(measurable, frequency, np.nan)


def orientation_selectivity(kernels: Float64) -> Float64:
    """Return how much the power keeps to one orientation, between 0 and 1.

    |Σ P · exp(2iθ)| / Σ P over all frequencies, θ their direction: 1 − the circular variance of
    Ringach, Shapley and Hawken ("Orientation selectivity in macaque V1", 2002), with the power
    spectrum P in the place of a cell's responses. 0 is no preference, or two at right angles.
    """
    power, across, down = _spectrum(kernels)
    total = power.sum(axis=(1, 2))
    resultant = np.abs((power * np.exp(2j * np.arctan2(down, across))).sum(axis=(1, 2)))
    return _divide(resultant, total)


def concentration(kernels: Float64) -> Float64:
    """Return the share of the power near the strongest Fourier component, between 0 and 1.

    Near is within one wave per window, which no kernel of this size can resolve. Noise spreads its
    power over all frequencies; a kernel that is one patch of a wave holds nearly all of it there.
    """
    power, across, down = _spectrum(kernels)
    strongest = power.reshape(len(power), -1).argmax(axis=1)[:, None, None]
    rows, columns = kernels.shape[2:]
    near = np.zeros(power.shape, bool)
    for sign in (1, -1):  # the spectrum of real weights is the same on both sides of zero
        off_x = _wrapped(across - sign * across.ravel()[strongest]) * columns
        off_y = _wrapped(down - sign * down.ravel()[strongest]) * rows
        near |= np.hypot(off_x, off_y) <= 1
    return _divide((power * near).sum(axis=(1, 2)), power.sum(axis=(1, 2)))


def similarity(one: NDArray[np.floating], other: NDArray[np.floating]) -> Float64:
    """Return the cosine similarities of (N, …) and (M, …) kernels as (N, M), between −1 and 1.

    Each kernel's mean over all its weights is taken off first, which makes it Pearson's
    correlation: its square is the share of one kernel's variation that a multiple of the other
    accounts for. 0 where a kernel does not vary.
    """
    cosines: Float64 = _unit(one) @ _unit(other).T
    return cosines


def edge_likeness(kernels: Float64) -> tuple[Float64, Float64]:
    """Return how much each kernel is like an ideal edge detector, and the way it points.

    The ideal is the first derivative of a Gaussian of a quarter of the kernel's width, the same in
    all three colours. Its turned copies are sums of two of them (Freeman and Adelson, "The design
    and use of steerable filters", 1991), so the cosine with the most similar copy is the length of
    a projection. Returns the cosines, 0 to 1, and the angles at which a kernel wants the picture
    to get brighter: degrees, 0 to the right, 90 downwards.
    """
    rows, columns = kernels.shape[2:]
    y, x = np.mgrid[:rows, :columns] - np.array([rows - 1, columns - 1])[:, None, None] / 2
    window = np.exp(-(x**2 + y**2) / (2 * (columns / 4) ** 2))
    ideal = np.stack([np.broadcast_to(axis * window, kernels.shape[1:]) for axis in (x, y)])
    across, down = (unit(ideal) @ unit(kernels).T).astype(np.float64)
    return np.hypot(across, down), np.degrees(np.arctan2(down, across))


def colour_axis(kernel: Float64) -> tuple[float, float]:
    """Return the hue, 0 to 180 degrees, of the axis along which a (3, rows, columns) kernel's colours
    differ most, and the share of the differences' energy that lies on it; 0 where none differ.
    """
    differences = (kernel - kernel.mean(axis=0)).reshape(3, -1)
    axes, lengths, _ = np.linalg.svd(differences, full_matrices=False)
    red, green, blue = axes[:, 0]
    hue = np.degrees(np.arctan2(np.sqrt(3) / 2 * (green - blue), red - (green + blue) / 2))
    energy = float((lengths**2).sum())
    return float(hue % 180), float(lengths[0] ** 2 / energy) if energy > 0 else 0.0


def hue_names(hue: float) -> tuple[str, str]:
    """Return the names of the colours at the two ends of an axis, whose hue is in degrees."""
    first = round(hue / 30) % 6
    return HUES[first], HUES[first + 6]


def most_opposite(kernels: Float64) -> tuple[int, int, float]:
    """Return the two kernels with the smallest cosine between them, and that cosine."""
    units = unit(kernels)
    cosines = units @ units.T
    first, second = divmod(int(cosines.argmin()), len(kernels))
    return first, second, float(cosines[first, second])


def strength(kernels: Float64) -> Float64:
    """Return the length of each kernel as a vector."""
    length: Float64 = np.linalg.norm(kernels.reshape(len(kernels), -1), axis=1)
    return length


def unit(kernels: Float64) -> Float64:
    """Return each kernel as a vector of length 1; one of zeros stays zero."""
    length = strength(kernels)[:, None]
    flat = kernels.reshape(len(kernels), -1)
    return np.divide(flat, length, out=np.zeros_like(flat, dtype=np.float64), where=length > 0)


def _energy(kernels: Float64) -> Float64:
    energy: Float64 = (kernels**2).sum(axis=(1, 2, 3))
    return energy


def _share(part: Float64, kernels: Float64) -> Float64:
    share: Float64 = np.clip(_divide(part, _energy(kernels)), 0, 1)
    return share


def _divide(part: Float64, whole: Float64) -> Float64:
    return np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole > 0)


def _spectrum(kernels: Float64) -> tuple[Float64, Float64, Float64]:
    """Return the power at every frequency, and its cycles per pixel across and down.

    Power is summed over the planes, (N, SAMPLES, SAMPLES). The planes' means are taken off first,
    so that what is left says nothing of flat parts.
    """
    varying = kernels - kernels.mean(axis=(2, 3), keepdims=True)
    varying[np.abs(varying) < 1e-9 * np.abs(kernels).max(initial=0)] = 0  # rounding of flat planes
    power = (np.abs(np.fft.fft2(varying, (SAMPLES, SAMPLES))) ** 2).sum(axis=1)
    down, across = np.meshgrid(np.fft.fftfreq(SAMPLES), np.fft.fftfreq(SAMPLES), indexing="ij")
    return power, across, down


def _wrapped(frequency: Float64) -> Float64:
    """Return frequencies in cycles per pixel as those between −½ and ½ that pixels see."""
    return (frequency + 0.5) % 1 - 0.5


def _unit(kernels: NDArray[np.floating]) -> Float64:
    flat = kernels.reshape(len(kernels), -1).astype(np.float64)
    return unit(flat - flat.mean(axis=1, keepdims=True))

"""What the kernels of a first convolution are like: edges, colours, opposites.

Kernels are (channels, 3, rows, columns) weights of red, green and blue between 0 and 1.
"""

import numpy as np

from precompute.reductions import Float64

HUES = (
    *("red", "orange", "yellow", "yellow-green", "green", "sea green"),
    *("cyan", "sky blue", "blue", "violet", "magenta", "rose"),
)
"""30° apart, from 0° on."""


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


def colour_share(kernels: Float64) -> Float64:
    """Return the share of each kernel's energy (sum of squares) that a grey picture does not meet."""
    grey = kernels.sum(axis=1) ** 2 / 3
    total = (kernels**2).sum(axis=(1, 2, 3))
    share: Float64 = 1 - np.divide(
        grey.sum(axis=(1, 2)), total, out=np.ones_like(total), where=total > 0
    )
    return share


def colour_axis(kernel: Float64) -> tuple[float, float]:
    """Return the hue, 0 to 180 degrees, of the axis along which a (3, rows, columns) kernel's colours
    differ most, and the share of the differences' energy that lies on it.
    """
    differences = (kernel - kernel.mean(axis=0)).reshape(3, -1)
    axes, lengths, _ = np.linalg.svd(differences, full_matrices=False)
    red, green, blue = axes[:, 0]
    hue = np.degrees(np.arctan2(np.sqrt(3) / 2 * (green - blue), red - (green + blue) / 2))
    return float(hue % 180), float(lengths[0] ** 2 / (lengths**2).sum())


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

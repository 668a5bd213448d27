"""Mistakes in preparing a photo in words: lines of code, and sentences made from what was measured."""

from dataclasses import dataclass

from export.manifest import Input, ModelManifest
from precompute.index import ImageEntry
from precompute.lessons import Mistakes, Preparation
from site_template.pages import percent, readable

MANY = 5
"""Photos whose inputs have a range that says something about an input beside them."""
HARDLY = 0.05
"""Change of a probability below which a mistake hardly matters."""


@dataclass(frozen=True)
class Lesson:
    """A mistake as one meets it in code; the names are those of torchvision's functional module."""

    id: str
    name: str
    short: str
    """What happens to the photo, in a few words."""
    cause: str
    wrong: str
    right: str


@dataclass(frozen=True)
class Row:
    """A preparation as the page shows it."""

    lesson: Lesson | None
    """None for the correct one."""
    run: Preparation
    same_answer: bool
    unusual: bool
    """Whether its input's mean or standard deviation is outside those of the correct inputs."""
    sign: str
    """What the input looks like."""
    effect: str
    """What becomes of the answer."""


def rows(mistakes: Mistakes, entry: ImageEntry, manifest: ModelManifest) -> list[Row]:
    """Return every preparation of the photo `entry`, the correct one first."""
    known = {lesson.id: lesson for lesson in lessons(manifest.input)}
    correct = mistakes.preparations[0]
    return [
        Row(
            lesson=known.get(run.id),
            run=run,
            same_answer=run.answers[0].category == correct.answers[0].category,
            unusual=unusual(run, mistakes),
            sign=sign(run, entry),
            effect=effect(run, correct),
        )
        for run in mistakes.preparations
    ]


def names(ids: tuple[str, ...], spec: Input) -> list[str]:
    """Return what the page calls these mistakes."""
    known = {lesson.id: lesson.name for lesson in lessons(spec)}
    return [known[one] for one in ids]


def whole(spec: Input) -> str:
    """Return the lines that prepare a photo correctly."""
    return (
        'image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")\n'
        f"image = center_crop({_resize(spec, str(spec.resize))}, {spec.crop})\n"
        f"x = normalize(to_tensor(image), {_listed(spec.mean)}, {_listed(spec.std)})[None]"
    )


def check(spec: Input) -> str:
    """Return the lines that look at an input `x`: its numbers, and the picture that it is."""
    return (
        "print(x.shape, x.min(), x.max())\n"
        "print(x.mean((0, 2, 3)), x.std((0, 2, 3)))\n"
        f"mean, std = {_listed(spec.mean)}, {_listed(spec.std)}\n"
        "unit = x[0] * torch.tensor(std).view(3, 1, 1) + torch.tensor(mean).view(3, 1, 1)\n"
        "to_pil_image(unit.clamp(0, 1)).show()"
    )


def lessons(spec: Input) -> tuple[Lesson, ...]:
    """Return every mistake with the code that makes it, and that mends it, for a network's input."""
    side = spec.crop
    return (
        Lesson(
            "not-normalised",
            "Not normalised",
            "values from 0 to 1",
            "The network expects values with the mean taken away and divided by the "
            "standard deviation. Here they go in as they come out of the file.",
            "x = to_tensor(image)",
            "x = normalize(to_tensor(image), mean, std)",
        ),
        Lesson(
            "not-scaled",
            "Not scaled",
            "values from 0 to 255",
            "Mean and standard deviation are meant for values from 0 to 1, and are applied to "
            "values from 0 to 255.",
            "x = normalize(pil_to_tensor(image).float(), mean, std)",
            "x = normalize(pil_to_tensor(image).float() / 255, mean, std)",
        ),
        Lesson(
            "scaled-twice",
            "Scaled twice",
            "divided by 255 again",
            "to_tensor has divided by 255 already, and somebody does it once more.",
            "x = normalize(to_tensor(image) / 255, mean, std)",
            "x = normalize(to_tensor(image), mean, std)",
        ),
        Lesson(
            "bgr",
            "Red and blue swapped",
            "BGR for RGB",
            "OpenCV reads a picture as blue, green, red. Most networks have learned from red, "
            "green, blue.",
            "pixels = cv2.imread(path)",
            "pixels = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)",
        ),
        Lesson(
            "squashed",
            "Squashed",
            "pressed into the square",
            "With two numbers, resize gives just that width and height, whatever the picture’s "
            "own. With one, it keeps the proportions, and the crop makes the square.",
            f"image = {_resize(spec, f'[{side}, {side}]')}",
            f"image = center_crop({_resize(spec, str(spec.resize))}, {side})",
        ),
        Lesson(
            "turned",
            "Orientation ignored",
            "lying on its side",
            "A phone stores the picture as its sensor lies, with a note (EXIF) on which way is up. "
            "Viewers obey the note; Image.open does not. It befalls only photos that have one.",
            "image = Image.open(path)",
            "image = ImageOps.exif_transpose(Image.open(path))",
        ),
        Lesson(
            "reshaped",
            "Reshaped, not permuted",
            "axes mixed up",
            "Files hold height, width, colour; the network wants colour, height, width. reshape "
            "only relabels the same numbers in the same order, and the shape comes out right.",
            f"x = torch.from_numpy(pixels).reshape(3, {side}, {side})",
            "x = torch.from_numpy(pixels).permute(2, 0, 1)",
        ),
    )


def sign(run: Preparation, entry: ImageEntry) -> str:
    """Return how to recognise the input that a mistake makes, with this photo's numbers."""
    ends = f"{decimal(run.low)} to {decimal(run.high)}"
    if run.id == "not-normalised":
        return f"A pale picture. The values go from {ends}: none is negative."
    if run.id == "not-scaled":
        return (
            f"A white picture: {percent(run.beyond)} of the values are beyond what any picture "
            f"gives. They go from {ends}."
        )
    if run.id == "scaled-twice":
        return (
            "A black picture, whichever photo it was. The values go from "
            f"{ends}, and no channel has a standard deviation above {readable(max(run.std))}."
        )
    if run.id == "bgr":
        return "Red things are blue and blue ones red; green, grey, black and white stay."
    if run.id == "squashed":
        return _stretch(entry.width, entry.height)
    if run.id == "turned":
        return "The picture lies on its side, and is the same otherwise."
    if run.id == "reshaped":
        return (
            "A weave of fine stripes: each row holds the red, green and blue of a third of the "
            "photo’s row, side by side, and each channel a third of the photo."
        )
    return ""


def _stretch(width: int, height: int) -> str:
    """Return what pressing a photo of this size into a square does to the things on it."""
    wide, tall = height / width, width / height
    if max(wide, tall) < 1.02:
        return "The photo is square, so that nothing is stretched; only its margin is new."
    how = f"{wide:.2f} times too wide" if wide > 1 else f"{tall:.2f} times too tall"
    return f"Everything is {how}, and no margin of the photo is cut off."


def effect(run: Preparation, correct: Preparation) -> str:
    """Return what becomes of the correct answer, and how much it matters."""
    before, after = correct.answers[0], run.answers[0]
    was, now = percent(before.probability), percent(run.probability)
    if after.category != before.category:
        return (
            f"The answer changes from {before.name} ({was}) to {after.name} "
            f"({percent(after.probability)}); {before.name} is left with {now}."
        )
    if abs(run.probability - before.probability) < HARDLY:
        return (
            f"The answer stays {before.name}, {was} before and {now} now: it hardly matters here."
        )
    verb = "falls" if run.probability < before.probability else "rises"
    return f"The answer stays {before.name}, but its probability {verb} from {was} to {now}."


def unusual(run: Preparation, mistakes: Mistakes) -> bool:
    """Tell whether a channel's mean or standard deviation is outside those of correct inputs."""
    slack = 0.01  # pictures that hold the same pixels elsewhere differ by the crop's rounding

    def outside(values: tuple[float, ...], ends: tuple[float, float]) -> bool:
        return min(values) < ends[0] - slack or max(values) > ends[1] + slack

    return outside(run.mean, mistakes.mean) or outside(run.std, mistakes.std)


def decimal(value: float) -> str:
    """Return a number with two decimals, or none from 100 on: for numbers that stand in columns."""
    text = f"{value:.2f}" if abs(value) < 99.995 else f"{value:.0f}"
    return text.replace("-", "−") if float(text) else text.removeprefix("-")


def loudest(rows: list[Row]) -> Row | None:
    """Return the mistake that gives another answer with the largest probability, where that is
    larger than the correct one's.
    """
    others = [row for row in rows if not row.same_answer]
    if not others:
        return None
    found = max(others, key=lambda row: row.run.answers[0].probability)
    right = rows[0].run.answers[0].probability
    return found if found.run.answers[0].probability > right else None


def moved(rows: list[Row]) -> list[Row]:
    """Return the mistakes that move the picture more than they change it: in the first layer, the
    channels' means are less than half as far from the correct ones as the activations are.
    """
    found = []
    for row in rows[1:]:
        first = row.run.layers[0]
        if row.run.id not in {"squashed", "turned"}:
            continue
        if first.distance and first.distance_of_means is not None:
            found += [row] if first.distance_of_means < first.distance / 2 else []
    return found


def _resize(spec: Input, size: str) -> str:
    """Return the call that resizes `image`; bilinear is torchvision's default."""
    if spec.interpolation == "bilinear":
        return f"resize(image, {size})"
    return f"resize(image, {size}, InterpolationMode.{spec.interpolation.upper()})"


def _listed(values: tuple[float, float, float]) -> str:
    return "[" + ", ".join(f"{value:g}" for value in values) + "]"

"""Figures are told apart from names and formulas, and bound to what a page computes or cites."""

import pytest

from tools.house.bound import every_figure_is_bound, numbers
from tools.house.figures import figures
from tools.house.rules import breaches
from tools.house.source import Source
from tools.house.specimen import HOME, specimen
from tools.house.words import WORDS, the_words_are_the_fields

READ = {
    "26,624 tokens, 4.2 times, 4.2× and .53": ["26,624", "4.2", "4.2×", ".53"],
    "1.3 to 8 GB in 20 ms, 20 to 38 %": ["1.3", "8 GB", "20 ms", "20", "38 %"],
    "2^-9 or 1e-8, 10⁶ of 5/16": ["2^-9", "1e-8", "10⁶", "5/16"],
    "a 40-step warm-up at b2 = 0.999, ≥ 512, -0.002": ["40", "0.999", "512", "0.002"],
    "2 × 8 KV heads × head_dim × 2 bytes = 327,680 bytes": ["327,680"],
    "2048×2048 weights": ["2048", "2048"],
    "Llama-3-8B, Llama 3 and the 70B on an H100, GPT-3, p99, top-5, bf16, fp32": [],
    "O(n²), 8d²n + 2dn(n+1), min(1, p/q), 2 · layers · kv_heads, 1/(1/ridge - 1/d)": [],
    "ρ + (1 - ρ)/n, 1-a, 2^(e-7), d / 2, (γ + 1), x[3], sqrt(2 · 3)": [],
    "section 3.1, issue 108, torch 2.13, Kwon et al. 2023, in 2017, #32, U+0080": [],
    "a 7-bit mantissa, `f(1, 2)`, https://arxiv.org/abs/2305.13245, 0/0": [],
}


@pytest.mark.parametrize(("text", "found"), READ.items(), ids=range(len(READ)))
def test_a_figure_is_no_name_and_no_formula(text, found):
    """Numbers that state something are found with their units; those of names and formulas are not."""
    assert [figure.text for figure in figures(text)] == found


BOUND = {
    "the same number": ("1.9,", "1.9", True),
    "rounded as printed": ("1.9 ", "1.94", True),
    "rounded otherwise": ("1.94 ", "1.9", False),
    "rounded to a half": ("2 ", "1.5", True),
    "thousands with commas": ("26,624 ", "26624", True),
    "bytes by 1000": ("1.68 GB", "1678000000", True),
    "bytes by 1024": ("2.5 GiB", "2684354560", True),
    "bytes that are not as many": ("2.5 GiB", "2500000000", False),
    "seconds": ("4.2 ms", "0.00421", True),
    "a share": ("24 %", "0.2415", True),
    "so much more": ("17 % more", "1.171", True),
    "so much less": ("17 % less", "0.829", True),
    "the unit behind a range": ("20 to 24 %", "[0.2, 0.24]", True),
    "one in so many": ("one in 160", "0.00625", True),
    "a power": ("2^-9", "0.00195312", True),
    "scientific": ("1.9e-6", "0.00000190735", True),
    "a fraction": ("5/16", "0.3125", True),
    "a fraction in the record": ("0.3125", '"5/16"', True),
    "zero is not rounded to": ("0 ", "0.3", False),
    "millions": ("1.5 million", "1502345", True),
}


@pytest.mark.parametrize(("figure", "value", "bound"), BOUND.values(), ids=BOUND)
def test_a_figure_is_bound_as_it_is_printed(figure, value, bound, tmp_path):
    """A printed number is bound to a value that rounds to it, in its unit, and to no other."""
    files = specimen(
        ("é takes 2 bytes and a rocket 4", f"it takes {figure}"),
        record=(('"length": [2, 4]', f'"length": [{value}, {value}]'),),
    )
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert (breaches(every_figure_is_bound, Source.read(tmp_path / HOME)) == []) is bound


def test_an_unbound_figure_is_shown_with_its_place(tmp_path):
    """The complaint names the line of the figure, and the words around it."""
    files = specimen(("characters as soon as it leaves ASCII", "characters as soon as 7.5 % leave ASCII"))
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert breaches(every_figure_is_bound, Source.read(tmp_path / HOME)) == [
        f"{HOME}:6: nothing on the page computes '7.5 %', here in `as soon as 7.5 % leave ASCII.`. "
        "Work it out in an @example, or cite it."
    ]


def test_numbers_of_a_recorded_value():
    """Numbers are found in lists and in texts, and truth values are none."""
    recorded = [1, -2.5, True, "Fraction 1/4", ["'a'", "Layer(d=4096)"], None]
    assert list(numbers(recorded)) == [1.0, 2.5, 0.25, 4096.0]


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.sample)
def test_a_word_is_found(word, tmp_path):
    """Each word of the list is found where it stands in a sentence, across the end of a line too."""
    samples = [word.sample, word.sample.replace(" ", "\n    ")]
    for number, sample in enumerate(samples if r"\s" in word.pattern else samples[:1]):
        path = tmp_path / str(number) / HOME
        path.parent.mkdir(parents=True)
        (text,) = specimen(("Limits: Other encodings.", f"Limits: {sample}"), record=None).values()
        path.write_text(text, encoding="utf-8")
        (found,) = breaches(the_words_are_the_fields, Source.read(path))
        assert word.instead in found

"""The texts: each link leads somewhere, and each figure is one that the experiments measured."""

import common

import re

import pytest
from helpers import PATHS, ROOT

TEXTS = [
    "README.md",
    "models/README.md",
    "models/own_images/README.md",
    "models/experiments/README.md",
]
EXPERIMENTS = (ROOT / "models" / "experiments" / "README.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def anchors(text):
    """The anchors that GitHub makes of a text's headings."""
    found = set()
    for title in re.findall(r"(?m)^#+ (.+)$", text):
        kept = "".join(c for c in title.lower() if c.isalnum() or c in " -_")
        found.add(kept.replace(" ", "-"))
    return found


@pytest.mark.parametrize("name", TEXTS)
def test_each_link_of_the_project_leads_somewhere(name):
    path = ROOT / name
    text = path.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert links
    for link in links:
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), link


def rows_below(heading):
    """The rows of the table below a heading of the README, each a list of its cells."""
    section = README.split(f"{heading}\n")[1].split("\n#")[0]
    return [line.strip("| ").split(" | ") for line in section.splitlines() if line[:1] == "|"][2:]


NAMES = {
    "### From the post to the scripts": r"\*([^*]+)\*",
    "### 原文代码与本项目对照": "“([^”]+)”",
}


@pytest.mark.parametrize("heading", NAMES)
def test_cells_and_functions_that_took_the_post_s_place_are_there(heading):
    titles = []
    for path in PATHS.values():
        titles += re.findall(r"(?m)^# %% (.*)$", path.read_text(encoding="utf-8"))
    for _, place, _ in rows_below(heading):
        cells, _, functions = place.partition(" · ")
        for name in re.findall(NAMES[heading], cells):
            assert any(name in title for title in titles), name
        for name in re.findall(r"`(\w+)`", functions):
            assert callable(getattr(common, name)), name


def test_scripts_that_are_named_are_there():
    texts = "".join((ROOT / name).read_text(encoding="utf-8") for name in TEXTS)
    named = set(re.findall(r"python (\w\S*\.py)", texts))
    assert len(named) >= 4
    for name in named:
        assert (ROOT / name).exists(), name


# How a passage of the README begins, and the rows of the experiments' text that it quotes: the
# name of the block, and how each row begins.
DECODING = [
    "simple, code 16 | Adam 0.001 | 50",
    "PCA, code 16",
    "deep, code 32 | Adam",
    "PCA, code 32",
]
SIZES = ["deep, relu | 2", "PCA | 2"]
CONVOLUTIONS = ["the post's network", "the better network", "PCA"]
CLAIMS = ["relu, penalty 0", "1000 numbers, relu"]
NOISE = ["plain", "denoising"]
ANOMALIES = ["3, 4 and 7", "letters"]
FEW_LABELS = ["pixels", "deep, code 32", "denoising, code 1000"]
QUOTES = {
    "- **Decoding.**": ("results", DECODING),
    "- **Telling digits apart": ("code_sizes", SIZES),
    "- **Convolutions** (": ("convolutions", CONVOLUTIONS),
    "- **The post's claims.**": ("claims", CLAIMS),
    "- **Noise.**": ("noise", NOISE),
    "- **Anomalies.**": ("anomalies", ANOMALIES),
    "- **Few labels.**": ("few_labels", FEW_LABELS),
    "1. **重建**": ("results", DECODING),
    "2. **识别数字**": ("code_sizes", SIZES),
    "3. **卷积**": ("convolutions", CONVOLUTIONS),
    "4. **原文的说法**": ("claims", CLAIMS),
    "5. **去噪**": ("noise", NOISE),
    "6. **异常检测**": ("anomalies", ANOMALIES),
    "7. **标签很少**": ("few_labels", FEW_LABELS),
}


def passage(start):
    """A passage of the README: a line, or the lines up to the next item or an empty line."""
    assert README.count(f"\n{start}") == 1, start
    rest = README.split(f"\n{start}")[1]
    return start + re.split(r"\n(?=\n|- |\||\d+\. )", rest)[0]


def measured(name, starts):
    """The figures in those rows of a block of the experiments' text that begin so."""
    figures = []
    block = EXPERIMENTS.split(f"<!-- {name} -->")[1].split("<!-- end -->")[0]
    rows = re.sub(r"\n(?![|\n])", " ", block).splitlines()  # a sentence in one line
    for row in rows:
        text = row.strip("| ")
        if text.startswith(tuple(starts)):
            figures += [float(number) for number in re.findall(r"\d+\.\d+", text)]
    return figures


@pytest.mark.parametrize("start", QUOTES)
def test_figures_are_those_of_the_row_that_is_quoted(start):
    """Each number with decimals is one of that row's, rounded."""
    figures = measured(*QUOTES[start])
    text = passage(start)
    options = {"0.0001", "0.001", "0.5", "1.0"}  # values of what is tried
    numbers = set(re.findall(r"(?<![\d.])\d+\.\d+(?!\d|\.\d)", text)) - options
    assert numbers
    for number in numbers:
        decimals = len(number.split(".")[1])
        assert number in {f"{figure:.{decimals}f}" for figure in figures}, number


def test_every_conclusion_with_figures_is_looked_up():
    """No item of the lists of findings with a figure is without its row."""
    found = README.split("## What we found\n")[1].split("\n## ")[0]
    items = re.findall(r"(?m)^- \*\*.*(?:\n  .*)*", found)
    found = README.split("### 实验结论\n")[1].split("\n### ")[0]
    items += re.findall(r"(?m)^\d+\. \*\*.*$", found)
    assert len(items) == 14
    for item in items:
        numbers = set(re.findall(r"\d\.\d+", item)) - {"0.0001", "0.001", "1.0"}
        assert not numbers or any(item.startswith(start) for start in QUOTES), item


SECTIONS = [section for section in EXPERIMENTS.split("\n## ")[1:] if "<!-- end -->" in section]
# Values of what is tried, and versions of Keras, in the experiments' own text.
OPTIONS = {
    "0.0001",
    "0.0003",
    "0.001",
    "0.003",
    "0.01",
    "0.03",
    "0.0015",
    "0.0256",
    "0.3",
    "0.5",
    "1.0",
    "3.0",
    "3.00",
    "3.13",
    "3.14",
}


@pytest.mark.parametrize("section", SECTIONS, ids=[text.split("\n")[0] for text in SECTIONS])
def test_figures_in_a_section_s_sentences_are_those_of_its_tables(section):
    """A person wrote the sentences, a script the tables, between the marks."""
    tables = "".join(re.findall(r"(?s)<!-- \w+ -->(.*?)<!-- end -->", section))
    assert re.search(r"\d", tables)
    sentences = re.sub(r"(?s)<!-- \w+ -->.*?<!-- end -->", "", section)
    sentences = re.sub(r"\]\(.*?\)|^\[\w+\]: .*$", "", sentences, flags=re.MULTILINE)
    figures = [float(number) for number in re.findall(r"\d+\.\d+", tables)]
    for number in set(re.findall(r"(?<![\d.])\d+\.\d+(?!\.?\d)", sentences)) - OPTIONS:
        decimals = len(number.split(".")[1])
        assert number in {f"{figure:.{decimals}f}" for figure in figures}, number

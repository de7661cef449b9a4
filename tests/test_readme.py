"""The texts: each link leads somewhere, and each figure is one that the experiments measured."""

import re

import pytest
from helpers import ROOT

TEXTS = ["README.md", "models/README.md", "models/experiments/README.md"]
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


# How a passage of the README begins, and the rows of the experiments' text that it quotes: the
# name of the block, and how each row begins. "With" begins a sentence below the table.
QUOTES = {
    "- **Telling digits apart": ("code_sizes", ["deep, recognised", "PCA, recognised"]),
    "- **Decoding.**": (
        "results",
        ["simple, code 16 | adam ", "PCA, code 16", "deep, code 32 | adam ", "PCA, code 32"],
    ),
    "- **Few labels.**": ("few_labels", ["100 labels"]),
    "- **Few images.**": ("how_much", ["deep, test error"]),
    "- **Adadelta.**": ("learning_rate", ["1 ", "50 "]),
    "Add the option to": ("try_this_next", ["simple"]),
    "| a code of 2": ("try_this_next", ["`--encoding-dim 2`"]),
    "| a code wider": ("try_this_next", ["`--encoding-dim 1000`"]),
    "| a penalty ten times": ("try_this_next", ["`--l1 0.001`"]),
    "| noise on the input": ("try_this_next", ["`Dropout(0.5)` on the input"]),
    "1. **学习率**": ("learning_rate", ["1 ", "50 "]),
    "2. **与 PCA 相比": (
        "results",
        ["simple, code 16 | adam ", "PCA, code 16", "deep, code 32 | ada", "PCA, code 32"],
    ),
    "3. **16 维和 32 维时": (
        "results",
        [
            "simple, code 16 | adam ",
            "PCA, code 16",
            "deep, code 32 | adam ",
            "PCA, code 32",
            "The lower bound",
        ],
    ),
    "4. **只有 2 维时": ("code_sizes", ["PCA", "single layer", "deep"]),
    "5. **128 维时": ("code_sizes", ["single layer, MSE", "deep, MSE", "PCA, MSE"]),
    "6. **原文说": ("claims", ["code 16", "PCA, 16"]),
    "7. **稀疏约束": ("claims", ["code 16"]),
    "9. **原文的卷积网络": (
        "convolutions",
        ["the post's layers", "and transposed", "and 16 and 32", "PCA"],
    ),
    "10. **去噪": ("noise", ["plain", "denoising"]),
    "11. **用重建误差": (
        "anomalies",
        ["test digits", "3, 4 and 7", "printed digits", "letters", "noise"],
    ),
    "12. **不用逐层": ("network_of_2006", ["784-1000", "PCA"]),
    "13. **t-SNE": ("t_sne", ["pixels", "code 32"]),
    "14. **标签很少": ("few_labels, pre_training", ["100 labels"]),
    "15. **训练图片太少": ("how_much", ["deep, test", "deep, learnt", "simple, test error"]),
}
# Figures that stand in another row than those of their passage, and which.
OTHERS = {
    "9. **原文的卷积网络": ("results", ["conv, code 128 | adam | 50"]),
}


def passage(start):
    """A passage of the README: a line, or the lines up to the next item or an empty line."""
    assert README.count(f"\n{start}") == 1, start
    rest = README.split(f"\n{start}")[1]
    return start + re.split(r"\n(?=\n|- |\||\d+\. )", rest)[0]


def measured(names, starts):
    """The figures in those rows of the experiments' text that begin so."""
    figures = []
    for name in names.split(", "):
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
    if start in OTHERS:
        figures += measured(*OTHERS[start])
    text = passage(start).split("系数 0.0001")[-1]
    options = {"0.001", "0.5", "1.0"}  # and the values of what is tried
    numbers = set(re.findall(r"(?<![\d.])\d+\.\d+(?!\d|\.\d)", text)) - options
    assert numbers
    for number in numbers:
        decimals = len(number.split(".")[1])
        assert number in {f"{figure:.{decimals}f}" for figure in figures}, number


def test_every_conclusion_with_figures_is_looked_up():
    """No item of the lists of findings with a figure is without its row."""
    found = README.split("What we found out with these networks")[1].split("\n[Run it]")[0]
    items = re.findall(r"(?m)^- \*\*.*$", found)
    items += re.findall(r"(?m)^\d+\. \*\*.*$", README.split("### 实验结论")[1])
    for item in items:
        numbers = set(re.findall(r"\d\.\d+", item)) - {"0.001", "1.0"}
        assert not numbers or any(item.startswith(start) for start in QUOTES), item


SECTIONS = [section for section in EXPERIMENTS.split("\n## ")[1:] if "<!-- end -->" in section]
# Values of what is tried, and versions of Keras, in the experiments' own text.
OPTIONS = {
    "0.0001",
    "0.0003",
    "0.001",
    "0.003",
    "0.01",
    "0.0015",
    "0.0256",
    "0.5",
    "1.0",
    "3.0",
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

"""The texts: each link leads somewhere, and each figure is one that the laboratory measured."""

import re

import pytest
from helpers import ROOT

TEXTS = ["README.md", "models/README.md", "models/laboratory/README.md"]
LABORATORY = (ROOT / "models" / "laboratory" / "README.md").read_text(encoding="utf-8")
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


def section(title, end):
    """The part of the README between two texts."""
    return README.split(title)[1].split(end)[0]


SECTIONS = {
    "What we found out with these networks": "\n[Run it]",
    "## Try this next": "\n## ",
    "### 实验结论": "\n### ",
}


@pytest.mark.parametrize("title", SECTIONS)
def test_figures_are_those_of_the_laboratory(title):
    """Each number with decimals is a number of the laboratory's text, rounded."""
    measured = [float(text) for text in re.findall(r"\d+\.\d+", LABORATORY)]
    numbers = re.findall(r"(?<![\d.])\d+\.\d+(?![\d.])", section(title, SECTIONS[title]))
    assert len(numbers) > 3
    for number in numbers:
        decimals = len(number.split(".")[1])
        assert number in {f"{value:.{decimals}f}" for value in measured}, number

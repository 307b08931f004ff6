"""The generated pages: up to date, with links that lead somewhere and mathematics that is whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.generate.__main__ import DOCS, pages
from docs.generate.bibliography import cited, reference
from docs.generate.coverage import coverage
from docs.generate.docstrings import section
from docs.generate.errata import errata
from docs.generate.markdown import anchor, display, link, math, prose, sentence, table
from oracle.catalogue import get
from oracle.formula import formula
from oracle.statements import read

PAGES = pages()
FIRST_STEP = "tests/statements/test_adam.py::test_first_step"
REGISTER = read(
    f"""
[entries.adam]
says = "Adam"
kind = "property"
by = ["adam.follows_the_formula"]
[entries.adam.statements]
C1 = {{ says = "It is fast", kind = "quoted", reason = "an observation" }}
P1 = {{ says = "The first step is $-\\\\eta$", kind = "proof", by = ["{FIRST_STEP}"] }}
[entries.moons]
says = "Moons"
kind = "quoted"
reason = "a picture"
[discrepancies.D001]
says = "The index"
mathematical = true
printed = "$k$"
established = "$k + 1$"
reading = "the latter"
counterexample = "k = 0"
kind = "test"
by = ["{FIRST_STEP}"]
[discrepancies.D002]
says = "A letter"
mathematical = false
kind = "quoted"
reason = "naming"
"""
)

every_page = pytest.mark.parametrize("name", PAGES)


@every_page
def test_a_page_is_what_the_code_says(name: str) -> None:
    path = DOCS / name

    assert path.exists(), "python -m docs.generate"
    assert path.read_text("utf-8") == PAGES[name], "python -m docs.generate"


def test_there_is_no_page_of_a_formula_that_is_gone() -> None:
    assert {f"formulas/{path.name}" for path in (DOCS / "formulas").iterdir()} <= PAGES.keys()


@every_page
def test_every_link_leads_somewhere(name: str) -> None:
    here = DOCS / name
    targets = re.findall(r"\]\((?!https?://)([^)]*)\)", PAGES[name])

    assert [target for target in targets if not leads_somewhere(here, target)] == []


def leads_somewhere(here: Path, target: str) -> bool:
    """Whether a file and the heading in it are there."""
    path, _, heading = target.partition("#")
    file = (here.parent / path).resolve() if path else here.resolve()
    if not file.exists() or not heading:
        return file.exists()
    text = PAGES[file.relative_to(DOCS).as_posix()]
    return f"#{heading}" in {anchor(line) for line in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


@every_page
def test_mathematics_is_whole(name: str) -> None:
    formulas = re.findall(r"\$`(.*?)`\$", PAGES[name]) + re.findall(r"```math\n(.*?)\n```", PAGES[name], re.DOTALL)

    assert [latex for latex in formulas if not is_whole(latex)] == []
    assert "$" not in re.sub(r"\$`.*?`\$|```.*?```|`[^`]*`", "", PAGES[name], flags=re.DOTALL)


def is_whole(latex: str) -> bool:
    """Whether all that opens in a formula closes."""
    bare = re.sub(r"\\[{}]", " ", latex)
    pairs = (("{", "}"), (r"\\left\b", r"\\right\b"), (r"\\begin\b", r"\\end\b"))
    return bool(bare.strip()) and all(len(re.findall(a, bare)) == len(re.findall(b, bare)) for a, b in pairs)


@pytest.mark.parametrize("latex", [r"\frac{1}{2", r"\left( x", r"\begin{cases} x", " "])
def test_a_broken_formula_is_noticed(latex: str) -> None:
    assert not is_whole(latex)
    assert is_whole(r"\left\{ \leftarrow \lVert x \rVert \right\}")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rate $\\eta_t$ of `a_*b`", "rate $`\\eta_t`$ of `a_*b`"),
        ("a * b < c, _x and x_", "a \\* b \\< c, \\_x and x\\_"),
        ("the rate of adam_l2, and x_0", "the rate of `adam_l2`, and x_0"),
        ("clip_grad_norm_", "`clip_grad_norm_`"),
        ("take oracle.examples.step_bound.points. Then", "take `oracle.examples.step_bound.points`. Then"),
        ("$\\|x\\|$", "$`\\Vert x\\Vert `$"),
        ("$\\operatorname{sign}(x) \\operatorname{erf} x$", "$`\\mathrm{sign}(x) \\mathrm{erf}\\, x`$"),
    ],
)
def test_text_keeps_its_meaning(text: str, shown: str) -> None:
    assert prose(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [("it moves", "It moves."), ("It moves!", "It moves!"), ("adam_l2: the penalty", "`adam_l2`: the penalty.")],
)
def test_a_sentence_begins_and_ends_as_one(text: str, shown: str) -> None:
    assert sentence(text) == shown


def test_a_bar_separates_no_cells() -> None:
    assert table(["a", "b"], [(math("|x|"), "one\ntwo")]).splitlines()[-1] == "| $`\\|x\\|`$ | one two |"


def test_equations_are_aligned_where_they_say_so() -> None:
    assert display("x &= 1") == "```math\n\\begin{aligned}\nx &= 1\n\\end{aligned}\n```"
    assert display("x = 1") == "```math\nx = 1\n```"


def test_a_reference_has_names_title_year_and_place() -> None:
    assert reference("duchi2011adaptive, Section 1.1") == (
        "Duchi et al., *Adaptive subgradient methods for online learning and stochastic optimization*, "
        "Journal of Machine Learning Research, 2011; Section 1.1"
    )
    assert reference("kingma2015adam").startswith("Kingma and Ba, *Adam: A method for stochastic optimization*, ")
    assert reference("pytorchsgd").endswith(
        f", {link('online', 'https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html')}"
    )


def test_a_claim_cites_names_and_years() -> None:
    assert cited("kingma2015adam, Section 2, and what follows") == "Kingma and Ba (2015), Section 2, and what follows"


@formula("spoken", kind="function", source=(), domain={}, neighbours=())
def spoken(x: float, y: float) -> float:
    r"""Return something.

    Parameters
    ----------
    x, y : number
        Both :math:`x_i \ge 0`; see
        ``adam``.

    Returns
    -------
    number
        Their sum.

    Notes
    -----
    First.

    .. math::

        a &= 1 \\
        b &= 2

    Second.

    Examples
    --------
    >>> 1 + 1
    2
    """
    return x + y


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Parameters", "- `x`, `y`, number: Both $`x_i \\ge 0`$; see `adam`."),
        ("Returns", "- number: Their sum."),
        ("Notes", "First.\n\n```math\n\\begin{aligned}\na &= 1 \\\\\nb &= 2\n\\end{aligned}\n```\n\nSecond."),
        ("Examples", "```pycon\n>>> 1 + 1\n2\n```"),
        ("Raises", ""),
    ],
)
def test_a_docstring_becomes_markdown(name: str, shown: str) -> None:
    assert section(spoken, name) == shown


def test_the_coverage_has_totals_quoted_lines_and_every_line() -> None:
    text = coverage(REGISTER)

    assert "| entries | 2 | 1 | 0 | 0 | 0 | 1 |" in text
    assert "| statements | 2 | 0 | 1 | 0 | 0 | 1 |" in text
    assert "| discrepancies | 2 | 0 | 0 | 0 | 1 | 1 |" in text
    assert "| [`adam`](#adam) | Adam | 2 |  | 1 |  |  | 1 |" in text
    assert "- **adam.C1**: It is fast. *An observation.*" in text
    assert "- **moons**: Moons. *A picture.*" in text
    assert "| P1 | The first step is $`-\\eta`$ | proof | [first step](../tests/statements/test_adam.py) |" in text
    assert "[`adam.follows_the_formula`](formulas/adam.md#follows_the_formula)" in text


def test_the_errata_have_what_is_printed_and_what_shows_it() -> None:
    text = errata(REGISTER)

    assert "- **Printed:** $`k`$\n- **Established:** $`k + 1`$\n- **Reading taken:** the latter\n" in text
    assert "- **Told apart by:** k = 0\n- **Shown by:** [first step](../tests/statements/test_adam.py)" in text
    assert "- **D002**: A letter. *Naming.*" in text
    assert "### D002" not in text


def test_a_formula_has_a_page_with_all_that_is_known_of_it() -> None:
    text = PAGES["formulas/adam.md"]

    assert get("adam").title in text
    for heading in ("Sources", "Call", "Notes", "Example", "Properties", "Neighbours"):
        assert f"\n## {heading}\n" in text
    assert "](../figures/adam_longest_steps.svg)" in text
    assert "- `adam_betas_swapped`: " in text
    assert "| [`adam_eps_hat`](adam_eps_hat.md) | " in text

"""The page: well-formed, alone in the world, and complete."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from conformance.html import render
from conformance.records import STATUSES, CheckRecord
from conformance.report import Report
from properties.catalogue import claims_for
from tests.helpers.reports import check_record, deviation, every_status, report_of

VOID = {"meta", "input", "br", "line", "rect", "path", "circle"}


class Reader(HTMLParser):
    """Reads a page, and fails where tags do not match."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.tags: list[str] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        values = dict(attrs)
        self.ids += [value for value in [values.get("id")] if value]
        self.links += [value for value in [values.get("href")] if value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)


def words(report: Report) -> str:
    """The text of a page, as a person reads it."""
    return re.sub(r"\s+", " ", " ".join(Reader(render(report)).text))


@pytest.mark.parametrize(
    "report", [every_status(), report_of(), report_of(deviation())], ids=["every status", "empty", "deviation"]
)
def test_tags_match_and_links_lead_somewhere(report: Report) -> None:
    page = Reader(render(report))

    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)


def test_the_page_needs_nothing_else() -> None:
    page = render(every_status())
    reader = Reader(page)

    assert not {"script", "link", "img", "iframe", "object"} & set(reader.tags)
    assert not re.search(r"https?://|@import|url\(|\ssrc=", page)


def test_the_same_records_give_the_same_page() -> None:
    slow = report_of(check_record(seconds=9.0), deviation(seconds=1.0))

    assert render(slow) == render(report_of(check_record(), deviation()))


def test_every_status_stands_as_a_word() -> None:
    text = words(every_status())

    assert [status for status in STATUSES if status.replace("-", " ") not in text] == []


def test_a_deviation_is_told_in_full() -> None:
    text = words(report_of(deviation()))

    for part in (
        "param of tensor 0, element 3, after step 2",
        f"from 0.4 ({(0.4).hex()}) to 0.41 ({(0.41).hex()})",
        f"0.45 ({(0.45).hex()})",
        "9 times the bound, 1,234 ulp",
        "this is adam_eps_hat",
        "exactstep run torch -k adam.follows_the_formula --seed 0",
        "learning_rate = 0.1",
        "step 2 grad missing",
    ):
        assert part in text, part


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (deviation(), "The simplest input found that shows it"),
        (deviation(status="expected-deviation"), "An input that shows it"),
        (deviation(status="crash"), "An input that shows it"),
    ],
    ids=["a deviation", "a known one", "a crash"],
)
def test_only_what_was_made_simpler_is_called_the_simplest(record: CheckRecord, said: str) -> None:
    assert said in words(report_of(record))


def test_a_bar_is_red_only_where_the_error_exceeds_the_bound() -> None:
    assert 'class="bar conforms"' in render(report_of(deviation(status="expected-deviation", error_over_bound=0.9)))
    assert 'class="bar deviates"' in render(report_of(deviation()))


def test_a_cell_that_needs_a_look_shows_no_share_of_what_conforms() -> None:
    matrix = render(report_of(check_record(property="other"), deviation())).partition('id="checks"')[0]

    assert 'class="bar' not in matrix
    assert "1 of 2 deviates" in matrix


def test_the_page_says_how_a_check_that_conforms_is_run_again() -> None:
    assert "exactstep run torch -k adam.follows_the_formula --seed 0" in words(report_of(check_record()))


def test_the_number_line_puts_what_came_outside_the_allowed_interval() -> None:
    page = render(report_of(deviation()))
    band = re.search(r'class="band" x="([\d.]+)" y="20" width="([\d.]+)"', page)
    came = re.search(r'class="came" cx="([\d.]+)"', page)

    assert band
    assert came
    assert float(came[1]) > float(band[1]) + float(band[2])


@pytest.mark.parametrize("ends", [("0x1p+0", "0x1p+0", "0x1p+0"), ("-inf", "inf", "nan"), ("0x1p+0", "0x1p+1", "nan")])
def test_what_has_no_place_on_a_line_is_not_drawn(ends: tuple[str, str, str]) -> None:
    record = deviation()
    found = {**(record.counterexample or {}), **dict(zip(("low", "high", "observed"), ends, strict=True))}

    page = render(report_of(deviation(counterexample=found)))

    assert "<svg" not in page
    assert "What needs a look" in page


def test_a_known_deviation_says_why() -> None:
    record = deviation(status="expected-deviation", message="It forgets its strides (seen by hand).")
    text = words(report_of(record))

    assert "1 known deviation: why, and by how much" in text
    assert "It forgets its strides (seen by hand)." in text
    assert "What needs a look" not in text


def test_claims_are_sentences() -> None:
    claim = claims_for("adam")[0]

    assert claim.sentence in words(report_of(check_record(property=claim.name)))


def test_an_unknown_formula_or_claim_keeps_its_name() -> None:
    text = words(report_of(check_record(formula="from_the_future", property="holds_one_day")))

    assert "from_the_future" in text
    assert "holds_one_day" in text


def test_a_section_ends_with_what_was_not_judged() -> None:
    blind = check_record(dtype="bfloat16", status="mistrusted", counted=False, blind_to=("adam_eps_hat",), unjudged=79)
    page = render(report_of(check_record(rejected=2), blind))
    section = page[page.index('class="implementation') :]
    ending = section[section.index("<h4>Not judged</h4>") : section.index("</details>\n</section>")]

    assert "Declared, but not run: maximize, sparse." in ending
    assert "2 inputs that the implementation refused." in ending
    assert "79 of 8,721 results" in ending
    assert "adam_eps_hat in bfloat16" in ending
    assert "learning_rate 0.001 to 10, steps 1 to 12" in ending


def test_a_section_tells_what_training_programs_went_through() -> None:
    page = render(report_of(check_record(exercised=("copied", "pickled"))))

    assert "Training programs went through: copied, pickled." in page
    assert "went through" not in render(report_of(check_record()))


def test_the_matrix_has_a_row_for_each_claim_and_a_column_for_each_dtype() -> None:
    page = render(report_of(check_record(), check_record(dtype="float64"), check_record(formula="adam_l2")))
    matrix = page[page.index('<table class="matrix">') : page.index("</table>")]

    assert matrix.count("<tr") == 3
    assert matrix.count("not run") == 1


def test_a_known_deviation_is_not_hidden_by_checks_that_conform() -> None:
    page = render(report_of(check_record(), deviation(property="other", status="expected-deviation")))
    row = page[page.index('<table class="matrix">') : page.index("</table>")]

    assert "conforms" in row
    assert "1 known deviation" in row
    assert '<tr class="expected-deviation">' in row
    assert '<details class="implementation expected-deviation">' in page


def test_devices_are_told_apart_only_if_there_are_several() -> None:
    one = render(report_of(check_record()))
    two = render(report_of(check_record(), check_record(device="cuda")))

    assert "float32<br><span class=soft>cuda</span>" in two
    assert "float32<br><span class=soft>cpu</span>" not in one[: one.index("</thead>")]


def test_text_from_outside_is_escaped() -> None:
    evil = "<script>alert(1)</script>&\"'"
    record = deviation(implementation=evil, message=evil, diagnosis=evil, reproduce=evil, precision=evil)

    assert "<script" not in render(report_of(record, target=evil, environment={evil: evil}))


def test_what_asks_for_a_look_is_open_and_the_rest_is_folded() -> None:
    page = render(report_of(check_record(implementation="lib.good"), deviation(implementation="lib.bad")))

    assert re.search(r'<details class="implementation deviates" open>', page)
    assert re.search(r'<details class="implementation conforms">', page)

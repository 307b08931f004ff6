import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.backends import Expectation
from conformance.errors import UsageError
from conformance.jsonlines import SCHEMA, Writer, begun, dumps, read
from conformance.records import STATUSES, CheckRecord
from tests.helpers.judging import HONEST, Spoilt, implementation, judged, rule_from
from tests.helpers.reports import check_record, deviation, every_status, report_of
from tests.helpers.schema import problems

LINE = json.loads(SCHEMA.read_text("utf-8"))
FLOATS = st.floats(allow_nan=False, width=64)

text = st.text(st.characters(codec="utf-8"))
records = st.builds(
    replace,
    st.sampled_from([check_record(), deviation()]),
    status=st.sampled_from(STATUSES),
    counted=st.booleans(),
    error_over_bound=FLOATS,
    ulps=FLOATS,
    separated=st.lists(text).map(tuple),
    message=text,
    ranges=st.dictionaries(text, st.lists(FLOATS, min_size=2, max_size=2)),
    seconds=FLOATS,
)


def lines_of(report):
    return [json.loads(line) for line in dumps(report).splitlines()]


@given(st.lists(records, max_size=3))
def test_a_report_comes_back_bit_for_bit(tmp_path_factory, found):
    path = tmp_path_factory.mktemp("reports") / "report.jsonl"
    report = report_of(*found)

    report.write(path)

    assert read(path) == report
    assert [record.seconds for record in read(path).checks] == [record.seconds for record in found]


@given(records)
def test_every_line_matches_the_schema(record):
    for line in lines_of(report_of(record)):
        assert problems(line, LINE) == []


def test_records_of_the_engine_match_the_schema():
    def crash(subject, grads):
        raise ValueError("no")

    expected = (Expectation("follows_the_formula", ("float64",), "why", "where", "all"),)
    ascent = rule_from(lambda theta, g, h: theta + h.learning_rate * g)
    found = [
        judged(HONEST),
        judged(ascent),
        judged(Spoilt(crash)),
        judged(implementation(ascent, expected=expected)),
        judged(implementation(HONEST, dtypes=())),
        judged(rule_from(lambda theta, g, h: theta * float("nan"))),
    ]

    assert len({record.status for record in found}) == 5
    for line in lines_of(report_of(*found)):
        assert problems(line, LINE) == []


@pytest.mark.parametrize(
    "change",
    [
        {"status": "fine"},
        {"ulps": 1.5},
        {"ulps": "1.5"},
        {"cases": -1},
        {"cases": True},
        {"id": "no id"},
        {"ranges": {"steps": ["0x1.0p+0"]}},
        {"counterexample": {}},
        {"counterexample": {"inputs": {}, "where": 1}},
        {"surprise": 1},
        {"line": "note"},
    ],
)
def test_the_schema_refuses_what_no_report_has(change):
    line = lines_of(report_of(deviation()))[1]

    assert problems(line, LINE) == []
    assert problems({**line, **change}, LINE) != []


def test_the_schema_refuses_a_line_that_lacks_something():
    for line in lines_of(every_status()):
        for name in line:
            assert problems({key: value for key, value in line.items() if key != name}, LINE) != []


def test_the_schema_knows_every_field_and_status():
    properties = LINE["$defs"]["check"]["properties"]

    assert list(properties) == ["line", *CheckRecord.__dataclass_fields__]
    assert tuple(LINE["$defs"]["status"]["enum"]) == STATUSES


def test_lines_are_there_as_soon_as_checks_end(tmp_path):
    path = tmp_path / "report.jsonl"
    report = report_of(check_record(), check_record(dtype="float64"))

    with Writer(path, replace(report, checks=())) as writer:
        assert len(path.read_text("utf-8").splitlines()) == 1
        for position, record in enumerate(report.checks, 2):
            writer.add(record)
            assert len(path.read_text("utf-8").splitlines()) == position
        writer.finish(report)

    assert path.read_text("utf-8") == dumps(report)


def test_an_interrupted_run_is_incomplete_and_says_so(tmp_path):
    path = tmp_path / "report.jsonl"
    report = report_of(check_record(), check_record(dtype="float64"))

    with pytest.raises(KeyboardInterrupt), Writer(path, replace(report, checks=())) as writer:
        writer.add(report.checks[0])
        raise KeyboardInterrupt

    found = read(path)
    assert found.checks == report.checks[:1]
    assert not found.complete
    assert not found.conforms
    assert found.status == "harness-error"


def test_a_file_that_breaks_off_within_a_line_is_incomplete(tmp_path):
    path = tmp_path / "report.jsonl"
    whole = dumps(report_of(check_record()))
    for length in range(whole.index("\n") + 1, len(whole)):
        path.write_text(whole[:length], "utf-8")

        assert not read(path).complete


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda lines: [], "its first line is not a header"),
        (lambda lines: lines[1:], "first line is not a header"),
        (lambda lines: ["[]", *lines], "line is not a header"),
        (lambda lines: ["{", *lines], "is no report: Expecting"),
        (lambda lines: [lines[0], lines[2]], "has 0 checks, its footer says 1"),
        (lambda lines: [lines[0], lines[0], *lines[1:]], "lines between header and footer must be checks"),
        (lambda lines: [lines[0].replace('"version": 1', '"version": 9'), *lines[1:]], "has version 9"),
    ],
)
def test_a_file_that_is_no_report_says_why(tmp_path, damage, message):
    path = tmp_path / "report.jsonl"
    lines = dumps(report_of(check_record())).splitlines()
    path.write_text("".join(f"{line}\n" for line in damage(lines)), "utf-8")

    with pytest.raises(UsageError, match=message):
        read(path)


@pytest.mark.parametrize("number", [0, 1, 3], ids=["header", "check", "footer"])
def test_a_line_that_is_damaged_anywhere_is_read_or_refused_in_words(tmp_path, number):
    path = tmp_path / "report.jsonl"
    whole = lines_of(report_of(deviation(), check_record()))
    refused = 0
    for name in whole[number]:
        for value in (None, 3, "x", [3], {"x": 3}, ...):
            damaged = {key: entry for key, entry in whole[number].items() if key != name}
            damaged |= {} if value is ... else {name: value}
            lines = [*whole[:number], damaged, *whole[number + 1 :]]
            path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")
            try:
                assert len(read(path).checks) == 2
            except UsageError as error:
                refused += str(path) in str(error)

    assert refused > len(whole[number])


def test_what_no_check_can_have_is_refused(tmp_path):
    path = tmp_path / "report.jsonl"
    path.write_text(
        dumps(report_of(check_record())).replace('"status": "conforms", "counted"', '"status": "fine", "counted"')
    )

    with pytest.raises(UsageError, match="is no report: ValueError: no check has the status 'fine'"):
        read(path)


HALF, WHOLE = report_of(check_record()), report_of(check_record(dtype="float64"), check_record())
IDS = [record.id for record in WHOLE.checks]


def test_nothing_has_been_begun_where_there_is_no_file(tmp_path):
    assert begun(tmp_path / "report.jsonl", HALF, IDS) == ()


def test_a_file_is_gone_on_with_from_any_place_where_it_breaks_off(tmp_path):
    path = tmp_path / "report.jsonl"
    text = dumps(replace(HALF, complete=False))
    last = '{"line": "check", "id": "adam'
    for length in range(len(last) + 1):
        path.write_text(text + last[:length], "utf-8")

        kept = begun(path, WHOLE, IDS)
        assert kept == HALF.checks
        with Writer(path, replace(WHOLE, checks=kept)) as writer:
            writer.add(WHOLE.checks[0])
            assert read(path).checks == (HALF.checks[0], WHOLE.checks[0])
            writer.finish(WHOLE)
        assert path.read_text("utf-8") == dumps(WHOLE)
    assert [file.name for file in tmp_path.iterdir()] == ["report.jsonl"]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"target": "torch 2.12.0"}, "its target is torch 2.13.0, and torch 2.12.0 here"),
        ({"seed": 8}, "its seed is 7, and 8 here"),
        ({"profile": "thorough"}, "its profile is quick, and thorough here"),
        ({"environment": {"torch": "2.13.0", "python": "3.12.1"}}, "its python is 3.11.7, and 3.12.1 here"),
        ({"environment": {"torch": "2.13.0"}}, "its python is 3.11.7, and None here"),
        ({"not_judged": {}}, "its not judged is "),
    ],
)
def test_what_another_run_has_left_is_no_beginning(tmp_path, other, message):
    path = tmp_path / "report.jsonl"
    path.write_text(dumps(HALF), "utf-8")

    with pytest.raises(UsageError) as error:
        begun(path, replace(WHOLE, **other), IDS)
    assert str(error.value).startswith(f"cannot resume {path}, which another run has left: {message}")


def test_checks_of_another_selection_are_no_beginning(tmp_path):
    path = tmp_path / "report.jsonl"
    path.write_text(dumps(HALF), "utf-8")

    with pytest.raises(UsageError, match=r"adam\..*float32,cpu\] is no check of this one"):
        begun(path, WHOLE, IDS[:1])


def test_a_report_that_is_there_stays_until_another_takes_its_place(tmp_path, monkeypatch):
    path = tmp_path / "report.jsonl"
    path.write_text(dumps(WHOLE), "utf-8")
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError("no more room")))

    with pytest.raises(OSError, match="no more room"):
        Writer(path, HALF)
    assert read(path) == WHOLE

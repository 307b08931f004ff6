from dataclasses import FrozenInstanceError, replace

import pytest

from conformance import UsageError
from conformance.jsonlines import read
from conformance.records import STATUSES, gravest
from conformance.report import exit_code, output_files
from tests.helpers.reports import check_record, deviation, every_status, report_of

CODES = {
    "harness-error": 5,
    "crash": 1,
    "timeout": 1,
    "deviates": 1,
    "unexpected-pass": 1,
    "flaky": 1,
    "mistrusted": 4,
    "conforms": 0,
    "expected-deviation": 0,
    "unsupported": 4,
}


@pytest.mark.parametrize("position", range(len(STATUSES)))
def test_a_report_has_the_gravest_status_of_its_checks(position):
    records = [check_record(status) for status in reversed(STATUSES[position:])]

    assert report_of(*records).status == STATUSES[position]


def test_what_is_not_counted_has_no_say():
    mistrusted = check_record("mistrusted", dtype="bfloat16", counted=False)

    assert report_of(mistrusted, check_record()).status == "conforms"


def test_a_report_without_counted_checks_is_unsupported():
    assert report_of().status == "unsupported"
    assert report_of(check_record("unsupported", counted=False)).status == "unsupported"
    assert gravest([]) == "unsupported"


@pytest.mark.parametrize("status", STATUSES)
def test_only_conforming_conforms(status):
    assert report_of(check_record(status)).conforms is (status == "conforms")


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_has_its_exit_code(status):
    assert exit_code(report_of(check_record(status))) == CODES[status]


def test_an_incomplete_report_does_not_conform():
    report = replace(report_of(check_record()), complete=False)

    assert not report.conforms
    assert exit_code(report) == 5


def test_a_report_is_frozen():
    with pytest.raises(FrozenInstanceError):
        report_of().seed = 1


def test_the_summary_is_what_the_console_shows():
    summary = report_of(deviation()).summary()

    assert "deviates" in summary
    assert deviation().diagnosis.split()[2] in summary
    assert "seed 7" in summary
    assert "\x1b" not in summary


def test_a_folder_gets_both_files(tmp_path):
    every_status().write(tmp_path / "new" / "folder")

    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == ["report.html", "report.jsonl"]


@pytest.mark.parametrize(("name", "start"), [("a.jsonl", '{"line": "header"'), ("b.html", "<!doctype html>")])
def test_a_file_gets_what_its_ending_says(tmp_path, name, start):
    every_status().write(str(tmp_path / name))

    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text("utf-8").startswith(start)


def test_what_was_written_is_read_back(tmp_path):
    every_status().write(tmp_path)

    assert read(tmp_path / "report.jsonl") == every_status()


def test_a_file_of_another_kind_is_not_overwritten(tmp_path):
    path = tmp_path / "thesis.tex"
    path.write_text("years of work", "utf-8")

    with pytest.raises(UsageError, match=r"output must be a folder or end in \.jsonl or \.html, got"):
        every_status().write(path)
    assert path.read_text("utf-8") == "years of work"


def test_a_folder_may_have_a_dot_in_its_name(tmp_path):
    assert [path.parent.name for path in output_files(tmp_path / "v1.2")] == ["v1.2", "v1.2"]

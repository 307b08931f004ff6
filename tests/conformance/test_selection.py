import pytest

from conformance.errors import UsageError
from conformance.selection import selector

ID = "adamw.decoupling@torch.optim.AdamW:fused[float32,cpu]"


@pytest.mark.parametrize(
    ("expression", "selected"),
    [
        (None, True),
        (ID, True),
        ("adamw", True),
        ("ADAMW and Fused", True),
        ("adamw and not fused", False),
        ("not foreach", True),
        ("not not foreach", False),
        ("foreach or fused and float32", True),
        ("(foreach or fused) and float64", False),
        ("not (foreach or float64)", True),
        ("@torch.optim.AdamW:fused[float32", True),
        ("android", False),
    ],
)
def test_expressions_select_by_parts_of_ids(expression, selected):
    assert selector(expression)(ID) is selected


@pytest.mark.parametrize(
    ("expression", "expected", "found"),
    [
        ("", "a part of an id", "the end"),
        ("adam and", "a part of an id", "the end"),
        ("or adam", "a part of an id", "'or'"),
        ("(adam", r"'\)'", "the end"),
        ("adam)", "the end", r"'\)'"),
        ("adam fused", "the end", "'fused'"),
    ],
)
def test_an_expression_that_cannot_be_read_says_where(expression, expected, found):
    with pytest.raises(UsageError, match=f"expected {expected}, found {found}"):
        selector(expression)

"""GitHub's expressions as the playground evaluates them for a job that has no machine yet."""

import pytest

from playground.actions.expressions import ExpressionError, Scope, Status

CONTEXTS = {
    "github": {"event_name": "push", "ref": "refs/heads/main", "run_id": 7},
    "needs": {"a": {"result": "success", "outputs": {"jobs": '["x", "y"]', "empty": ""}}},
    "inputs": {"groups": "[]", "really": False, "who": "it's ${{ github.ref }}"},
    "matrix": {"environment": "gbx1-Production"},
}


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("github.event_name == 'PUSH'", True),
        ("github['REF']", "refs/heads/main"),
        ("github.nothing.at.all", None),
        ("inputs.groups && 'yes' || 'no'", "yes"),
        ("inputs.really && 'yes' || 'no'", "no"),
        ("!inputs.really && !false", True),
        ("fromJSON(needs.a.outputs.jobs)[1]", "y"),
        ("needs.*.result", ["success"]),
        ("contains(needs.*.result, 'failure')", False),
        ("contains(fromJSON('[\"a\"]'), 'A')", True),
        ("startsWith(github.ref, 'refs/HEADS/')", True),
        ("endsWith(matrix.environment, 'Production')", True),
        ("format('{{{0}}} {1}', 'a', 2)", "{a} 2"),
        ("join(fromJSON('[1, true, null]'), '-')", "1-true-"),
        ("toJSON(fromJSON('{\"a\": 1}'))", '{\n  "a": 1\n}'),
        ("1 < 2 && '10' == 10 && 0x10 == 16", True),
        ("null == 0 && '' == 0 && true == 1", True),
        ("'it''s'", "it's"),
        ("(1 == 2 || 'b') == 'b'", True),
        ("needs.a.outputs.jobs[0]", None),
    ],
)
def test_an_expression_means_what_github_says(code: str, value: object) -> None:
    assert Scope(CONTEXTS).evaluate(code) == value


@pytest.mark.parametrize(
    "code", ["secrets.X", "nosuch()", "1 +", "'open", "fromJSON('{')", "a b", "format('{3}')"]
)
def test_what_github_would_refuse_is_refused(code: str) -> None:
    with pytest.raises(ExpressionError):
        Scope(CONTEXTS).evaluate(code)


def test_texts_are_put_together_once_and_never_read_again() -> None:
    assert Scope(CONTEXTS).text("Hello ${{ inputs.who }}!") == "Hello it's ${{ github.ref }}!"


def test_a_single_expression_keeps_its_type() -> None:
    given = {"environment": "${{ fromJSON(needs.a.outputs.jobs) }}", "n": "${{ 'a}}b' }}"}
    assert Scope(CONTEXTS).value(given) == {"environment": ["x", "y"], "n": "a}}b"}


@pytest.mark.parametrize(
    ("condition", "status", "met"),
    [
        (None, Status(), True),
        (None, Status(skipped=True), False),
        ("github.event_name == 'push'", Status(failed=True), False),
        ("always() && github.event_name == 'push'", Status(failed=True, cancelled=True), True),
        ("!failure() && !cancelled()", Status(skipped=True), True),
        ("!failure() && !cancelled()", Status(failed=True), False),
        ("${{ failure() }}", Status(failed=True), True),
        ("${{ cancelled() }}", Status(cancelled=True), True),
        ("'always()' == 'always()'", Status(failed=True), False),
        (False, Status(), False),
        (True, Status(), True),
        ("a ${{ false }}", Status(), True),
    ],
)
def test_a_condition_needs_success_unless_it_asks(
    condition: object, status: Status, met: object
) -> None:
    assert Scope(CONTEXTS, status).condition(condition) is met

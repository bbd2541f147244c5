"""The messages that ask for consent to data: in the run's thread, and to owners directly.

Pure: a question and its run go in, a `Notice` comes out, whatever state the question is in.
"""

from provisioning.operation import Operation
from provisioning.tables import ApprovalRow
from provisioning.text import Button, Notice, Text, bold, code, person, say

ANSWERS = {
    "granted": "Consent given",
    "refused": "Refused",
    "expired": "Timed out, nobody answered in time",
}


def question_notice(approval: ApprovalRow, run: Operation, *, direct: bool) -> Notice:
    """Return the message of a question about data as it stands; in a thread it calls the owners."""
    if approval.state != "open":
        return _answered(approval, run)
    what = subject(approval)
    owners = [part for owner in approval.approvers for part in (person(owner), " ")]
    request = say(
        person(run.requested_by),
        " asks to ",
        bold(what),
        " for the project ",
        bold(run.project),
        ". It is granted with this run, if you consent.",
    )
    first = say("You are asked as an owner of this data; one owner's word is enough.")
    yes, no = ("consent", approval.id, "yes"), ("consent", approval.id, "no")
    return Notice(
        summary=f"Consent needed: {what} for project {run.project}",
        body=(first if direct else say(*owners), request),
        footer=say("Question ", code(approval.id)),
        buttons=(
            Button(label="Consent", words=yes, style="primary"),
            Button(label="Refuse", words=no),
        ),
    )


def _answered(approval: ApprovalRow, run: Operation) -> Notice:
    said = ANSWERS.get(approval.state, "Withdrawn, the run has ended")
    answered = approval.state in ("granted", "refused")
    who = (" by ", person(approval.decided_by)) if answered else ()
    why = f": {approval.comment}" if approval.comment else ""
    about: Text = say(bold(subject(approval)), " for the project ", bold(run.project))
    return Notice(
        summary=f"{said}: {subject(approval)}",
        body=(about, say(said, *who, why)),
    )


def subject(approval: ApprovalRow) -> str:
    """Return what a data question is about: `read gbx1_prod.sales`."""
    return asked_for(approval.question)


def asked_for(question: str) -> str:
    """Return what a data question is about, by its name within the run."""
    _, securable, level = question.split("|")
    return f"{level} {securable}"

"""Linking against the stand-in GitHub: who gets linked, who is refused, and what is left of it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from linking_office import ADA, GRACE, ROSA, SAM, Office
from made_project import VendorWorld

from playground.faults import Fault
from provisioning import audit
from provisioning.database import Database
from provisioning.errors import PermanentError, TemporaryError, UserError
from provisioning.store.identities import chain

CONTROL = "this-control-is-found"


@pytest.fixture
def office(served: VendorWorld, each_database: Database) -> Office:
    return Office(served, each_database)


def test_who_enters_the_code_is_linked_told_and_audited(office: Office) -> None:
    assert office.linking.login_of(ADA) is None
    assert office.link(ADA, "ada").startswith("Linked: at GitHub you are ada. ")
    assert office.linking.login_of(ADA) == "ada"
    assert office.linking.person_of("Ada") == ADA
    assert office.whose(office.linking.token_of(ADA)) == "ada"
    assert office.linking.works(ADA)
    (entry,) = audit.history(office.database, chain(ADA))
    assert entry.detail == {"login": "ada", "github_id": 1001, "verdict": "linked"}


def test_nobody_is_linked_before_the_code_is_entered(office: Office) -> None:
    code = office.code(ADA)
    office.linking.look(code)
    assert office.linking.login_of(ADA) is None
    assert office.linking.pending(ADA) is not None
    with pytest.raises(UserError, match="Link your GitHub account first: /sciclops link"):
        office.linking.token_of(ADA)


def test_a_code_that_lasts_is_shown_again(office: Office) -> None:
    first = office.code(ADA)
    assert office.linking.begin(ADA).user_code == first.user_code
    office.clock.advance(timedelta(minutes=14))
    assert office.linking.begin(ADA).user_code != first.user_code


def test_who_asks_several_times_at_once_gets_one_code(office: Office) -> None:
    with ThreadPoolExecutor(8) as pool:
        codes = {code.user_code for code in pool.map(office.linking.begin, [ADA] * 8)}
    held = office.linking.pending(ADA)
    assert held is not None
    assert codes == {held.user_code}


def test_github_is_not_asked_more_often_than_it_wants(office: Office) -> None:
    code = office.code(ADA)
    for _ in range(3):
        office.linking.look(code)
    office.linking.look_at_all()
    held = office.linking.pending(ADA)
    assert held is not None
    assert held.interval == 5, "GitHub would have asked for a slower pace"


def test_when_github_asks_for_a_slower_pace_it_gets_it(office: Office) -> None:
    code = office.code(ADA)
    office.linking.look(code)
    early = office.store.identities
    early.slower(code.id, timedelta(seconds=1))
    office.clock.advance(timedelta(seconds=1))
    office.linking.look(code)
    held = office.linking.pending(ADA)
    assert held is not None
    assert held.interval == 10


@pytest.mark.parametrize("answer", ["denied", "expired", "settled"])
def test_what_ends_without_a_link_is_told_and_audited(office: Office, answer: str) -> None:
    code = office.code(ADA)
    words = {"denied": "said no", "expired": "has run out", "settled": "was lost"}[answer]
    if answer == "denied":
        office.flow.enter("ada", code.user_code, allow=False)
    elif answer == "expired":
        office.clock.advance(timedelta(minutes=16))
    else:
        office.flow.forget(code.user_code)
    office.linking.look_at_all()
    said = office.told(f"link:{code.id}")
    assert words in said
    assert "/sciclops link" in said
    assert office.linking.pending(ADA) is None
    assert office.linking.login_of(ADA) is None
    (entry,) = audit.history(office.database, chain(ADA))
    assert entry.what == "GitHub account not linked"


def test_an_account_of_somebody_else_is_refused_and_neither_learns_of_the_other(
    office: Office,
) -> None:
    office.link(ROSA, "rosa")
    before = office.everything().count(ROSA)
    said = office.link(ADA, "rosa")
    assert "cannot be linked to you" in said
    assert ROSA not in said
    assert office.linking.person_of("rosa") == ROSA
    assert office.linking.login_of(ADA) is None
    assert office.everything().count(ROSA) == before, "nothing new is said about or to Rosa"
    office.linking.tidy()
    assert office.flow.living("rosa") == 1, "the tokens of the refused link are revoked"
    assert office.whose(office.linking.token_of(ROSA)) == "rosa"


def test_who_is_no_member_of_the_organisation_is_refused(office: Office) -> None:
    assert "sam is no member of the organisation" in office.link(SAM, "sam")
    assert office.linking.login_of(SAM) is None
    office.linking.tidy()
    assert office.flow.living("sam") == 0


def test_who_left_meanwhile_is_not_linked_and_their_token_is_not_used(office: Office) -> None:
    office.link(ADA, "ada")
    code = office.code(GRACE)
    office.flow.enter("grace", code.user_code)
    office.staff.gone = {ADA, GRACE}
    office.linking.look_at_all()
    assert "only full members" in office.told(f"link:{code.id}")
    assert office.linking.login_of(GRACE) is None
    with pytest.raises(UserError, match="Only full members"):
        office.linking.token_of(ADA)


def test_another_account_replaces_the_first_only_when_that_was_agreed(office: Office) -> None:
    office.link(ADA, "ada")
    first = office.linking.token_of(ADA)
    assert "you are linked to another account" in office.link(ADA, "grace")
    assert office.linking.login_of(ADA) == "ada"
    assert "you are grace" in office.link(ADA, "grace", replaces="ada")
    assert office.linking.login_of(ADA) == "grace"
    assert office.linking.person_of("ada") is None
    office.linking.tidy()
    assert office.whose(first) is None
    assert (office.flow.living("ada"), office.flow.living("grace")) == (0, 1)


def test_tokens_survive_a_github_that_fails_before_it_says_whose_they_are(office: Office) -> None:
    code = office.code(ADA)
    office.flow.enter("ada", code.user_code)
    office.served.faults.add(Fault("github", "status", "GET .*/user$", times=1, status=502))
    with pytest.raises(TemporaryError):
        office.linking.look(code)
    office.clock.advance(timedelta(seconds=5))
    office.linking.look_at_all()
    assert office.linking.login_of(ADA) == "ada"
    assert office.flow.living("ada") == 1


def test_tokens_that_another_process_fetched_meanwhile_are_used(office: Office) -> None:
    seen_before = office.code(ADA)
    office.flow.enter("ada", seen_before.user_code)
    office.served.faults.add(Fault("github", "status", "GET .*/user$", times=1, status=502))
    with pytest.raises(TemporaryError):
        office.linking.look(seen_before)
    office.clock.advance(timedelta(seconds=5))
    assert not seen_before.tokens
    office.linking.look(seen_before)
    assert office.linking.login_of(ADA) == "ada"


def test_unlinking_makes_both_tokens_worthless_at_github(office: Office) -> None:
    office.link(ADA, "ada")
    token = office.linking.token_of(ADA)
    assert office.linking.unlink(ADA) == "ada"
    assert office.whose(token) is None
    assert office.flow.living("ada") == 0
    assert office.store.identities.discarded() == []
    assert office.linking.login_of(ADA) is None
    assert office.linking.unlink(ADA) is None
    assert office.linking.settings_page.endswith("/settings/apps/authorizations")


def test_unlinking_while_github_is_away_is_finished_later(office: Office) -> None:
    office.link(ADA, "ada")
    token = office.linking.token_of(ADA)
    away = Fault("github", "status", "/credentials/revoke", times=2, status=503)
    office.served.faults.add(away)
    office.linking.unlink(ADA)
    with pytest.raises(UserError):
        office.linking.token_of(ADA)
    office.linking.tidy()
    assert office.whose(token) == "ada"
    office.linking.tidy()
    assert office.whose(token) is None
    assert office.store.identities.discarded() == []


def test_tokens_that_cannot_be_revoked_are_forgotten_after_a_day(office: Office) -> None:
    office.link(ADA, "ada")
    refuses = Fault("github", "status", "/credentials/revoke", times=99, status=404)
    office.served.faults.add(refuses)
    office.linking.unlink(ADA)
    assert len(office.store.identities.discarded()) == 1
    office.clock.advance(timedelta(days=1))
    office.linking.tidy()
    assert office.store.identities.discarded() == []


def test_unlinking_before_the_code_is_entered_gives_it_up(office: Office) -> None:
    code = office.code(ADA)
    office.flow.enter("ada", code.user_code)
    office.linking.unlink(ADA)
    office.linking.look_at_all()
    assert office.linking.login_of(ADA) is None


def test_without_keys_nobody_is_linked_and_it_is_said_why(office: Office) -> None:
    bare = office.with_keys()
    assert not bare.is_set_up
    with pytest.raises(UserError, match=r"github\.client_id and security\.seal_keys"):
        bare.begin(ADA)
    bare.look_at_all()
    bare.tidy()


def test_an_app_without_the_device_flow_says_what_to_tick(office: Office) -> None:
    office.flow.enabled = False
    with pytest.raises(PermanentError, match="Enable Device Flow"):
        office.linking.begin(ADA)


def test_tokens_that_never_expire_are_refused_and_revoked(office: Office) -> None:
    office.flow.tokens_expire = False
    assert "token expiration" in office.link(ADA, "ada")
    assert office.linking.login_of(ADA) is None
    assert office.flow.tokens.of_login("ada") == []


def test_no_token_is_readable_in_the_database(office: Office) -> None:
    code = office.code(GRACE)
    office.link(ADA, "ada")
    office.link(SAM, "sam")
    office.link(ROSA, "ada")
    office.store.memos.set("control", {"planted": CONTROL})
    stored = office.everything()
    secrets = office.flow.secrets()
    assert len(secrets) >= 6
    assert not [one for one in secrets if one in stored]
    assert code.user_code in stored, "the half that people read may be there"
    assert CONTROL in stored
    assert "ghu_" not in stored
    assert "ghr_" not in stored


def test_a_stored_token_that_was_moved_to_somebody_else_is_not_used(office: Office) -> None:
    office.link(ADA, "ada")
    office.link(GRACE, "grace")
    stolen = office.store.identities.of(GRACE)
    mine = office.store.identities.of(ADA)
    assert stolen is not None
    assert mine is not None
    assert office.store.identities.reseal(ADA, mine.sealed, stolen.sealed)
    with pytest.raises(PermanentError, match="changed or moved"):
        office.linking.token_of(ADA)

"""Sealed texts open with the right key in the right place, and nowhere else."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.errors import PermanentError, UserError
from provisioning.sealing import KEY_BYTES, Seal, keys_of

OLD, NEW = b"o" * KEY_BYTES, b"n" * KEY_BYTES
PLACE = "identity:U-ada:1001"
SECRET = "ghu_" + "c4nary" * 5


def text(key: bytes) -> str:
    return base64.b64encode(key).decode()


@given(st.text())
def test_what_is_sealed_opens_again(words: str) -> None:
    seal = Seal([NEW])
    assert seal.open(seal.close(words, PLACE), PLACE) == words


def test_sealing_twice_gives_two_texts_that_show_nothing() -> None:
    seal = Seal([NEW])
    first, second = seal.close(SECRET, PLACE), seal.close(SECRET, PLACE)
    assert first != second
    assert SECRET not in first
    assert base64.b64encode(SECRET.encode()).decode()[:-2] not in first


def test_a_text_opens_in_no_other_place() -> None:
    seal = Seal([NEW])
    sealed = seal.close(SECRET, PLACE)
    for place in ("identity:U-mallory:1001", "identity:U-ada:1002", "granted:U-ada:1001", ""):
        with pytest.raises(PermanentError, match="changed or moved"):
            seal.open(sealed, place)


@pytest.mark.parametrize("position", [20, 30, -5])
def test_a_changed_text_does_not_open(position: int) -> None:
    seal = Seal([NEW])
    sealed = seal.close(SECRET, PLACE)
    other = "A" if sealed[position] != "A" else "B"
    at = position % len(sealed)
    with pytest.raises(PermanentError, match="changed or moved"):
        seal.open(sealed[:at] + other + sealed[at + 1 :], PLACE)


def test_all_keys_open_and_the_first_one_seals() -> None:
    sealed = Seal([OLD]).close(SECRET, PLACE)
    both = Seal([NEW, OLD])
    assert both.open(sealed, PLACE) == SECRET
    assert not sealed.startswith(both.current)
    again = both.close(SECRET, PLACE)
    assert again.startswith(both.current)
    assert Seal([NEW]).open(again, PLACE) == SECRET


@pytest.mark.parametrize("sealed", ["", "nonsense", "v1.0123456789ab.AAAA"])
def test_what_no_key_has_sealed_names_the_setting(sealed: str) -> None:
    with pytest.raises(PermanentError, match=r"security\.seal_keys"):
        Seal([NEW]).open(sealed, PLACE)


def test_a_text_under_another_keys_name_does_not_open() -> None:
    both = Seal([NEW, OLD])
    body = Seal([OLD]).close(SECRET, PLACE).rpartition(".")[2]
    with pytest.raises(PermanentError, match="changed or moved"):
        both.open(both.current + body, PLACE)


def test_keys_come_in_base64_separated_by_commas_or_spaces() -> None:
    urlsafe = base64.urlsafe_b64encode(b"\xff" * KEY_BYTES).decode()
    setting = f"{text(NEW)},{text(OLD)} , {urlsafe}"
    assert keys_of(setting) == (NEW, OLD, b"\xff" * KEY_BYTES)
    assert keys_of("") == ()


@pytest.mark.parametrize("bad", ["secret", "$$$", text(b"short"), text(NEW) + text(NEW)])
def test_a_key_that_is_none_says_which_and_how_to_make_one_but_not_the_key(bad: str) -> None:
    with pytest.raises(UserError, match=r"key 2 is not 32 bytes.*openssl rand") as refused:
        keys_of(f"{text(NEW)} {bad}")
    assert bad not in str(refused.value)
    assert text(NEW) not in str(refused.value)

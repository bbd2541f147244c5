"""Dialogs as people get them: Slack opens one in time, or they are told so and ask again."""

from collections.abc import Callable

from conversation import ANSWER_SECONDS
from playwright.sync_api import Locator, Page, expect

ANSWER_MS = ANSWER_SECONDS * 1000
TOO_LATE = "did not open in time"
TRIES = 5


def say(page: Page, words: str) -> None:
    """Type into the channel."""
    page.get_by_label("Message", exact=True).fill(words)
    page.keyboard.press("Enter")


def opened(page: Page, name: str, ask: Callable[[], None]) -> Locator:
    """Ask for a dialog, by words or by a button, and return it."""
    dialog = page.get_by_role("dialog", name=name)
    told = page.locator(".message").filter(has_text=TOO_LATE)
    for _ in range(TRIES):
        before = told.count()
        ask()
        expect(dialog.or_(told.nth(before))).to_be_visible(timeout=ANSWER_MS)
        if dialog.is_visible():
            break
    expect(dialog).to_be_visible()
    return dialog


def asked(page: Page, words: str, name: str) -> Locator:
    """Type a command, and return the dialog that it opens."""
    return opened(page, name, lambda: say(page, words))

"""Takes pictures of every place: `PYTHONPATH=.:tests python tests/browser/pictures.py DIRECTORY`.

In light and dark, on a desk and on a telephone; for looking at, and for the documentation.
"""

import sys
from pathlib import Path

from browser_seat import CHANNEL, CHROMIUM, QUIET, Served
from playwright.sync_api import Browser, Page, sync_playwright

SIZES = ((1280, 800), (400, 800))
PLACES = {
    "channel": f"c/{CHANNEL}",
    "random": "c/C0RANDOM",
    "home": "home",
    "github": "world/github",
    "faults": "faults",
    "file": "file/F1",
    "deliveries": "deliveries",
}


def take(browser: Browser, served: Served, directory: Path) -> None:
    """Save a picture of each place in each look."""
    for scheme in ("light", "dark"):
        for width, height in SIZES:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="light" if scheme == "light" else "dark",
            )
            page = context.new_page()
            _tour(page, served, directory / f"{scheme}-{width}")
            context.close()


def _tour(page: Page, served: Served, stem: Path) -> None:
    def keep(name: str) -> None:
        page.screenshot(path=f"{stem}-{name}.png")

    for name, place in PLACES.items():
        page.goto(f"{served.url}/as/U0ADA/{place}")
        page.wait_for_selector("body[data-live]")
        keep(name)
    page.goto(f"{served.url}/as/U0ADA/c/{CHANNEL}")
    page.wait_for_selector("body[data-live]")
    page.locator("#intro").scroll_into_view_if_needed()
    keep("landing")
    page.locator(".thread-link").click()
    page.wait_for_selector(".thread-pane .file")
    keep("thread")
    page.goto(f"{served.url}/as/U0ADA/c/{CHANNEL}")
    page.wait_for_selector("body[data-live]")
    _form(page)
    keep("form")
    page.get_by_role("button", name="Create Plan").click()
    page.wait_for_selector(".field > .error")
    keep("errors")
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_selector("dialog", state="detached")


def _form(page: Page) -> None:
    page.get_by_label("Message", exact=True).fill("/sciclops new")
    page.keyboard.press("Enter")
    page.get_by_label("Project name").fill("taken")
    page.wait_for_selector(".banner.info")
    page.get_by_label("GitHub team").fill("team-00")
    page.wait_for_selector(".options .active")


def main() -> None:
    """Take all pictures into the directory that the command line names."""
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    served = Served()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(QUIET))
            take(browser, served, directory)
            browser.close()
    finally:
        served.stop()


if __name__ == "__main__":
    main()

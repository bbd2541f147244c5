"""The newer blocks: plans and their tasks, tables, alerts, cards."""

from collections.abc import Mapping, Sequence

from playground.page.elements import element, image
from playground.page.html import Html, classes, join, tag
from playground.page.place import Place
from playground.page.rich_text import rich_text
from playground.slack.entities import Json

_STATUS = {
    "pending": "Not started",
    "in_progress": "In progress",
    "complete": "Done",
    "error": "Failed",
}


_WHOLE = _STATUS | {"pending": "Nothing in progress"}


def plan(block: Json, place: Place) -> Html:
    """Return a plan: its title, how many tasks are done, and its tasks.

    No total is shown: a plan does not say whether more tasks are to come, as those of a workflow
    run do, one by one.
    """
    tasks: list[Json] = block.get("tasks", [])
    statuses = [one.get("status", "pending") for one in tasks]
    overall = plan_status(statuses)
    count = tag("span", f"{statuses.count('complete')} done", class_="count") if tasks else None
    title = tag("span", place.words(block.get("title")), class_="title")
    head = tag("summary", _icon(overall, _WHOLE), title, count)
    inner = tag("ol", [tag("li", _task(one, place), class_="task") for one in tasks])
    return tag("details", head, inner, class_=f"plan-card {overall}", open=True)


def plan_status(statuses: Sequence[str]) -> str:
    """Return the status of a whole: failed if a part is, done if all are.

    What waits, for people or for a newer run, is not in progress.
    """
    if "error" in statuses:
        return "error"
    if statuses and all(one == "complete" for one in statuses):
        return "complete"
    return "in_progress" if "in_progress" in statuses else "pending"


def task_card(block: Json, place: Place) -> Html:
    """Return a task that stands by itself."""
    return tag("div", _task(block, place), class_="plan-card task single")


def _task(task: Json, place: Place) -> Html:
    status = task.get("status", "pending")
    parts = [
        tag("div", rich_text(task[name], place.reader), class_=name)
        for name in ("details", "output")
        if task.get(name)
    ]
    sources = [
        place.reader.link(one.get("url", ""), one.get("text") or one.get("url", ""))
        for one in task.get("sources") or []
    ]
    below = tag("div", [tag("span", one) for one in sources], class_="sources") if sources else None
    title = tag("div", place.words(task.get("title")), class_="task-title")
    body = tag("div", title, parts, below, class_="task-body")
    return tag("div", _icon(status), body, class_=f"task-row {status}", data_status=status)


def _icon(status: str, labels: Mapping[str, str] = _STATUS) -> Html:
    label = labels.get(status, status)
    return tag("span", class_=f"status {status}", role="img", aria_label=label, title=label)


def table(block: Json, place: Place) -> Html:
    """Return a table; its first row is the head."""
    rows: list[list[Json]] = block.get("rows", [])
    settings: list[Json | None] = block.get("column_settings") or []
    shown = [
        tag(
            "tr", [_cell(cell, at, settings, place, head=not number) for at, cell in enumerate(row)]
        )
        for number, row in enumerate(rows)
    ]
    inner = tag("table", tag("thead", shown[:1]), tag("tbody", shown[1:]))
    return tag("div", inner, class_="table-frame", tabindex="0", role="region", aria_label="Table")


def _cell(cell: Json, at: int, settings: list[Json | None], place: Place, *, head: bool) -> Html:
    setting = (settings[at] if at < len(settings) else None) or {}
    name = classes(setting.get("align"), "wrapped" if setting.get("is_wrapped") else None)
    if cell.get("type") == "rich_text":
        content = rich_text(cell, place.reader)
    else:
        content = join([str(cell.get("text", cell.get("value", "")))])
    if head:
        return tag("th", content, scope="col", class_=name or None)
    return tag("td", content, class_=name or None)


def alert(block: Json, place: Place) -> Html:
    """Return a whole form's message."""
    level = block.get("level") or "default"
    role = "alert" if level in ("error", "warning") else "status"
    glyph = {"error": "!", "warning": "!", "success": "✓"}.get(level, "i")
    mark = tag("span", glyph, class_="mark", aria_hidden="true")
    return tag(
        "div", mark, tag("div", place.words(block["text"])), class_=f"banner {level}", role=role
    )


def card(block: Json, place: Place) -> Html:
    """Return a card: picture, title, body and buttons."""
    hero = image(block["hero_image"], "picture") if block.get("hero_image") else None
    icon = image(block["icon"], "icon") if block.get("icon") else None
    texts = [
        tag("div", place.words(block[name]), class_=f"card-{name}")
        for name in ("title", "subtitle", "body")
        if block.get(name)
    ]
    buttons = [element(block, one, place) for one in block.get("actions") or []]
    below = tag("div", buttons, class_="block actions") if buttons else None
    return tag("article", hero, tag("div", icon, texts, class_="card-words"), below, class_="box")


def container_head(block: Json, place: Place) -> Html:
    """Return a container's title line."""
    rich = block.get("rich_text_title")
    title = rich_text(rich, place.reader) if rich else place.words(block.get("title"))
    subtitle = block.get("subtitle")
    icon = image(block["icon"], "icon") if block.get("icon") else None
    below = tag("small", place.words(subtitle)) if subtitle else None
    return join([icon, tag("strong", title), below])

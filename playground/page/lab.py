"""Faults, time and deliveries: what makes the playground a test bench."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from playground.clock import AdjustableClock
from playground.faults import Door, Fault, Faults
from playground.page.html import Html, join, tag
from playground.page.messages import Listed
from playground.page.reader import Reader
from playground.page.worlds import world_name
from playground.slack.entities import Attempt, Delivery
from provisioning.clock import Clock

MISFORTUNES = {
    "429": "429 Too many requests",
    "500": "500 Internal error",
    "502": "502 Bad gateway",
    "503": "503 Unavailable",
    "delay": "Slow answer",
    "drop": "Dropped connection",
}
STEPS = {"3600": "1 hour", "86400": "1 day", "604800": "7 days"}
SHOWN_DELIVERIES = 60
MOST_JSON = 20_000


@dataclass(frozen=True)
class Control:
    """A button that acts on the bot's process; `act` gets what was typed and says what it did.

    `asks` is the label of the one thing to type, such as the number of a step, `choices` are what
    it may be; `status` says what is in force; where it is not `offered` the button is not shown.
    """

    label: str
    act: Callable[[str], Awaitable[str]]
    about: str = ""
    asks: str = ""
    choices: Sequence[str] = ()
    danger: bool = False
    status: Callable[[], str] | None = None
    offered: Callable[[], bool] = lambda: True


def faults_view(faults: Faults, clock: Clock, controls: Mapping[str, Control]) -> Html:
    """Return the panel of everything that can be made to go wrong."""
    return join([_faults(faults), _process(controls), _time(clock)])


def _panel(title: str, about: str, *parts: Html | None) -> Html:
    return tag("section", tag("h2", title), tag("p", about, class_="muted"), parts, class_="panel")


def _faults(faults: Faults) -> Html:
    about = "The next requests at one door meet this. Everything else goes on as usual."
    doors = [(door, world_name(door)) for door in get_args(Door)]
    form = tag(
        "form",
        _select("Where", "door", doors),
        _select("What", "what", MISFORTUNES.items()),
        _typed("How many requests", "times", "3", "numeric"),
        _typed("Seconds (delay, Retry-After)", "seconds", "2", "decimal"),
        _typed("Only METHOD /path matching", "pattern", "", "text"),
        _ticked("Act first, then spoil the answer", "after_effect"),
        tag("button", "Switch On", type="submit", class_="button primary"),
        class_="grid-form",
        data_lab="fault",
    )
    struck = tag("p", f"Struck {faults.struck} times so far.", class_="muted", id="struck")
    return _panel("Faults", about, form, _active(faults), struck)


def _active(faults: Faults) -> Html:
    if not faults.active:
        return tag("p", "Nothing is switched on.", class_="calm")
    rows = [tag("li", tag("span", fault_words(one))) for one in faults.active]
    clear = tag("button", "Clear All", type="button", class_="button", data_lab="clear")
    return tag("div", tag("ul", rows, class_="active-faults"), clear)


def fault_words(fault: Fault) -> str:
    """Say what a fault will do."""
    what = {
        "status": str(fault.status),
        "delay": f"{fault.seconds:g} s delay",
        "drop": "dropped connection",
    }
    where = f" matching {fault.pattern}" if fault.pattern else ""
    left = f"{fault.times} more request{'' if fault.times == 1 else 's'}"
    return f"{world_name(fault.door)}: {what[fault.kind]} for {left}{where}"


def _process(controls: Mapping[str, Control]) -> Html | None:
    if not controls:
        return None
    about = "The bot is a process of its own. It must survive all of this."
    offered = {name: one for name, one in controls.items() if one.offered()}
    return _panel("The bot", about, *(_control(name, one) for name, one in offered.items()))


def _control(name: str, control: Control) -> Html:
    asked = _asked(name, control) if control.asks else None
    status = tag("strong", control.status(), class_="armed") if control.status else None
    style = "danger" if control.danger else ""
    button = tag("button", control.label, type="submit", class_=f"button {style}")
    words = tag("span", control.about, class_="muted")
    hidden = tag("input", type="hidden", name="name", value=name)
    parts = [hidden, status, asked, button, words]
    return tag("form", parts, class_="row-form", data_lab="control", id=f"control-{name}")


def _asked(name: str, control: Control) -> Html:
    key = f"{name}-argument"
    known = [tag("option", value=one) for one in control.choices]
    suggested = tag("datalist", known, id=f"{key}-choices") if known else None
    typed = _typed(control.asks, "argument", "", "text", key, suggested and f"{key}-choices")
    return join([typed, suggested])


def _time(clock: Clock) -> Html:
    now = tag("p", tag("b", f"{clock.now():%A, %Y-%m-%d %H:%M} UTC"), class_="calm")
    if not isinstance(clock, AdjustableClock):
        return _panel("Time", "This playground runs on the machine's clock.", now)
    buttons = [
        tag(
            "button",
            f"+ {label}",
            type="button",
            class_="button",
            data_lab="advance",
            data_seconds=step,
        )
        for step, label in STEPS.items()
    ]
    about = "Deadlines, expiry and key rotation obey this clock. It only goes forward."
    return _panel("Time", about, now, tag("div", buttons, class_="block actions"))


def _select(label: str, name: str, options: Iterable[tuple[str, str]]) -> Html:
    shown = [tag("option", words, value=value) for value, words in options]
    box = tag("select", shown, name=name, class_="text", id=f"lab-{name}", data_key=f"lab|{name}")
    return tag("label", label, box)


def _typed(
    label: str, name: str, value: str, mode: str, key: str = "", choices: str | None = None
) -> Html:
    key = key or name
    box = tag(
        "input",
        name=name,
        value=value,
        inputmode=mode,
        class_="text",
        id=f"lab-{key}",
        data_key=f"lab|{key}",
        list=choices,
        autocomplete="off",
        spellcheck="false",
    )
    return tag("label", label, box)


def _ticked(label: str, name: str) -> Html:
    box = tag("input", type="checkbox", name=name, id=f"lab-{name}", data_key=f"lab|{name}")
    return tag("label", box, tag("span", label), class_="tick")


def deliveries_view(deliveries: list[Delivery], reader: Reader) -> Listed:
    """Return what went to the app, newest first, with how it was acknowledged."""
    if not deliveries:
        words = "Nothing has been sent to the app yet. Type a command in a channel."
        return [("none", tag("p", words, class_="empty", id="none"))]
    newest = deliveries[-SHOWN_DELIVERIES:][::-1]
    return [(f"d-{one.id}", _delivery(one, reader)) for one in newest]


def _delivery(one: Delivery, reader: Reader) -> Html:
    answer = one.answer
    took = f"{one.ack_ms:.1f} ms" if one.ack_ms is not None else "—"
    again = len(one.attempts) - 1
    head = tag(
        "summary",
        tag("span", answer.outcome, class_=f"outcome {answer.outcome}"),
        tag("b", one.what),
        tag("span", reader.people.get(one.user, one.user), class_="who"),
        tag("span", f"{again} more time{'s' if again > 1 else ''}", class_="again")
        if again
        else None,
        tag("span", took, class_="took"),
        reader.time(str(one.attempts[0].at.timestamp()), "{time_secs}"),
    )
    button = tag(
        "button",
        "Deliver Again",
        type="button",
        class_="button small",
        data_lab="redeliver",
        data_id=one.id,
    )
    attempts = [tag("li", _attempt(each)) for each in one.attempts]
    parts = [
        tag("ol", attempts, class_="attempts"),
        tag("h3", "Ack"),
        tag("pre", readable(one.ack)),
        tag("h3", "Payload"),
        tag("pre", readable(one.payload)),
        button,
    ]
    return tag(
        "details",
        head,
        tag("div", parts),
        class_="delivery",
        id=f"d-{one.id}",
        data_outcome=answer.outcome,
    )


def _attempt(attempt: Attempt) -> str:
    took = f" after {attempt.answer.ms:.1f} ms" if attempt.answer.ms is not None else ""
    why = f", sent again: {attempt.reason}" if attempt.reason else ""
    return f"{attempt.at:%H:%M:%S} {attempt.answer.outcome}{took}{why}"


def readable(content: object) -> str:
    """Return JSON for reading, cut when it is very long."""
    if content in (None, "", {}):
        return "(empty)"
    words = (
        content
        if isinstance(content, str)
        else json.dumps(content, indent=2, ensure_ascii=False, default=str)
    )
    return (
        words
        if len(words) <= MOST_JSON
        else f"{words[:MOST_JSON]}\n… {len(words)} characters in all"
    )

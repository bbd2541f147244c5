import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.page.markdown import markdown
from playground.page.mrkdwn import mrkdwn
from playground.page.place import plain
from playground.page.reader import Reader
from playground.page.rich_text import rich_text

ADA = Reader(
    "U0ADA",
    {"U0ADA": "Ada Lovelace", "U0PAT": "Pat Summitt"},
    {"C1": "sciclops"},
    {"S1": "platform-team"},
    datetime(2026, 11, 23, 12, tzinfo=UTC),
)
HARMLESS = re.compile(
    "a|b|blockquote|br|code|del|div|em|h[3-6]|hr|li|ol|p|pre|"
    "span|strong|table|tbody|td|th|thead|time|tr|u|ul"
)


class Seen(HTMLParser):
    """Collects the elements and attributes of a text, and its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.words = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.parametrize(
    ("words", "html"),
    [
        ("*bold*", "<strong>bold</strong>"),
        ("_italic_ and ~gone~", "<em>italic</em> and <del>gone</del>"),
        ("*bold _both_*", "<strong>bold <em>both</em></strong>"),
        ("2*3*4 and snake_case_name", "2*3*4 and snake_case_name"),
        ("* not bold *", "* not bold *"),
        ("`*code*`", "<code>*code*</code>"),
        ("```\nx &lt; 1\n```", "<pre>x &lt; 1</pre>"),
        ("&gt; one\n&gt; two\nafter", "<blockquote>one<br>two</blockquote>after"),
        ("&gt;&gt;&gt;all\nof it", "<blockquote>all<br>of it</blockquote>"),
        ("a\nb", "a<br>b"),
        ("&lt;b&gt; &amp; co", "&lt;b&gt; &amp; co"),
        ("<@U0PAT>", '<span class="mention">@Pat Summitt</span>'),
        ("<@U0ADA|ada>", '<span class="mention me">@Ada Lovelace</span>'),
        ("<#C1|x>", '<a class="mention" href="/as/U0ADA/c/C1">#sciclops</a>'),
        ("<!subteam^S1>", '<span class="mention">@platform-team</span>'),
        ("<!channel>", '<span class="mention me">@channel</span>'),
        ("&lt;!channel&gt;", "&lt;!channel&gt;"),
        ("<javascript:alert(1)|x>", "&lt;javascript:alert(1)|x&gt;"),
        (":nosuch: 10:30:45", ":nosuch: 10:30:45"),
    ],
)
def test_mrkdwn_becomes(words: str, html: str) -> None:
    assert mrkdwn(words, ADA) == html


def test_links_open_elsewhere_and_tell_nobody_where_from() -> None:
    assert mrkdwn("<https://a.example/x_y_z?a=1&amp;b=2|the *page*>", ADA) == (
        '<a href="https://a.example/x_y_z?a=1&amp;b=2" target="_blank" rel="noopener noreferrer">'
        "the <strong>page</strong></a>"
    )


def test_a_vendor_s_address_may_lead_to_its_view_here() -> None:
    here = replace(ADA, follow=lambda url: "source/ada-7" if url.endswith("/acme/ada-7") else None)
    assert mrkdwn("<https://github.example/acme/ada-7|the code>", here) == (
        '<a href="/as/U0ADA/source/ada-7">the code</a>'
    )
    assert 'href="https://github.example/acme"' in mrkdwn("<https://github.example/acme>", here)


def test_a_bare_address_is_a_link_without_the_full_stop_after_it() -> None:
    assert 'href="https://a.example/b"' in mrkdwn("See https://a.example/b.", ADA)


@pytest.mark.parametrize(
    ("pattern", "shown"),
    [
        ("{date_num} {time}", "2026-11-23 9:05 AM"),
        ("{date_short_pretty} at {time}", "Today at 9:05 AM"),
        ("{date_long}", "Monday, November 23rd, 2026"),
        ("{date}", "November 23rd, 2026"),
        ("{date_short}", "Nov 23, 2026"),
        ("{time_secs}", "9:05:07 AM"),
        ("{ago}", "2 hours ago"),
        ("{nonsense}", "{nonsense}"),
    ],
)
def test_dates_are_written_for_the_reader(pattern: str, shown: str) -> None:
    stamp = int(datetime(2026, 11, 23, 9, 5, 7, tzinfo=UTC).timestamp())
    html = mrkdwn(f"<!date^{stamp}^{pattern}|fallback>", ADA)
    assert Seen(html).words == shown
    assert 'datetime="2026-11-23T09:05:07+00:00"' in html


def test_a_date_that_makes_no_sense_shows_its_fallback() -> None:
    assert mrkdwn("<!date^soon^{date}|some day>", ADA) == "some day"


def test_emoji_have_a_name_for_screen_readers() -> None:
    assert mrkdwn(":tada:", ADA) == (
        '<span class="emoji" role="img" aria-label="tada" title=":tada:">🎉</span>'
    )


def test_plain_text_parses_nothing_but_emoji() -> None:
    assert plain("<b> *x* &amp; <!channel>") == "&lt;b&gt; *x* &amp;amp; &lt;!channel&gt;"
    assert plain(":tada:", with_emoji=False) == ":tada:"


@given(st.text() | st.text(alphabet="<>&|*_~`!@#^:/\"' \nhtps.ax1"))
def test_nothing_that_is_written_makes_harmful_html(words: str) -> None:
    for html in (mrkdwn(words, ADA), markdown(words, ADA), plain(words)):
        seen = Seen(html)
        assert all(HARMLESS.fullmatch(tag) for tag in seen.tags)
        assert not {name for name, _ in seen.attributes if name.startswith("on") or name == "style"}
        addresses = [value for name, value in seen.attributes if name == "href"]
        assert all(
            value.startswith(("http://", "https://", "mailto:", "/as/")) for value in addresses
        )


@given(st.text(alphabet=st.characters(exclude_characters="\r\x00", exclude_categories=["Cs"])))
def test_rich_text_shows_what_was_typed_verbatim(words: str) -> None:
    block = {
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": words}]}]
    }
    assert Seen(rich_text(block, ADA).replace("<br>", "\n")).words == words


def test_rich_text_knows_all_its_elements() -> None:
    section = [
        {"type": "text", "text": "b", "style": {"bold": True, "italic": True}},
        {"type": "text", "text": "c", "style": {"code": True, "strike": True, "underline": True}},
        {"type": "user", "user_id": "U0PAT"},
        {"type": "channel", "channel_id": "C1"},
        {"type": "usergroup", "usergroup_id": "S1"},
        {"type": "emoji", "name": "rocket"},
        {"type": "broadcast", "range": "here"},
        {"type": "link", "url": "https://a.example"},
        {"type": "date", "timestamp": 0, "format": "{date_num}"},
        {"type": "color", "value": "#fff"},
    ]
    block = {
        "elements": [
            {"type": "rich_text_section", "elements": section},
            {
                "type": "rich_text_list",
                "style": "ordered",
                "indent": 1,
                "offset": 2,
                "elements": [
                    {"type": "rich_text_section", "elements": [{"type": "text", "text": "third"}]}
                ],
            },
            {"type": "rich_text_quote", "elements": [{"type": "text", "text": "said"}]},
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "a\nb"}]},
        ]
    }
    html = rich_text(block, ADA)
    assert "<strong><em>b</em></strong>" in html
    assert "<u><del><code>c</code></del></u>" in html
    assert '<ol class="rich indent1" start="3"><li><div class="rich">third</div></li></ol>' in html
    assert "<blockquote>said</blockquote>" in html
    assert '<pre class="rich">a\nb</pre>' in html
    words = Seen(html).words
    for part in (
        "@Pat Summitt",
        "#sciclops",
        "@platform-team",
        "🚀",
        "@here",
        "1970-01-01",
        "#fff",
    ):
        assert part in words


def test_markdown_has_headings_lists_tasks_tables_and_code() -> None:
    html = markdown(
        "# Ready\n\nIt **works**, _really_.\n- one\n- [x] two\n\n1. first\n\n> said\n\n---\n"
        "| a | b |\n|---|--:|\n| 1 | `2` |\n\n```python\nx < 1\n```\n[here](https://a.example)",
        ADA,
    )
    assert html.startswith("<h3>Ready</h3><p>It <strong>works</strong>, <em>really</em>.</p><ul")
    assert "☑ two" in html
    assert "<blockquote><p>said</p></blockquote><hr>" in html
    assert '<th scope="col">a</th>' in html
    assert "<td><code>2</code></td>" in html
    assert "<pre>x &lt; 1</pre>" in html
    assert 'href="https://a.example"' in html


def test_markdown_keeps_raw_html_as_text() -> None:
    assert markdown("<img src=x onerror=alert(1)>", ADA) == (
        "<p>&lt;img src=x onerror=alert(1)&gt;</p>"
    )

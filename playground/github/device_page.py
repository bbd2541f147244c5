"""The page of the stand-in GitHub where a person enters a device's code. Plain HTML, no script."""

from html import escape

from playground.github.world import World

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:3rem auto;padding:0 1rem;"
    "color-scheme:light dark}label{display:block;margin:1rem 0 .25rem}"
    "input,select,button{font:inherit;padding:.5rem .75rem;border-radius:.4rem;"
    "border:1px solid #888}input,select{width:100%;box-sizing:border-box}"
    "input{font-family:monospace;text-transform:uppercase;letter-spacing:.1em}"
    "button{margin:1.25rem .5rem 0 0}button[value=authorize]{background:#1f883d;color:#fff}"
)
PERMISSIONS = "It may do what both it and you may do, until you withdraw that."


def page(world: World) -> str:
    """Return the page with the form."""
    people = "".join(
        f'<option value="{escape(one.login)}">{escape(one.name)} ({escape(one.login)})</option>'
        for one in world.users.values()
    )
    return _document(
        "Connect a device",
        f"""<h1>Connect a device</h1>
<p>Enter the code that SciCLOps shows you. {PERMISSIONS}</p>
<form method="post" action="/login/device">
<label for="login">You are (here nobody needs a password)</label>
<select id="login" name="login" required>
<option value="">Choose who you are</option>{people}</select>
<label for="user_code">Code</label>
<input id="user_code" name="user_code" placeholder="ABCD-EFGH" maxlength="9" required autofocus
 autocomplete="off">
<button name="answer" value="authorize">Authorize SciCLOps</button>
<button name="answer" value="deny" formnovalidate>Cancel</button>
</form>""",
    )


def said(words: str) -> str:
    """Return the page after an answer."""
    back = '<p><a href="/login/device">Enter another code</a></p>'
    return _document("Device", f'<h1>GitHub</h1><p role="status">{escape(words)}</p>{back}')


def _document(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title} · stand-in GitHub</title><style>{STYLE}</style></head>"
        f"<body>{body}</body></html>"
    )

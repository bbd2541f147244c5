"""views.*, apps.connections.open, and the upload of files in three steps."""

from typing import Any

from aiohttp import web

from playground.cast import BOT_USER_ID
from playground.slack.blocks import view_problems, view_too_large
from playground.slack.entities import STACK_LIMIT, File, Json, Message, Refused, View
from playground.slack.web_api import Api, Arguments, Handler


def _invalid(*messages: str) -> Refused:
    return Refused("invalid_arguments", response_metadata={"messages": list(messages)})


def _view(arguments: Arguments, kind: str) -> Json:
    content = arguments.data("view", "invalid_arguments")
    if content is None:
        raise _invalid("[ERROR] missing required field: view")
    if problems := view_problems(content):
        raise _invalid(*problems)
    if content["type"] != kind:
        raise _invalid(f"[ERROR] must be {kind} [json-pointer:/view/type]")
    if view_too_large(content):
        raise Refused("view_too_large")
    view: Json = content
    return view


def open_view(api: Api, arguments: Arguments) -> Json:
    """views.open."""
    content = _view(arguments, "modal")
    trigger = api.workspace.take_trigger(arguments.need("trigger_id"))
    return {"view": api.workspace.open_view(trigger.user, content).payload()}


def push_view(api: Api, arguments: Arguments) -> Json:
    """views.push: on top of the modal in which the trigger arose."""
    content = _view(arguments, "modal")
    trigger = api.workspace.take_trigger(arguments.need("trigger_id"))
    stack = api.workspace.views(trigger.user)
    if trigger.view is None or trigger.view not in stack:
        raise Refused("not_found")
    if len(stack) >= STACK_LIMIT:
        raise Refused("push_limit_reached")
    return {"view": api.workspace.open_view(trigger.user, content).payload()}


def update_view(api: Api, arguments: Arguments) -> Json:
    """views.update: by either id; a hash guards against overwriting a newer version."""
    view = _existing(api, arguments)
    kind = str(view.content["type"]) if view else "modal"
    content = _view(arguments, kind)
    if view is None:
        raise Refused("not_found")
    return {"view": api.workspace.update_view(view, content, arguments.text("hash")).payload()}


def _existing(api: Api, arguments: Arguments) -> View | None:
    view_id, external_id = arguments.text("view_id"), arguments.text("external_id")
    if not view_id and not external_id:
        raise _invalid("[ERROR] missing required field: view_id or external_id")
    return api.workspace.find_view(view_id=view_id, external_id=external_id)


def publish_home(api: Api, arguments: Arguments) -> Json:
    """views.publish."""
    content = _view(arguments, "home")
    member = api.workspace.member(arguments.need("user_id"))
    view = api.workspace.publish_home(member.id, content, arguments.text("hash"))
    return {"view": view.payload()}


def open_connection(api: Api, _: Arguments) -> Json:
    """apps.connections.open: only for apps in Socket Mode."""
    if api.open_socket is None:
        raise Refused("socket_mode_not_enabled")
    return {"url": api.open_socket()}


# Files --------------------------------------------------------------------------------------


def get_upload_url(api: Api, arguments: Arguments) -> Json:
    """files.getUploadURLExternal."""
    name, length = arguments.need("filename"), arguments.number("length", 0)
    if length <= 0:
        raise _invalid("[ERROR] must be greater than 0 [json-pointer:/length]")
    created = int(api.workspace.clock.now().timestamp())
    file = File(api.workspace.next_id("F"), name, name, length, created=created)
    api.workspace.files[file.id] = file
    return {"upload_url": f"{api.workspace.base_url}/upload/v1/{file.id}", "file_id": file.id}


async def take_upload(api: Api, request: web.Request) -> web.Response:
    """Take the bytes of a file, as a form's file or as the body."""
    file = api.workspace.files.get(request.match_info["file"])
    if file is None or file.arrived:
        return web.Response(status=404, text="not found")
    content = await _bytes(request)
    if len(content) != file.size:
        return web.Response(status=400, text="length differs from the one announced")
    file.content, file.arrived = content, True
    return web.Response(text=f"OK - {len(content)}")


async def _bytes(request: web.Request) -> bytes:
    if request.content_type != "multipart/form-data":
        return await request.read()
    for part in (await request.post()).values():
        if isinstance(part, web.FileField):
            return part.file.read()
    return b""


def complete_upload(api: Api, arguments: Arguments) -> Json:
    """files.completeUploadExternal: shares the files in a channel or thread, if one is given."""
    wanted = arguments.data("files", "invalid_arguments")
    if not isinstance(wanted, list) or not wanted:
        raise _invalid("[ERROR] missing required field: files")
    files = [_finished(api, one) for one in wanted]
    if channel := arguments.text("channel_id"):
        _share(api, files, channel, arguments)
    api.workspace.feed.changed()
    return {"files": [{"id": one.id, "title": one.title} for one in files]}


def _finished(api: Api, wanted: Any) -> File:
    if not isinstance(wanted, dict):
        raise _invalid("[ERROR] must provide an object [json-pointer:/files/0]")
    file = api.workspace.files.get(str(wanted.get("id")))
    if file is None or not file.arrived:
        raise Refused("file_not_found")
    file.title = str(wanted.get("title") or file.name)
    return file


def _share(api: Api, files: list[File], channel: str, arguments: Arguments) -> None:
    place = api.visible(channel)
    if not api.workspace.bot_is_in(place):
        raise Refused("not_in_channel")
    thread_ts = arguments.text("thread_ts")
    if thread_ts and api.workspace.find_message(place.id, thread_ts) is None:
        raise Refused("thread_not_found")
    for file in files:
        file.channel, file.thread_ts = place.id, thread_ts
    comment = arguments.text("initial_comment")
    shared = Message(place.id, "", BOT_USER_ID, comment, thread_ts=thread_ts, files=files)
    api.workspace.add(shared)


METHODS: dict[str, Handler] = {
    "apps.connections.open": open_connection,
    "files.completeUploadExternal": complete_upload,
    "files.getUploadURLExternal": get_upload_url,
    "views.open": open_view,
    "views.publish": publish_home,
    "views.push": push_view,
    "views.update": update_view,
}

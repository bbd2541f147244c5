"""Merging one branch into another on GitHub's side, without a pull request."""

import asyncio

from playground.github import merging, payloads_repo, rules
from playground.github.auth import check
from playground.github.calls import Answer, Call, Operation, Refusal
from playground.github.hub import name_of


async def merge(call: Call) -> Answer:
    """Merge `head`, a branch or a commit, into the branch `base`."""
    name = f"refs/heads/{call.text('base')}"
    base, head = call.git.ref(name), call.git.resolve(call.text("head"))
    if base is None or head is None:
        raise Refusal(404, f"{'Base' if base is None else 'Head'} does not exist")
    if call.git.is_ancestor(head, base):
        return Answer(204)
    tree = await asyncio.to_thread(merging.merged_tree, call.git, base, head)
    if tree is None:
        raise Refusal(409, "Merge conflict")
    message = call.text("commit_message", f"Merge {call.text('head')} into {call.text('base')}")
    sha = merging.commit(call.world, call.repo, tree, [base, head], (name_of(call.actor), message))
    change = rules.RefChange(name, base, sha)
    if rules.touched_workflow(call.repo, change):
        check(call.world, call.actor, "workflows:write", call.repo)
    rules.refuse_violations(call.world, call.repo, call.actor, change)
    if call.git.ref(name) != base:
        raise Refusal(409, "Base branch was modified. Review and try the merge again.")
    call.git.set_ref(name, sha)
    call.hub.pushed(call.repo, change, call.actor)
    return Answer(201, payloads_repo.commit(call.root, call.world, call.repo, sha))


OPERATIONS = (Operation("POST", "/repos/{owner}/{repo}/merges", merge, "contents:write"),)

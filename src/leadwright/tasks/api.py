"""The routes of tasks."""

from typing import Annotated

from fastapi import Body, Depends, Query

from leadwright import ids
from leadwright.campaigns import service as campaigns
from leadwright.http.paging import paged, pagination, paging
from leadwright.http.route import CurrentCall, api_router, needs
from leadwright.ids import Prefix
from leadwright.pages import Page
from leadwright.senders import service as senders
from leadwright.tasks import service, wire
from leadwright.tasks.model import Wanted

router = api_router("tasks")
_ANSWER = needs("inbox:send")
Completed = Annotated[wire.CompleteTask | None, Body(examples=[{"note": "Sent from my phone"}])]
Skipped = Annotated[wire.SkipTask | None, Body(examples=[{"note": "Met her in person"}])]
Failed = Annotated[wire.FailTask | None, Body(examples=[{"code": "profile_unreachable"}])]


@router.get(
    "/tasks",
    summary="List what waits for a person",
    operation_id="list_tasks",
    response_model=wire.TaskList,
    response_model_exclude_unset=True,
    openapi_extra=needs("inbox:read"),
)
async def list_tasks(
    call: CurrentCall,
    page: Annotated[Page, Depends(paging(50))],
    sender_id: Annotated[str | None, Query(alias="senderId", description="Only tasks of this sender.")] = None,
    campaign_id: Annotated[str | None, Query(alias="campaignId", description="Only tasks of this campaign.")] = None,
) -> wire.TaskList:
    """What is to be done now, oldest first: the deeds of `manual` senders and the `manual_task` steps of all.

    Not what belongs to a campaign that rests or a sender that was removed; a task of theirs that was done by then
    can still be completed.
    """
    wanted = Wanted(_sender(sender_id), None if campaign_id is None else campaigns.known_id(campaign_id))
    found, total = await service.page(
        call.connection, call.workspace_id, wanted, after=page.after, offset=page.offset, limit=page.fetch
    )
    shown = [wire.task_body(task) for task in page.shown(found)]
    return paged(page, wire.TaskList(tasks=shown, pagination=pagination(page, total)), found)


def _sender(sender_id: str | None) -> str | None:
    bare = ids.bare(Prefix.SENDER, sender_id)
    if sender_id is not None and bare is None:
        raise senders.not_found()
    return bare


@router.get(
    "/tasks/{task_id}",
    summary="Read a task",
    operation_id="read_task",
    response_model=wire.TaskBody,
    openapi_extra=needs("inbox:read"),
)
async def read_task(task_id: str, call: CurrentCall) -> wire.TaskBody:
    """With the rendered text and the profile to open; `state` says whether it is open, or what came of it."""
    return wire.task_body(await service.read(call.connection, call.workspace_id, _bare(task_id)))


@router.post(
    "/tasks/{task_id}/complete",
    summary="Say that a task was done",
    operation_id="complete_task",
    response_model=wire.TaskResolved,
    openapi_extra=_ANSWER,
)
async def complete_task(task_id: str, call: CurrentCall, body: Completed = None) -> wire.TaskResolved:
    """Counts as the deed itself: its event goes out, and the lead goes on.

    Also one that was taken off the list meanwhile (`cancelled`), since its person has replied, for example: what was
    done was done.
    """
    outcome = (body or wire.CompleteTask()).outcome()
    done = await service.resolve(call.connection, call.workspace_id, _bare(task_id), outcome, call.now)
    return wire.resolved(done, "completed")


@router.post(
    "/tasks/{task_id}/skip",
    summary="Leave a task out",
    operation_id="skip_task",
    response_model=wire.TaskResolved,
    openapi_extra=_ANSWER,
)
async def skip_task(task_id: str, call: CurrentCall, body: Skipped = None) -> wire.TaskResolved:
    """The deed does not happen and costs none of the limits; the lead goes on with what follows."""
    outcome = (body or wire.SkipTask()).outcome()
    done = await service.resolve(call.connection, call.workspace_id, _bare(task_id), outcome, call.now)
    return wire.resolved(done, "skipped")


@router.post(
    "/tasks/{task_id}/fail",
    summary="Say that a task cannot be done",
    operation_id="fail_task",
    response_model=wire.TaskResolved,
    openapi_extra=_ANSWER,
)
async def fail_task(task_id: str, call: CurrentCall, body: Failed = None) -> wire.TaskResolved:
    """The deed did not happen and never will: the lead's sequence ends with the status that `code` stands for."""
    outcome = (body or wire.FailTask()).outcome()
    done = await service.resolve(call.connection, call.workspace_id, _bare(task_id), outcome, call.now)
    return wire.resolved(done, "failed")


def _bare(task_id: str) -> str | None:
    return ids.bare(Prefix.TASK, task_id)

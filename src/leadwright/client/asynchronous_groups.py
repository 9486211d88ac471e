"""The calls of the asynchronous client, by subject; ``calls`` says what each takes."""

from leadwright.client.binding import AsyncGroup, awaited, each_async, followed_async
from leadwright.client.calls import (
    account,
    actions,
    campaigns,
    events,
    inbox,
    leads,
    privacy,
    senders,
    suppressions,
    tasks,
    webhooks,
)


class AsyncLeads(AsyncGroup):
    """Leads, imports, and who is the same person."""

    add = awaited(leads.add)
    page = awaited(leads.page)
    read = awaited(leads.read)
    remove = awaited(leads.remove)
    set_status = awaited(leads.set_status)
    tag = awaited(leads.tag)
    untag = awaited(leads.untag)
    why = awaited(leads.why)
    history_page = awaited(leads.history_page)
    imports_page = awaited(leads.imports_page)
    read_import = awaited(leads.read_import)
    resolve = awaited(leads.resolve)
    join = awaited(leads.join)
    every = each_async(leads.every)
    history = each_async(leads.history)
    imports = each_async(leads.imports)


class AsyncCampaigns(AsyncGroup):
    """Campaigns."""

    create = awaited(campaigns.create)
    page = awaited(campaigns.page)
    read = awaited(campaigns.read)
    edit = awaited(campaigns.edit)
    start = awaited(campaigns.start)
    pause = awaited(campaigns.pause)
    resume = awaited(campaigns.resume)
    finish = awaited(campaigns.finish)
    sequence = awaited(campaigns.sequence)
    set_sequence = awaited(campaigns.set_sequence)
    stats = awaited(campaigns.stats)
    preview = awaited(campaigns.preview)
    validate = awaited(campaigns.validate)
    forecast = awaited(campaigns.forecast)
    delete = awaited(campaigns.delete)
    every = each_async(campaigns.every)


class AsyncWebhooks(AsyncGroup):
    """Webhook endpoints and their deliveries."""

    create = awaited(webhooks.create)
    every = awaited(webhooks.every)
    read = awaited(webhooks.read)
    edit = awaited(webhooks.edit)
    delete = awaited(webhooks.delete)
    enable = awaited(webhooks.enable)
    rotate_secret = awaited(webhooks.rotate_secret)
    send_test = awaited(webhooks.send_test)
    deliveries_page = awaited(webhooks.deliveries_page)
    read_delivery = awaited(webhooks.read_delivery)
    redeliver = awaited(webhooks.redeliver)
    redeliver_all = awaited(webhooks.redeliver_all)
    deliveries = each_async(webhooks.deliveries)


class AsyncAccount(AsyncGroup):
    """The key that asks, its workspace and that workspace's keys."""

    me = awaited(account.me)
    credit = awaited(account.credit)
    workspace = awaited(account.workspace)
    rename_workspace = awaited(account.rename_workspace)
    create_key = awaited(account.create_key)
    keys = awaited(account.keys)
    revoke_key = awaited(account.revoke_key)
    audit_page = awaited(account.audit_page)
    audit = each_async(account.audit)


class AsyncSuppressions(AsyncGroup):
    """The do-not-contact list."""

    add = awaited(suppressions.add)
    page = awaited(suppressions.page)
    remove = awaited(suppressions.remove)
    import_file = awaited(suppressions.import_file)
    export_part = awaited(suppressions.export_part)
    every = each_async(suppressions.every)


class AsyncEvents(AsyncGroup):
    """The event feed."""

    page = awaited(events.page)
    every = each_async(events.every)
    follow = followed_async(events.follow)


class AsyncPrivacy(AsyncGroup):
    """All that is held of one person."""

    erase = awaited(privacy.erase)
    export = awaited(privacy.export)


class AsyncSenders(AsyncGroup):
    """Accounts on whose behalf leads are approached."""

    create = awaited(senders.create)
    page = awaited(senders.page)
    read = awaited(senders.read)
    edit = awaited(senders.edit)
    remove = awaited(senders.remove)
    quotas = awaited(senders.quotas)
    standing = awaited(senders.standing)
    every = each_async(senders.every)


class AsyncInbox(AsyncGroup):
    """Conversations and messages."""

    conversations_page = awaited(inbox.conversations_page)
    read_conversation = awaited(inbox.read_conversation)
    messages_page = awaited(inbox.messages_page)
    mark_read = awaited(inbox.mark_read)
    send = awaited(inbox.send)
    send_to_lead = awaited(inbox.send_to_lead)
    connect = awaited(inbox.connect)
    conversations = each_async(inbox.conversations)
    messages = each_async(inbox.messages)


class AsyncTasks(AsyncGroup):
    """Deeds that wait for a person."""

    page = awaited(tasks.page)
    read = awaited(tasks.read)
    complete = awaited(tasks.complete)
    skip = awaited(tasks.skip)
    fail = awaited(tasks.fail)
    every = each_async(tasks.every)


class AsyncActions(AsyncGroup):
    """Deeds, and what became of them."""

    page = awaited(actions.page)
    resolve = awaited(actions.resolve)
    report = awaited(actions.report)
    receive = awaited(actions.receive)
    every = each_async(actions.every)

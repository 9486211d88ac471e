"""The calls of the blocking client, by subject; ``calls`` says what each takes."""

from leadwright.client.binding import Group, blocking, each, followed
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


class Leads(Group):
    """Leads, imports, and who is the same person."""

    add = blocking(leads.add)
    page = blocking(leads.page)
    read = blocking(leads.read)
    remove = blocking(leads.remove)
    set_status = blocking(leads.set_status)
    tag = blocking(leads.tag)
    untag = blocking(leads.untag)
    why = blocking(leads.why)
    history_page = blocking(leads.history_page)
    imports_page = blocking(leads.imports_page)
    read_import = blocking(leads.read_import)
    resolve = blocking(leads.resolve)
    join = blocking(leads.join)
    every = each(leads.every)
    history = each(leads.history)
    imports = each(leads.imports)


class Campaigns(Group):
    """Campaigns."""

    create = blocking(campaigns.create)
    page = blocking(campaigns.page)
    read = blocking(campaigns.read)
    edit = blocking(campaigns.edit)
    start = blocking(campaigns.start)
    pause = blocking(campaigns.pause)
    resume = blocking(campaigns.resume)
    finish = blocking(campaigns.finish)
    sequence = blocking(campaigns.sequence)
    set_sequence = blocking(campaigns.set_sequence)
    stats = blocking(campaigns.stats)
    preview = blocking(campaigns.preview)
    validate = blocking(campaigns.validate)
    forecast = blocking(campaigns.forecast)
    delete = blocking(campaigns.delete)
    every = each(campaigns.every)


class Webhooks(Group):
    """Webhook endpoints and their deliveries."""

    create = blocking(webhooks.create)
    every = blocking(webhooks.every)
    read = blocking(webhooks.read)
    edit = blocking(webhooks.edit)
    delete = blocking(webhooks.delete)
    enable = blocking(webhooks.enable)
    rotate_secret = blocking(webhooks.rotate_secret)
    send_test = blocking(webhooks.send_test)
    deliveries_page = blocking(webhooks.deliveries_page)
    read_delivery = blocking(webhooks.read_delivery)
    redeliver = blocking(webhooks.redeliver)
    redeliver_all = blocking(webhooks.redeliver_all)
    deliveries = each(webhooks.deliveries)


class Account(Group):
    """The key that asks, its workspace and that workspace's keys."""

    me = blocking(account.me)
    credit = blocking(account.credit)
    workspace = blocking(account.workspace)
    rename_workspace = blocking(account.rename_workspace)
    create_key = blocking(account.create_key)
    keys = blocking(account.keys)
    revoke_key = blocking(account.revoke_key)
    audit_page = blocking(account.audit_page)
    audit = each(account.audit)


class Suppressions(Group):
    """The do-not-contact list."""

    add = blocking(suppressions.add)
    page = blocking(suppressions.page)
    remove = blocking(suppressions.remove)
    import_file = blocking(suppressions.import_file)
    export_part = blocking(suppressions.export_part)
    every = each(suppressions.every)


class Events(Group):
    """The event feed."""

    page = blocking(events.page)
    every = each(events.every)
    follow = followed(events.follow)


class Privacy(Group):
    """All that is held of one person."""

    erase = blocking(privacy.erase)
    export = blocking(privacy.export)


class Senders(Group):
    """Accounts on whose behalf leads are approached."""

    create = blocking(senders.create)
    page = blocking(senders.page)
    read = blocking(senders.read)
    edit = blocking(senders.edit)
    remove = blocking(senders.remove)
    quotas = blocking(senders.quotas)
    standing = blocking(senders.standing)
    every = each(senders.every)


class Inbox(Group):
    """Conversations and messages."""

    conversations_page = blocking(inbox.conversations_page)
    read_conversation = blocking(inbox.read_conversation)
    messages_page = blocking(inbox.messages_page)
    mark_read = blocking(inbox.mark_read)
    send = blocking(inbox.send)
    send_to_lead = blocking(inbox.send_to_lead)
    connect = blocking(inbox.connect)
    conversations = each(inbox.conversations)
    messages = each(inbox.messages)


class Tasks(Group):
    """Deeds that wait for a person."""

    page = blocking(tasks.page)
    read = blocking(tasks.read)
    complete = blocking(tasks.complete)
    skip = blocking(tasks.skip)
    fail = blocking(tasks.fail)
    every = each(tasks.every)


class Actions(Group):
    """Deeds, and what became of them."""

    page = blocking(actions.page)
    resolve = blocking(actions.resolve)
    report = blocking(actions.report)
    receive = blocking(actions.receive)
    every = each(actions.every)

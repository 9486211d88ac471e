"""The client sends again what may be sent again, waits as the server says, and never does a thing twice."""

import asyncio

import httpx
import pytest

from leadwright.client import (
    AsyncClient,
    ClientError,
    ConnectionFailed,
    Forbidden,
    RateLimited,
    Retries,
    ServerFault,
    Unauthorized,
    Unavailable,
    UnreadableAnswer,
)

BUSY = (503, {"Retry-After": "7"})


async def names(client):
    return [campaign.name for campaign in (await client.campaigns.page(limit=100)).campaigns]


async def test_a_post_whose_answer_was_lost_is_done_once(through, proxy, direct, waited):
    proxy.verdicts = ["lose", "lose"]
    made = await through.campaigns.create("Done once")
    assert (await names(direct)).count("Done once") == 1
    assert (await direct.campaigns.read(made.id)).name == "Done once"
    assert [(method, path) for method, path, _ in proxy.seen] == [("POST", "/v1/campaigns")] * 3
    keys = {key for _, _, key in proxy.seen}
    assert len(keys) == 1
    assert None not in keys
    assert len(waited.seconds) == 2


async def test_each_call_has_a_key_of_its_own(through, proxy, direct):
    for _ in range(2):
        await through.campaigns.create("Twice meant")
    assert (await names(direct)).count("Twice meant") == 2
    assert len({key for _, _, key in proxy.seen}) == 2


async def test_a_key_of_the_callers_own_is_kept(through, proxy, direct):
    campaign = (await direct.campaigns.create("Keyed")).id
    for _ in range(2):
        added = await through.leads.add(campaign, [{"linkedinUrl": "in/jane"}], idempotency_key="batch-17")
        assert added.leads_added == 1
    assert [key for _, _, key in proxy.seen] == ["batch-17"] * 2
    assert (await direct.leads.page(campaign)).pagination.total == 1


@pytest.mark.parametrize("verdict", ["drop", 502, 504, BUSY, 429])
async def test_reading_goes_on_after_what_passes(through, proxy, verdict):
    proxy.verdicts = [verdict]
    assert (await through.account.me()).workspace.name == "Default"
    assert len(proxy.seen) == 2


async def test_retry_after_is_obeyed_and_other_waits_double(through, proxy, waited):
    proxy.verdicts = [BUSY, (429, {"Retry-After": "3"}), "drop", "drop", "drop"]
    await through.account.me()
    assert waited.seconds[:2] == [7, 3]
    for doubled, wait in zip((1.0, 2.0, 4.0), waited.seconds[2:], strict=True):
        assert doubled / 2 <= wait <= doubled


async def test_what_changes_something_is_not_sent_again_when_its_answer_was_lost(through, proxy, direct, startable):
    campaign = startable
    proxy.verdicts = ["lose"]
    with pytest.raises(ConnectionFailed, match="may have been done"):
        await through.campaigns.start(campaign)
    assert (await direct.campaigns.read(campaign)).status == "started"
    assert len(proxy.seen) == 1


@pytest.mark.parametrize("verdict", [BUSY, 429])
async def test_it_is_when_the_server_says_that_nothing_was_done(through, proxy, startable, verdict):
    campaign = startable
    proxy.verdicts = [verdict]
    assert (await through.campaigns.start(campaign)).new_status == "started"


@pytest.mark.parametrize(
    ("verdict", "error"), [(BUSY, Unavailable), (429, RateLimited), ("drop", ConnectionFailed), (502, ServerFault)]
)
async def test_at_some_point_it_gives_up(proxy, headers, waited, verdict, error):
    proxy.verdicts = [verdict] * 10
    retries = Retries(most=3)
    async with AsyncClient(proxy.url, headers["X-API-Key"], retries=retries, sleep=waited.later) as client:
        with pytest.raises(error):
            await client.account.me()
    assert (len(proxy.seen), len(waited.seconds)) == (4, 3)


async def test_a_wait_beyond_the_longest_ends_the_call(through, proxy, waited):
    proxy.verdicts = [(503, {"Retry-After": "3600"})]
    with pytest.raises(Unavailable) as caught:
        await through.account.me()
    assert (caught.value.retry_after, waited.seconds) == (3600, [])


async def test_what_cannot_pass_is_not_tried_again(through, proxy):
    proxy.verdicts = [500]
    with pytest.raises(ServerFault):
        await through.campaigns.create("Not again")
    assert len(proxy.seen) == 1


async def test_nobody_listening_is_tried_again_whatever_the_request(headers, waited, unused_port):
    async with AsyncClient(f"http://127.0.0.1:{unused_port}", headers["X-API-Key"], sleep=waited.later) as client:
        with pytest.raises(ConnectionFailed):
            await client.campaigns.start("camp_1")
    assert len(waited.seconds) == Retries().most


@pytest.fixture
def unused_port():
    import socket

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


async def test_the_blocking_client_does_the_same(proxy, blocking, waited, direct):
    proxy.verdicts = ["lose", BUSY, "drop"]

    def work():
        with blocking(url=proxy.url, sleep=waited) as client:
            return client.campaigns.create("Blocking once")

    made = await asyncio.to_thread(work)
    assert (await names(direct)).count("Blocking once") == 1
    assert (await direct.campaigns.read(made.id)).name == "Blocking once"
    assert len({key for _, _, key in proxy.seen}) == 1
    assert waited.seconds[1] == 7


async def test_another_server_at_the_address_is_noticed(proxy, through):
    proxy.verdicts = [200]
    with pytest.raises(UnreadableAnswer):
        await through.account.me()


async def test_a_page_of_a_proxy_keeps_its_status(proxy, through):
    proxy.verdicts = [403]
    with pytest.raises(Forbidden) as caught:
        await through.account.me()
    assert (caught.value.code, caught.value.request_id) == ("", None)


async def test_redirects_do_not_carry_the_key_away(proxy, through):
    proxy.verdicts = [(302, {"Location": "https://elsewhere.invalid/"})]
    with pytest.raises(ClientError):
        await through.account.me()
    assert len(proxy.seen) == 1


async def test_a_wrong_key_is_told_as_such(base_url):
    async with AsyncClient(base_url, "lw_live_wrong") as client:
        with pytest.raises(Unauthorized) as caught:
            await client.account.me()
    assert (caught.value.status, caught.value.code, caught.value.message) == (401, "api_key_invalid", "Invalid API key")


@pytest.mark.parametrize(
    ("url", "key"), [("127.0.0.1:8080", "k"), ("ftp://x", "k"), ("http://x", ""), ("http://x", "ü")]
)
def test_what_cannot_be_an_address_or_a_key_is_refused(url, key):
    with pytest.raises(ValueError, match="expected"):
        AsyncClient(url, key)


def test_the_timeout_is_the_callers(headers):
    client = AsyncClient("http://127.0.0.1", headers["X-API-Key"], timeout=5)
    assert client._http.timeout == httpx.Timeout(5)

"""Section 7 of the wire contract: who is the same person, as a caller sees it.

The whole table of vectors is held against the function in tests/identity; here each sentence once, over HTTP.
"""

import pytest

TOKEN = "ACoAABvectorAAA0000xyz"

SAME = [
    ("no scheme", "linkedin.com/in/jane-smith"),
    ("no scheme but slashes", "//www.linkedin.com/in/jane-smith"),
    ("http", "http://linkedin.com/in/jane-smith"),
    ("any case of the host", "HTTPS://WWW.LinkedIn.COM/in/jane-smith"),
    ("a country's host", "https://uk.linkedin.com/in/jane-smith"),
    ("the mobile host", "https://m.linkedin.com/in/jane-smith"),
    ("port 443", "https://www.linkedin.com:443/in/jane-smith"),
    ("port 80", "http://www.linkedin.com:80/in/jane-smith"),
    ("a query", "https://www.linkedin.com/in/jane-smith?trk=x&lipi=y"),
    ("a fragment", "https://www.linkedin.com/in/jane-smith#about"),
    ("trailing slashes", "https://www.linkedin.com/in/jane-smith//"),
    ("a locale", "https://www.linkedin.com/in/jane-smith/en"),
    ("a section", "https://www.linkedin.com/in/jane-smith/details/experience"),
    ("an overlay", "https://www.linkedin.com/in/jane-smith/overlay/contact-info"),
    ("recent activity", "https://www.linkedin.com/in/jane-smith/recent-activity/all"),
    ("white space at the ends", " \thttps://www.linkedin.com/in/jane-smith\n"),
    ("invisible characters at the ends", "\u200b\ufeffhttps://www.linkedin.com/in/jane-smith\u200e"),
    ("a bare path", "in/jane-smith"),
    ("another case of the slug", "https://www.linkedin.com/in/Jane-Smith"),
    ("percent-encoding", "https://www.linkedin.com/in/jane%2Dsmith"),
]

REFUSED = [
    ("https://linkedin.com.evil.example/in/jane", "wrong_host"),
    ("https://notlinkedin.com/in/jane", "wrong_host"),
    ("https://example.com/in/jane", "wrong_host"),
    ("https://jane:pw@www.linkedin.com/in/jane", "userinfo"),
    ("https://www.linkedin.com/company/acme", "not_a_person"),
    ("https://www.linkedin.com/school/mit", "not_a_person"),
    ("https://www.linkedin.com/jobs/view/1", "not_a_person"),
    ("https://www.linkedin.com/posts/jane_x", "not_a_person"),
    ("https://www.linkedin.com/search/results/people", "not_a_person"),
    ("https://lnkd.in/abc", "short_link"),
    ("https://www.linkedin.com/in/", "empty_slug"),
    ("https://www.linkedin.com/in/unavailable", "unavailable"),
    ("https://www.linkedin.com/in/jane smith", "bad_character"),
    ("https://www.linkedin.com/in/jane%2Fsmith", "bad_character"),
    ("https://www.linkedin.com/in/jane%00", "bad_character"),
    ("ftp://www.linkedin.com/in/jane", "bad_scheme"),
    ("javascript:alert(1)", "bad_scheme"),
    ("https://www.linkedin.com/in/" + "x" * 2_048, "too_long"),
    ("   ", "empty"),
    (5, "not_a_string"),
    ("jane", "not_a_url"),
]


async def resolve(own, url):
    answer = await own.post("/v1/identity/resolve", json={"linkedinUrl": url})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("url", [url for _, url in SAME], ids=[told for told, _ in SAME])
async def test_7_one_person_whatever_the_spelling(own, campaign, add, url):
    assert (await resolve(own, url))["identityKey"] == "slug:jane-smith"
    assert (await add(campaign, ["https://www.linkedin.com/in/jane-smith", url]))["duplicatesSkipped"] == 1


@pytest.mark.parametrize(("url", "code"), REFUSED, ids=[f"{code} {n}" for n, (_, code) in enumerate(REFUSED)])
async def test_7_what_names_no_person_is_refused_with_its_code(campaign, add, url, code):
    told = await add(campaign, [{"linkedinUrl": url}])
    assert (told["invalidEntries"], told["errors"][0]["code"]) == (1, code)


@pytest.mark.parametrize("url", ["https://www.linkedin.com/in/.", "https://www.linkedin.com/in/.."])
async def test_7_dots_name_no_person(campaign, add, url):
    assert (await add(campaign, [url]))["invalidEntries"] == 1


async def test_7_a_slug_is_decoded_once_lower_cased_and_composed(own):
    spellings = ["in/J%C3%BCrgen", "in/jürgen", "in/JÜRGEN", "in/ju\u0308rgen"]
    assert {(await resolve(own, url))["identityKey"] for url in spellings} == {"slug:jürgen"}
    once, twice = await resolve(own, "in/a%41"), await resolve(own, "in/a%2541")
    assert once["identityKey"] == "slug:aa"
    assert twice.get("identityKey") != "slug:aa"


async def test_7_lower_case_does_not_fold(campaign, add):
    assert (await add(campaign, ["in/strauß", "in/strauss"]))["leadsAdded"] == 2


@pytest.mark.parametrize("start", ["ACoAA", "ACwAA", "ACrAA"])
async def test_7_tokens_are_told_by_their_beginning_and_never_folded(own, campaign, add, start):
    token = f"{start}Bx9_-Z"
    assert (await resolve(own, f"in/{token}"))["identityKey"] == f"member_token:{token}"
    assert (await add(campaign, [f"in/{token}", f"in/{start}bx9_-z"]))["leadsAdded"] == 2
    assert (await resolve(own, f"in/{token.lower()}"))["kind"] == "slug"


@pytest.mark.parametrize("path", ["sales/lead", "sales/people"])
async def test_7_sales_tokens_are_their_own_kind_and_end_at_the_comma(own, campaign, add, path):
    url = f"https://www.linkedin.com/{path}/{TOKEN}"
    assert (await resolve(own, url))["identityKey"] == f"sales_token:{TOKEN}"
    assert (await add(campaign, [url, f"{url},NAME_SEARCH,abc"]))["duplicatesSkipped"] == 1
    assert (await add(campaign, [f"in/{TOKEN}"]))["leadsAdded"] == 1


async def test_7_the_old_form_of_a_slug(own):
    assert (await resolve(own, "linkedin.com/pub/jane-smith/1a/2b3/4c5"))["identityKey"] == "slug:jane-smith-4c52b31a"
    other = await resolve(own, "linkedin.com/pub/jane-smith/1/2b3/4c5")
    assert (other["kind"], other["identityKey"]) == ("pub", "pub:jane-smith/1/2b3/4c5")


async def test_7_answers_show_the_address_that_was_sent(campaign, add, leads_of):
    url = "https://UK.linkedin.com/in/Jane-Smith/?trk=x"
    await add(campaign, [url])
    assert (await leads_of(campaign))[0]["linkedinUrl"] == url


async def test_7_learned_aliases_join_and_every_look_up_follows_them(own, campaign, make_campaign, add):
    join = {"linkedinUrl": "in/jane-smith", "sameAs": f"in/{TOKEN}"}
    await add(campaign, ["in/jane-smith"])
    assert (await own.post("/v1/identity/aliases", json=join)).json()["learned"] is True
    assert (await add(campaign, [f"in/{TOKEN}"]))["duplicatesSkipped"] == 1
    await own.post("/v1/suppressions", json={"entries": [{"linkedinUrl": f"in/{TOKEN}"}]})
    told = await add(await make_campaign(), ["in/jane-smith"])
    assert told["errors"][0]["code"] == "suppressed"


async def test_7_aliases_are_each_workspaces_own(own, stranger):
    join = {"linkedinUrl": "in/jane-smith", "sameAs": f"in/{TOKEN}"}
    await own.post("/v1/identity/aliases", json=join)
    assert (await resolve(own, f"in/{TOKEN}"))["canonical"] == "slug:jane-smith"
    assert (await resolve(stranger, f"in/{TOKEN}"))["canonical"] == f"member_token:{TOKEN}"


async def test_7_of_two_leads_that_are_one_person_the_younger_stops(own, campaign, add, leads_of):
    await add(campaign, ["in/jane-smith"])
    await add(campaign, [f"in/{TOKEN}"])
    await own.post("/v1/identity/aliases", json={"linkedinUrl": f"in/{TOKEN}", "sameAs": "in/jane-smith"})
    assert [lead["status"] for lead in await leads_of(campaign)] == ["PENDING", "STOPPED"]


async def test_7_the_rules_are_versioned(own):
    assert (await resolve(own, "in/jane"))["version"] == 1

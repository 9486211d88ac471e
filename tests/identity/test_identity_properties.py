"""What holds for every spelling of every person: one key each, never shared, stable, and nothing raises."""

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import quote

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from leadwright.identity import Identity, IdentityKind, Refusal, linkedin_identity
from leadwright.identity.linkedin import common_identity, general_identity
from leadwright.identity.model import MAX_KEY_BYTES

# No deadline: a busy machine is no fault of the rules.
SEARCH = settings(max_examples=300, deadline=None)

TOKEN_TAIL = "ABCXYZabcxyz0189_-"
HEXADECIMAL = "0123456789abcdef"
INVISIBLE = " \t\r\n\u00a0\u3000\u200b\u200c\u200d\u200e\u200f\u2060\u2068\u2069\ufeff\u00ad"
BLANK = "".join(map(chr, [0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0x180B, 0x1810)]))
BLANK += "".join(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))
HOSTS = ["linkedin.com", "www.linkedin.com", "uk.linkedin.com", "m.linkedin.com", "www.de.linkedin.com"]
ENDS = ["", "/", "//", "/en", "/de-de/", "/details/experience/", "/overlay/contact-info", "/x/100%/é"]
QUERIES = ["", "?", "?trk=abc", "?next=/in/jane-smith&x=%zz@", "#top", "#/../jane-smith", "?a=b#c?d"]


@dataclass(frozen=True)
class Person:
    """Somebody, in the words of the rules: `folds` says that letter case in the name does not matter."""

    kind: IdentityKind
    key: str
    doors: tuple[str, ...]
    parts: tuple[str, ...]
    folds: bool


def folded(text: str) -> str:
    return unicodedata.normalize("NFC", text.lower())


@st.composite
def slugs(draw: st.DrawFn) -> str:
    letters = st.characters(exclude_categories=("C", "Z"), exclude_characters="/\\?#%" + BLANK)
    slug = draw(st.one_of(st.text("abcxyz019-", min_size=1), st.text(letters, min_size=1, max_size=40)))
    assume(slug not in (".", "..") and folded(slug) not in ("unavailable", "me") and not slug.startswith("AC"))
    return slug


@st.composite
def persons(draw: st.DrawFn) -> Person:
    kind = draw(st.sampled_from(IdentityKind))
    if kind is IdentityKind.SLUG:
        slug = draw(slugs())
        return Person(kind, folded(slug), ("/in/", "/mwlite/in/", "/comm/in/"), (slug,), folds=True)
    if kind is IdentityKind.PUB:
        return draw(public_persons())
    prefix = draw(st.sampled_from(["ACoAA", "ACwAA", "ACrAA"]))
    token = prefix + draw(st.text(TOKEN_TAIL, max_size=34))
    doors = ("/in/",) if kind is IdentityKind.MEMBER_TOKEN else ("/sales/lead/", "/sales/people/")
    return Person(kind, token, doors, (token,), folds=False)


@st.composite
def public_persons(draw: st.DrawFn) -> Person:
    name = draw(slugs())
    assume(folded(name) != "dir")
    a, b, c = (draw(st.text(HEXADECIMAL, min_size=1, max_size=4)) for _ in "abc")
    parts = (name, a, b, c)
    if (len(a), len(b), len(c)) == (2, 3, 3):
        return Person(IdentityKind.SLUG, f"{folded(name)}-{c}{b}{a}", ("/pub/",), parts, folds=True)
    return Person(IdentityKind.PUB, f"{folded(name)}/{a}/{b}/{c}", ("/pub/",), parts, folds=True)


@st.composite
def recased(draw: st.DrawFn, text: str) -> str:
    """In another case, letter by letter; only letters whose upper case has but one lower case."""
    mask = draw(st.integers(0, 2 ** len(text) - 1))
    return "".join(other_case(char) if mask >> place & 1 else char for place, char in enumerate(text))


def other_case(char: str) -> str:
    # Which small sigma a capital one becomes hangs on its place in the word.
    upper = char.upper()
    return upper if len(upper) == 1 and upper.lower() == char and char not in "σς" else char


@st.composite
def escaped(draw: st.DrawFn, text: str) -> str:
    mask = draw(st.integers(0, 2 ** len(text) - 1))
    hexadecimal = draw(st.sampled_from(["%{:02X}", "%{:02x}"]))
    return "".join(
        "".join(map(hexadecimal.format, char.encode())) if mask >> place & 1 else char
        for place, char in enumerate(text)
    )


@st.composite
def spelled(draw: st.DrawFn, person: Person) -> str:
    parts = person.parts
    if person.folds:
        form = draw(st.sampled_from(["NFC", "NFD"]))
        parts = tuple(unicodedata.normalize(form, draw(recased(part))) for part in parts)
    else:
        parts = tuple(part + draw(st.sampled_from(["", ",", ",NAME_SEARCH,k9Zq"])) for part in parts)
    door = draw(recased(draw(st.sampled_from(person.doors))))
    path = door + "/".join(draw(escaped(part)) for part in parts)
    return draw(placed(path + draw(st.sampled_from(ENDS)) + draw(st.sampled_from(QUERIES))))


@st.composite
def placed(draw: st.DrawFn, path: str) -> str:
    """Under one of the hosts, or bare where that is allowed, with invisible characters around."""
    before, after = draw(st.text(INVISIBLE, max_size=3)), draw(st.text(INVISIBLE, max_size=3))
    if path[:4].lower() == "/in/" and draw(st.booleans()):
        return before + path[draw(st.integers(0, 1)) :] + after
    scheme = draw(st.sampled_from(["", "//", "http://", "https://"]))
    host = draw(recased(scheme + draw(st.sampled_from(HOSTS))))
    return before + host + draw(st.sampled_from(["", ":443", ":80", ":"])) + path + after


def pieces() -> st.SearchStrategy[str]:
    """Texts that look like addresses often enough to get past the first check."""
    words = [
        "https://",
        "http:",
        "//",
        "/",
        "\\",
        "www.",
        "uk.",
        "linkedin.com",
        "LinkedIn.com",
        ":443",
        ":80",
    ]
    words += ["/in/", "in/", "/IN/", "/pub/", "/sales/lead/", "/mwlite", "john-doe", "ACoAA", "ACwAABz", "a7"]
    words += [
        "/576/b50",
        ",",
        "?",
        "#",
        "@",
        "%",
        "%2F",
        "%C3%BC",
        "%41",
        "%2541",
        "%00",
        ".",
        "..",
        "unavailable",
    ]
    words += [
        "Σ",
        "İ",
        "ß",
        "u\u0308",
        "\u200d",
        "\u200b",
        "\x00",
        "\ud800",
        " ",
        "\n",
        ";",
        "&",
        "lnkd.in",
        "-",
        "_",
    ]
    anything = st.text(st.characters(exclude_categories=()), max_size=5)
    return st.lists(st.one_of(st.sampled_from(words), anything), max_size=12).map("".join)


def addresses() -> st.SearchStrategy[str]:
    starts = ["", "in/", "https://www.linkedin.com/in/", "linkedin.com/sales/lead/ACwAA", "linkedin.com/pub/"]
    return st.tuples(st.sampled_from(starts), pieces()).map("".join)


def address_of(identity: Identity) -> str:
    doors = {IdentityKind.SALES_TOKEN: "linkedin.com/sales/lead/", IdentityKind.PUB: "linkedin.com/pub/"}
    return doors.get(identity.kind, "in/") + re.sub("[?#%]", lambda found: quote(found[0]), identity.key)


@SEARCH
@given(st.data())
def test_every_spelling_of_a_person_gives_the_one_key(data: st.DataObject) -> None:
    person = data.draw(persons())
    assert linkedin_identity(data.draw(spelled(person))) == Identity(person.kind, person.key)


@SEARCH
@given(st.data())
def test_two_persons_never_share_a_key(data: st.DataObject) -> None:
    one, other = data.draw(persons()), data.draw(persons())
    assume((one.kind, one.key) != (other.kind, other.key))
    assert linkedin_identity(data.draw(spelled(one))) != linkedin_identity(data.draw(spelled(other)))


@SEARCH
@given(st.text("?#%41aZ-", min_size=1), st.sampled_from(ENDS), st.sampled_from(QUERIES))
def test_a_name_is_decoded_once(name: str, end: str, query: str) -> None:
    expected = Identity(IdentityKind.SLUG, name.lower())
    once = quote(name, safe="")
    assert linkedin_identity(f"https://www.linkedin.com/in/{once}{end}{query}") == expected
    twice = quote(once, safe="")
    assert linkedin_identity(f"in/{twice}") == Identity(IdentityKind.SLUG, once.lower())


@SEARCH
@given(st.text(BLANK + INVISIBLE, max_size=4), st.text(BLANK + INVISIBLE, max_size=4), st.text("abc-", min_size=1))
def test_what_nobody_sees_is_dropped_at_the_edges_and_refused_inside(before: str, after: str, name: str) -> None:
    assert linkedin_identity(f"{before}in/{name}{after}") == Identity(IdentityKind.SLUG, name)
    inside = linkedin_identity(f"in/{name}{after}{name}")
    joined = set(after) <= {"\u200c", "\u200d"}
    assert isinstance(inside, Identity if joined else Refusal)


@SEARCH
@given(st.text(TOKEN_TAIL, min_size=1), st.data())
def test_tokens_that_differ_in_case_are_two_persons(tail: str, data: st.DataObject) -> None:
    other = data.draw(recased(tail))
    assume(other != tail)
    assert linkedin_identity(f"in/ACoAA{tail}") != linkedin_identity(f"in/ACoAA{other}")


@SEARCH
@given(addresses())
@example("in/" + "a" * (MAX_KEY_BYTES - 1) + "İ")
@example("in/" + "a" * (MAX_KEY_BYTES - 3) + "İ")
@example("https://www.linkedin.com/in/john%2541")
def test_a_key_is_storable_and_names_the_same_person_again(url: str) -> None:
    answer = linkedin_identity(url)
    if isinstance(answer, Identity):
        assert answer.key
        assert "\x00" not in answer.key
        assert len(answer.key.encode("utf-8")) <= MAX_KEY_BYTES
        assert linkedin_identity(address_of(answer)) == answer


@SEARCH
@given(st.one_of(addresses(), st.text(st.characters(exclude_categories=())), st.binary(), st.integers(), st.floats()))
def test_whatever_it_is_given_it_answers(thing: object) -> None:
    assert isinstance(linkedin_identity(thing), (Identity, Refusal))


@SEARCH
@given(
    st.one_of(
        addresses(),
        st.from_regex(r"(https?://)?(www\.|[a-z]{2}\.)?linkedin\.com/in/[A-Za-z0-9_-]+/?(\?[!-~]*)?", fullmatch=True),
    )
)
@example("https://www.linkedin.com/in/unavailable")
@example("https://www.linkedin.com/in/ACoAAB")
@example("https://www.linkedin.com/in/john-doe\n")
@example("https://www.linkedin.com/in/john-doe?" + "x" * 2048)
def test_the_short_cut_says_what_the_rules_say(url: str) -> None:
    assert common_identity(url) in (None, general_identity(url))


def test_the_short_cut_takes_the_most_frequent_address() -> None:
    assert common_identity("https://www.linkedin.com/in/john-doe") == (IdentityKind.SLUG, "john-doe")
    assert common_identity("http://uk.linkedin.com/in/John-Doe/?trk=x") == (IdentityKind.SLUG, "john-doe")


@SEARCH
@given(st.text(st.characters(exclude_categories=("C", "Z")), max_size=8))
@example("ΑΣ\u0345Σ")
@example("İ\u0327")
def test_folding_is_stable_and_blind_to_composition(text: str) -> None:
    assert folded(folded(text)) == folded(text)
    assert folded(unicodedata.normalize("NFD", text)) == folded(text)

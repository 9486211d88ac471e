"""What a template makes of a lead: texts, fallbacks, conditions, and the names of what is missing."""

import tracemalloc

import pytest

from leadwright.templates import Missing, Rendered, RenderError, RenderLimitError, compile_template

LEAD = {
    "firstName": "Jane",
    "lastName": None,
    "company": "Acme",
    "title": "CEO",
    "blank": "  ",
    "Job Title": "Chief",
    "first-name": "Janie",
    "customScore": 85,
    "empty": "not empty",
    "rate": 85.0,
    "half": 0.5,
    "hiring": False,
    "zero": 0,
    "employees": "120",
    "R&D budget (€)": "5m",
    "Reason for contact": "a fair",
    "company.city": "Bern",
    "sender": "the column",
}
SENDER = {"firstName": "Sam", "lastName": " "}


def render(source: str) -> str | tuple[str, ...]:
    result = compile_template(source).render(LEAD, SENDER, seed=7)
    return result.text if isinstance(result, Rendered) else result.fields


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Hi {{firstName}}!", "Hi Jane!"),
        ("{{ Job Title }}", "Chief"),
        ('{{ Job Title | default: "x" }}', "Chief"),
        ("{{first-name}}", "Janie"),
        ("{{ FIRST_NAME }}", ("FIRST_NAME",)),  # Two fields fold to it and differ.
        ("{{ job_title }} {{ custom score }}", "Chief 85"),
        ("{{ companyName }}", "Acme"),
        ('{{ ["Job Title"] }}', "Chief"),
        ("{{ R&D budget (€) | append: '!' }}", "5m!"),
        ("{{ Reason for contact }}", "a fair"),
        ("{{ company.city }}", "Bern"),
        ("{{ sender.firstName }}, {{sender.first_name}}", "Sam, Sam"),
        ("{{ sender }}, {{ empty }}", "the column, not empty"),
        ("{{customScore}} {{rate}} {{half}} {{hiring}} {{zero}}", "85 85 0.5 false 0"),
        ("{{ rate | append: '%' }} {{ hiring | upcase }}", "85% FALSE"),
        ("line\r\n<b>{{firstName}}</b> & co", "line\r\n<b>Jane</b> & co"),
    ],
)
def test_values_are_found_and_written_as_people_expect(source: str, text: object) -> None:
    assert render(source) == text


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        ("{{lastName}}", ("lastName",)),
        ("{{blank}} {{nowhere}} {{blank}}", ("blank", "nowhere")),
        ("{{ sender.lastName }} {{ sender.phone }}", ("sender.lastName", "sender.phone")),
        ("{{ lastName | upcase | append: '!' }}", ("lastName",)),
        ("{{ firstName | append: lastName }}", ("lastName",)),
        ("{{ lastName | default: nickname }}", ("lastName", "nickname")),
        ("{% assign name = lastName %}{{ name }}", ("lastName",)),
        ("{{ company | remove: 'Acme' }}", ("company",)),
        ("{% assign rest = company | remove: 'Acme' %}{{ rest }}", ("rest",)),
        ("{{ company | split: ',' | slice: 9 }}", ("company",)),
        ("{{ now }} {{ today }}", ("now", "today")),
        ("{% assign own = 1 %}{{ now }}", ("now",)),
    ],
)
def test_missing_values_are_reported_by_name_and_once(source: str, fields: tuple[str, ...]) -> None:
    assert render(source) == fields


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ lastName | default: 'there' }}", "there"),
        ("{{ blank | strip | upcase | default: 'there' }}", "there"),
        ("{{ lastName | default: nickname | default: firstName }}", "Jane"),
        ("{{ company | remove: 'Acme' | default: 'you' }}", "you"),
        ("Hi{{ lastName | default: '' }}!", "Hi!"),
        ("{{ hiring | default: 'x' }}", "false"),
        ("{{ hiring | default: 'x', allow_false: false }}", "x"),
        ("{{ zero | default: 'x' }}", "0"),
    ],
)
def test_default_stands_in_for_what_is_missing(source: str, text: str) -> None:
    assert render(source) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{% if lastName %}{{lastName}}{% else %}none{% endif %}", "none"),
        ("{% if firstName %}{{firstName}}{% else %}{{lastName}}{% endif %}", "Jane"),
        ("{% unless lastName %}none{% endunless %}", "none"),
        ("{% if lastName == blank and lastName == nil and blank == '' %}none{% endif %}", "none"),
        ("{% if firstName != blank %}some{% endif %}", "some"),
        ("{% if Job Title == 'Chief' and company contains 'cm' %}both{% endif %}", "both"),
        ("{% if employees > 50 %}big{% else %}small{% endif %}", "big"),
        ("{% if employees == 120 %}exact{% endif %}", "exact"),
        ("{% if firstName > 50 or firstName <= 50 %}number{% else %}text{% endif %}", "text"),
        ("{% if nowhere > 50 %}big{% else %}unknown{% endif %}", "unknown"),
        ("{% case company %}{% when 'Acme', 'Ajax' %}A{% else %}B{% endcase %}", "A"),
        ("{% for skill in nowhere %}{{ skill }}{% else %}none{% endfor %}", "none"),
        ("{% for n in (1..3) %}{{ n }}{% endfor %}", "123"),
        ("{% capture who %}{{firstName}} of {{company}}{% endcapture %}{{ who }}!", "Jane of Acme!"),
        ("a {%- if hiring == false -%} b {%- endif %} c", "ab c"),
        ("x{% comment %}{{ lastName }} {{% endcomment %}{% # note %}y", "xy"),
        ("{% raw %}{{firstName}} {a|b}{% endraw %}", "{{firstName}} {a|b}"),
    ],
)
def test_conditions_take_missing_for_false(source: str, text: str) -> None:
    assert render(source) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ firstName | upcase | downcase | capitalize }}", "Jane"),
        ("{{ firstName | slice: 0 }}. {{ firstName | slice: -2, 2 }}", "J. ne"),
        ("{{ company | truncate: 4 }} {{ company | truncate: 3, '…' }}", "Acme Ac…"),
        ("{{ R&D budget (€) | replace: 'm', ' million' }}", "5 million"),
        ("{{ Reason for contact | truncatewords: 1, '' }}", "a"),
        ("{{ 'a, b' | split: ',' | join: '+' }} {{ 'a, b' | split: ',' | last }}", "a+b b"),
        ("{{ employees | divided_by: 7.0 | round: 2 }} {{ customScore | divided_by: 2 }}", "17.14 42"),
        ("{{ employees | plus: 1 | times: 2 | minus: 2 | modulo: 100 }}", "40"),
        ("{{ half | ceil }}{{ half | floor }}{{ half | round }} {{ employees | at_most: 99 }}", "101 99"),
        ("{{ company | url_encode }} {{ Reason for contact | url_encode }}", "Acme a+fair"),
        ("{{ firstName | size }}", "4"),
    ],
)
def test_filters(source: str, text: str) -> None:
    assert render(source) == text


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ firstName | plus: 1 }}", "'Jane' is not a number"),
        ("{{ customScore | divided_by: 0 }}", "divided by zero"),
        ("{{ firstName | first }}", "split"),
        ("{{ firstName | slice: 'x' }}", "not a whole number"),
        ("{{ (1..3) | size }}", "range"),
        ("{% if customScore > company %}x{% endif %}", "not supported between"),
    ],
)
def test_values_that_do_not_fit_are_render_errors(source: str, said: str) -> None:
    with pytest.raises(RenderError, match=said):
        render(source)


DOUBLED = "{% assign a = 'aaaaaaaaaaaaaaaaaaaa' %}" + "{% assign a = a | append: a %}" * 9
ROUNDS = "{% for i in (1..100) %}BODY{% endfor %}"


@pytest.mark.parametrize(
    "source",
    [
        DOUBLED + ROUNDS.replace("BODY", "{% assign b = a | split: '' | join: '' %}") * 20,
        DOUBLED + ROUNDS.replace("BODY", "{% if a contains 'aaaaaab' %}{% endif %}" * 200),
        ROUNDS.replace("BODY", "{% if 1 %}{% endif %}" * 450),
        ROUNDS.replace("BODY", "{% if i == i and i == i and i == i %}{% endif %}" * 200),
        ROUNDS.replace("BODY", "".join(f"{{% assign a{number} = 1 %}}" for number in range(450))),
        DOUBLED + ROUNDS.replace("BODY", "{% capture b %}{{ a }}{% endcapture %}" * 200),
    ],
    ids=["filters", "searches", "tags", "comparisons", "variables", "captures"],
)
def test_no_template_keeps_the_server_busy(source: str) -> None:
    """Each of these took a second to minutes, for one lead."""
    with pytest.raises(RenderLimitError, match="too much to do"):
        compile_template(source).render({"firstName": "Ada"})


def test_what_a_message_can_want_is_not_too_much() -> None:
    source = (
        "{% assign all = skills | split: ',' %}"
        "{% for each in all %}{% if each contains 'a' %}{{ each | upcase | append: '!' }}{% endif %}{% endfor %}"
        "{{ company | default: 'your company' | truncate: 30 }}"
    )
    skills = ",".join(f"a skill of the kind {number}" for number in range(100))
    rendered = compile_template(source * 3).render({"skills": skills})
    assert isinstance(rendered, Rendered)
    assert rendered.text.count("!") == 300


@pytest.mark.parametrize(
    "source",
    [
        "{% for n in (1..101) %}x{% endfor %}",
        "{% for a in (1..11) %}{% for b in (1..11) %}x{% endfor %}{% endfor %}",
        "{% for n in (1..99999999999999999999) %}x{% endfor %}",
        "{% assign s = 'aaaaaaaaaa' %}" + "{% assign s = s | append: s %}" * 30,
        "{% assign s = 'aaaaaaaaaa' %}" + "{% assign s = s | replace: 'a', 'aaaaaaaaaa' %}" * 9,
        "{% assign s = 'a,b' | split: '' | join: 'aaaaaaaaaa' %}" + "{% assign s = s | split: '' | join: s %}" * 9,
        "{% assign n = 9 %}" + "{% assign n = n | times: n %}" * 20,
        "{% capture c %}" + "x" * 900 + "{% endcapture %}{% for n in (1..99) %}{{ c }}{% endfor %}",
    ],
)
def test_nothing_grows_without_bound(source: str) -> None:
    with pytest.raises(RenderLimitError, match=r"grew|limit"):
        render(source)


@pytest.mark.parametrize("source", ["{{ a | replace: '', a }}", "{{ a | split: '' | join: a }}"])
def test_what_would_grow_too_large_is_not_even_built(source: str) -> None:
    template = compile_template(source)
    tracemalloc.start()
    try:
        with pytest.raises(RenderLimitError, match="grew"):
            template.render({"a": "x" * 15_000})
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_sender_is_not_needed_until_it_is_printed() -> None:
    template = compile_template("{% if sender.firstName %}{{ sender.firstName }}{% else %}me{% endif %}")
    assert template.render({}) == Rendered("me")
    assert compile_template("{{ sender.firstName }}").render({}) == Missing(("sender.firstName",))


def test_variables_are_listed_in_order_with_those_that_must_be_there() -> None:
    template = compile_template(
        "{Hi|Hello {{nick}}} {{ firstName }} {{ Job Title | upcase | default: title }}"
        "{% if company %}{{ company }} {{ city }}{% endif %}{% assign n = lastName %}{{ n }}{{ sender.name }}"
    )
    assert template.variables == ("nick", "firstName", "Job Title", "title", "company", "city", "lastName")
    assert template.required == ("nick", "firstName", "lastName")
    assert template.sender_variables == template.sender_required == ("name",)


def test_variables_leave_out_the_templates_own() -> None:
    template = compile_template("{% for w in all %}{{ w }}{{forloop.index}}{% endfor %}{% assign x = 1 %}{{ x }}")
    assert template.variables == ("all",)
    assert template.required == ()


def test_templates_are_compiled_once_and_equal_by_source() -> None:
    assert compile_template("Hi {{firstName}}") is compile_template("Hi {{firstName}}")
    assert compile_template.__wrapped__("Hi") == compile_template("Hi")

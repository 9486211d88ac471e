"""``{a|b}``: one option for each lead, always the same, and never looked for in a lead's values."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadwright.templates import Rendered, compile_template, pick, seed_of

LEAD = {"firstName": "Jane", "company": "Acme", "wild": "{x|y} {{firstName}} {% if %} \\{"}


def outcomes(source: str) -> set[str]:
    results = (compile_template(source).render(LEAD, seed=seed) for seed in range(200))
    return {result.text if isinstance(result, Rendered) else "?" for result in results}


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ("{a|b|c}", {"a", "b", "c"}),
        ("{a|}!", {"a!", "!"}),
        ("{5%|10%} off", {"5% off", "10% off"}),
        ("x{ | }y", {"x y"}),
        ("{Hi|Hello {you|there}}", {"Hi", "Hello you", "Hello there"}),
        ("{{{firstName}}|you}", {"Jane", "you"}),
        ("{you|{{firstName}}}", {"Jane", "you"}),
        ("{{% if firstName %}a|b{% endif %}|c}", {"a|b", "c"}),
        ("{% if company %}{a|b}{% else %}{c|d}{% endif %}", {"a", "b"}),
        (r"\{a\|b\} \\{c|d} \n a|b", {r"{a|b} \c \n a|b", r"{a|b} \d \n a|b"}),
        (r"{a\|b|c\}}", {"a|b", "c}"}),
    ],
)
def test_every_option_is_taken_and_nothing_else(source: str, texts: set[str]) -> None:
    assert outcomes(source) == texts


def test_values_are_never_expanded() -> None:
    assert outcomes("{{wild}}") == {LEAD["wild"]}
    assert outcomes("{{{wild}}|{{wild}}}") == {LEAD["wild"]}


def test_choices_of_one_template_are_independent_and_evenly_spread() -> None:
    template = compile_template("{a|b}{c|d}{e|f|g}")
    texts = Counter(str(template.render({}, seed=seed_of("lead", str(lead)))) for lead in range(12_000))
    assert len(texts) == 12
    assert all(850 < count < 1150 for count in texts.values())


def test_a_choice_keeps_its_option_when_text_around_it_changes() -> None:
    before, after = compile_template("Hi {a|b|c}"), compile_template("Good morning {a|b|c}, {{firstName}}")
    for seed in range(50):
        old, new = before.render(LEAD, seed=seed), after.render(LEAD, seed=seed)
        assert isinstance(old, Rendered)
        assert isinstance(new, Rendered)
        assert old.text[3:] == new.text[13:14]


def test_known_choices_stay_known() -> None:
    """Leads in flight would change their wording if this ever changed."""
    assert seed_of("lead", "step") == 16719177820028839581
    assert [pick(1, group, 10) for group in range(6)] == [1, 2, 8, 3, 2, 6]


plain = st.text(st.characters(codec="utf-8", exclude_characters="{}|\\%"), max_size=10)


@given(st.lists(plain, min_size=2, max_size=5), st.integers(0, 2**64 - 1), st.text(max_size=20))
def test_one_seed_always_takes_the_same_option(options: list[str], seed: int, value: str) -> None:
    source = "{" + "|".join(options) + "}{{ value | default: '-' }}"
    first = compile_template.__wrapped__(source).render({"value": value}, seed=seed)
    assert first == compile_template.__wrapped__(source).render({"value": value}, seed=seed)
    assert isinstance(first, Rendered)
    shown = value if value.strip() else "-"
    assert first.text in {option + shown for option in options}

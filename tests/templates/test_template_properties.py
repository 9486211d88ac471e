"""Whatever is written and whatever a lead has: no hole, no crash, no surprise."""

import re

from hypothesis import given
from hypothesis import strategies as st

from leadwright.templates import (
    Fields,
    Missing,
    Rendered,
    RenderError,
    TemplateError,
    compile_template,
    text_of,
)
from leadwright.templates.fields import look_up

NAMES = ("firstName", "Job Title", "first-name", "R&D (€)", "score", "company.city")
scalars = st.none() | st.text(max_size=8) | st.integers() | st.floats(allow_nan=False) | st.booleans()
leads = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), scalars, max_size=8)
names = st.sampled_from(NAMES)
PLAIN, FALLBACK, FILTERED, GUARDED = (
    "{{{{ {0} }}}}",
    "{{{{ {0} | default: 'else' }}}}",
    "{{{{ {0} | strip | slice: 0, 2 }}}}",
    '{{% if ["{0}"] %}}{{{{ {0} }}}}{{% else %}}none{{% endif %}}',
)
pieces = st.tuples(st.sampled_from([PLAIN, FALLBACK, FILTERED, GUARDED]), names)


def expected(form: str, value: object) -> str | None:
    """What one piece shall print, None when it must be reported."""
    text = text_of(value)
    if value is None:
        return {FALLBACK: "else", GUARDED: "none"}.get(form)
    if form == GUARDED and value is False:
        return "none"
    return text.strip()[:2] if form == FILTERED else text


@given(st.lists(pieces, max_size=6), leads, st.integers(0, 9))
def test_no_text_ever_has_a_hole(used: list[tuple[str, str]], lead: Fields, seed: int) -> None:
    template = compile_template("|".join(form.format(name) for form, name in used))
    result = template.render(lead, seed=seed)
    texts = [(name, expected(form, look_up(lead, name))) for form, name in used]
    lacking = tuple(dict.fromkeys(name for name, text in texts if text is None))
    if lacking:
        assert result == Missing(lacking)
        assert set(lacking) <= set(template.required)
    else:
        assert result == Rendered("|".join(str(text) for _, text in texts))
        assert isinstance(result, Rendered)
        assert all(part.strip() for part in (str(text) for _, text in texts))


SPUN = "{{Hi|Hello {{{{ {0} }}}}|{{a|b}}}}"
OF_SENDER = "{{{{ sender.{0} | default: '' }}}}"
plainly = st.tuples(st.sampled_from([PLAIN, FALLBACK, SPUN, OF_SENDER]), names)


@given(st.lists(plainly, max_size=6), leads, leads, st.integers(0, 2**64 - 1))
def test_the_short_way_and_liquid_agree(used: list[tuple[str, str]], lead: Fields, sender: Fields, seed: int) -> None:
    template = compile_template("|".join(form.format(name) for form, name in used))
    assert template.render(lead, sender, seed) == template.render_by_liquid(lead, sender, seed)


WORDS = "if endif else for x in (1..3) endfor a default raw endraw comment == and 1 b | upcase"
syntax = st.sampled_from([*WORDS.split(" "), *"{}|\\ :'\"#-.[]\n", "{{", "}}", "{%", "%}"])


def outcome(source: str, lead: Fields) -> object:
    try:
        return compile_template(source).render(lead)
    except (TemplateError, RenderError) as error:
        return error


@given(st.lists(syntax, max_size=25).map("".join) | st.text(max_size=40), leads)
def test_any_source_is_read_or_refused(source: str, lead: Fields) -> None:
    result = outcome(source, lead)
    assert isinstance(result, Rendered | Missing) or str(result)
    if isinstance(result, TemplateError) and result.line is not None:
        assert 1 <= result.line <= source.count("\n") + 1


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_escaped_text_comes_out_as_it_was(text: str) -> None:
    escaped = re.sub(r"[\\{|}]", r"\\\g<0>", text)
    assert compile_template(escaped).render({}) == Rendered(text)

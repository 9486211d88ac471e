"""Every fault of a template is told when it is saved, in plain words and with its place."""

import pytest

from leadwright.templates import MAX_SOURCE, TemplateError, compile_template


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("Hi {{firstName", "{{ is never closed by }}"),
        ("Hi {% if a", "{% is never closed by %}"),
        ("Hi {firstName}", "write {{firstName}} for a field"),
        ("Hi {{{firstName}}}", "write {{firstName}} for a field"),
        ("Hi {a|b", "the choice { is never closed"),
        ("Hi a}", "} closes nothing"),
        ("Hi {{a}}}", "} closes nothing"),
        ("{{}}", "names no field"),
        ("{{ a | upcas }}", "did you mean 'upcase'"),
        ("{{ a | zzz }}", "unknown filter 'zzz'"),
        ("{{ a | append }}", "takes 1 value after a colon, found 0"),
        ("{{ a | upcase: 1 }}", "takes no value after a colon, found 1"),
        ("{{ a | default: 1, nope: 2 }}", "knows no 'nope'"),
        ("{{ a | default 'x' }}", "a colon before its value"),
        ("{{ a default: 'x' }}", "a filter follows a |"),
        ('{{ a | default: "{{b}}" }}', "cannot hold another {"),
        ("{{ a | default: '{x|y}' }}", "cannot hold another {"),
        ("{{ [name] }}", "must stand in quotes"),
        ("{% if a %}x", "{% if %} is never closed by {% endif %}"),
        ("{% if a %}{% for b in c %}x{% endif %}", "{% for %} is never closed by {% endfor %}"),
        ("{% if a %}x{a|{% endif %}}", "the choice { is never closed"),
        ("{a|{% if x %}b}{% endif %}", "{% if %} is never closed"),
        ("{% endif %}", "{% endif %} stands outside of {% if %}"),
        ("{% else %}", "stands outside of"),
        ("{% if a %}{% else %}{% else %}{% endif %}", "comes after the {% else %}"),
        ("{% if a %}{% else if b %}{% endif %}", "write {% elsif"),
        ("{% if a %}{% endif now %}", "takes nothing more"),
        ("{% if %}x{% endif %}", "lacks what comes after 'if'"),
        ("{% if a == %}x{% endif %}", "{% if a == %} cannot be read"),
        ("{% iff a %}", "did you mean {% if %}"),
        ("{% increment a %}", "the tag {% increment %} is not available"),
        ("{% include 'x' %}", "the tag {% include %} is not available"),
        ("{% render 'x' %}", "the tag {% render %} is not available"),
        ("{% liquid echo 'x' %}", "the tag {% liquid %} is not available"),
        ("{% raw %}", "lacks what comes after 'raw'"),
        ("{% comment x %}", "has no counterpart"),
        ("{% %}", "unknown tag"),
        ("{a|" * 21 + "b" + "}" * 21, "more than 20 deep"),
        ("{{ " + "a" * 1001 + " }}", "more than 1000 characters"),
        ("{{ " + "[" * 990 + " }}", "nested too deeply"),
        ("x" * (MAX_SOURCE + 1), "at most 10000"),
    ],
)
def test_faults_are_told_in_plain_words(source: str, said: str) -> None:
    with pytest.raises(TemplateError) as caught:
        compile_template(source)
    assert said in str(caught.value)
    assert said in caught.value.message


def test_a_fault_has_its_place() -> None:
    with pytest.raises(TemplateError) as caught:
        compile_template("Hi {{firstName}},\nwelcome to {{ company | upcas }}")
    error = caught.value
    assert (error.line, error.column, error.snippet) == (2, 25, "upcas }}")
    assert str(error).endswith("(line 2, column 25)")


@pytest.mark.parametrize("source", ["{{ x " * 1999, "{%" + " " * 9000, "{{" + " " * 9000, "{% raw %}" * 1000])
def test_hostile_sources_are_refused_without_searching_long(source: str) -> None:
    with pytest.raises(TemplateError):
        compile_template(source)


def test_long_conditions_and_many_outputs_are_fine() -> None:
    compile_template("{% if " + "a and " * 160 + "a %}x{% endif %}").render({"a": 1})
    compile_template("{{ a }}" * 1400).render({"a": 1})

"""Message templates: ``{{ firstName }}``, conditions, fallbacks and ``{a|b}``. Pure."""

from leadwright.templates.errors import RenderError, RenderLimitError, TemplateError
from leadwright.templates.fields import Fields, Scalar, is_blank, look_up, text_of
from leadwright.templates.spintax import pick, seed_of
from leadwright.templates.template import MAX_SOURCE, Missing, Rendered, Template, compile_template

__all__ = [
    "MAX_SOURCE",
    "Fields",
    "Missing",
    "RenderError",
    "RenderLimitError",
    "Rendered",
    "Scalar",
    "Template",
    "TemplateError",
    "compile_template",
    "is_blank",
    "look_up",
    "pick",
    "seed_of",
    "text_of",
]

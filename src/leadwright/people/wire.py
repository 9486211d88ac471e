"""The JSON of the identity route."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from leadwright.identity import IDENTITY_VERSION, Identity, IdentityKind, Refusal, RefusalCode
from leadwright.people.service import Resolved

MOST_URLS = 100


class ResolveBody(BaseModel):
    """One address in `linkedinUrl`, or several in `linkedinUrls`; not both."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        json_schema_extra={
            "oneOf": [{"required": ["linkedinUrl"]}, {"required": ["linkedinUrls"]}],
            "examples": [
                {"linkedinUrl": "https://www.linkedin.com/in/jane-smith"},
                {"linkedinUrls": ["linkedin.com/in/jane-smith", "https://example.com/jane"]},
            ],
        },
    )

    linkedin_url: str = Field(default_factory=str, description="One address.")
    linkedin_urls: list[str] = Field(
        default_factory=list[str], min_length=1, max_length=MOST_URLS, description="Several addresses."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> "ResolveBody":
        if len(self.model_fields_set) != 1:
            raise ValueError("expected either linkedinUrl or linkedinUrls")
        return self


class ResolvedBody(BaseModel):
    """What the server makes of one address. Equal `canonical` means the same person."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)

    linkedin_url: str = Field(description="As it was sent.", examples=["https://www.linkedin.com/in/ACoAAB2bcDE"])
    valid: bool = Field(description="Whether it names a person.")
    kind: IdentityKind | None = Field(default=None, examples=["member_token"])
    key: str | None = Field(default=None, examples=["ACoAAB2bcDE"])
    identity_key: str | None = Field(
        default=None, description="Kind and key in one word.", examples=["member_token:ACoAAB2bcDE"]
    )
    canonical: str | None = Field(
        default=None,
        description="The person's identity key, learned aliases followed.",
        examples=["slug:jane-smith"],
    )
    aliases: list[str] = Field(
        default_factory=list[str],
        description="Every identity key that is known to mean the canonical one.",
        examples=[["member_token:ACoAAB2bcDE"]],
    )
    suppressed: bool = Field(default=False, description="Whether the person is on the do-not-contact list.")
    code: RefusalCode | None = Field(default=None, description="Why not, as a stable word, when not valid.")
    reason: str | None = Field(default=None, description="Why not, as a sentence, when not valid.")


class SingleResolvedBody(ResolvedBody):
    """The answer to `linkedinUrl`."""

    version: int = Field(description="Of the identity rules: raised when an address would get another key.")


class ManyResolvedBody(BaseModel):
    """The answer to `linkedinUrls`: one result for each, in order."""

    version: int = Field(description="Of the identity rules: raised when an address would get another key.")
    results: list[ResolvedBody]


def single(resolved: Resolved) -> SingleResolvedBody:
    return SingleResolvedBody(version=IDENTITY_VERSION, **_shown(resolved).model_dump())


def many(resolved: Sequence[Resolved]) -> ManyResolvedBody:
    return ManyResolvedBody(version=IDENTITY_VERSION, results=[_shown(one) for one in resolved])


def _shown(resolved: Resolved) -> ResolvedBody:
    if isinstance(resolved.found, Refusal):
        code, reason = resolved.found
        return ResolvedBody(linkedin_url=resolved.url, valid=False, code=code, reason=reason)
    identity, person = resolved.found
    return ResolvedBody(
        linkedin_url=resolved.url,
        valid=True,
        kind=identity.kind,
        key=identity.key,
        identity_key=identity.text,
        canonical=person.canonical.text,
        aliases=_texts(person.aliases),
        suppressed=person.suppressed,
    )


def _texts(identities: Sequence[Identity]) -> list[str]:
    return [identity.text for identity in identities]

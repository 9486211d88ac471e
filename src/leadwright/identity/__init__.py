"""Who is the same person: one LinkedIn address in, one identity key or a refusal out (pure, versioned)."""

from leadwright.identity.linkedin import linkedin_identity
from leadwright.identity.model import IDENTITY_VERSION, Identity, IdentityKind, Refusal, RefusalCode

__all__ = [
    "IDENTITY_VERSION",
    "Identity",
    "IdentityKind",
    "Refusal",
    "RefusalCode",
    "linkedin_identity",
]

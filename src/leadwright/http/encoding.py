"""Bodies that a client compressed: what they say once they are read, never more bytes than a plain one may have."""

import zlib

from starlette.requests import Request

from leadwright.errors import InvalidRequest, UnsupportedMediaType
from leadwright.http.limits import too_large

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_WINDOW_BITS = {"gzip": _GZIP_OR_ZLIB, "x-gzip": _GZIP_OR_ZLIB, "deflate": _GZIP_OR_ZLIB}


def decoded(request: Request, body: bytes, most: int) -> bytes:
    """The body without its ``Content-Encoding``.

    Raises UnsupportedMediaType for any but gzip and deflate, PayloadTooLarge for more than ``most`` bytes (it stops
    there, however much would come), and InvalidRequest for what is not so encoded.
    """
    named = request.headers.get("content-encoding", "").strip().lower()
    if not body or named in ("", "identity"):
        return body
    if named not in _WINDOW_BITS:
        raise UnsupportedMediaType(f"Content-Encoding '{named[:100]}' is not supported; send gzip, deflate or none")
    return _inflated(body, named, most)


def _inflated(body: bytes, named: str, most: int) -> bytes:
    inflater = zlib.decompressobj(_WINDOW_BITS[named])
    try:
        plain = inflater.decompress(body, most + 1)
    except zlib.error as error:
        raise InvalidRequest(f"The request body is not valid {named}", code="invalid_encoding") from error
    if len(plain) > most:
        raise too_large(most)
    if not inflater.eof:
        raise InvalidRequest(f"The request body is not valid {named}: it ends too early", code="invalid_encoding")
    return plain

"""S3 in the memory of a process of its own: the same for everyone, and fast enough to be no limit.

An emulator that takes a millisecond of this machine's CPU a request would be what is
measured, as S3 itself is not on this machine. This one answers what the contenders ask (LIST, HEAD,
GET with ranges, PUT, multipart) and nothing else, waits as long as the way to S3 would take where
it is told to, and fills its buckets `objects-<n>` and `lines-<n>` from the seeded inputs by itself.

    python -m benchmarks.server <port> <delay in seconds>
"""

import asyncio
import hashlib
import sys
from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from benchmarks import inputs

_DATE = "Fri, 28 Nov 2025 12:00:00 GMT"
_ISO = "2025-11-28T12:00:00.000Z"
_REASONS = {200: "OK", 204: "No Content", 206: "Partial Content", 404: "Not Found"}
_FILL: dict[str, Callable[[int], dict[str, bytes]]] = {
    "objects": inputs.objects,
    "lines": inputs.lines,
}
Answer = tuple[int, dict[str, str], bytes]


class Buckets:
    """All that is stored, and the answer to each request."""

    def __init__(self) -> None:
        self._buckets: dict[str, dict[str, bytes]] = {}
        self._sorted: dict[str, list[str]] = {}
        self._uploads: dict[str, dict[int, bytes]] = {}

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """Answer one request."""
        parts = urlsplit(target)
        bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
        query = {k: v[0] for k, v in parse_qs(parts.query, keep_blank_values=True).items()}
        size = int(headers.get("x-amz-decoded-content-length", len(body)))
        if len(body) != size:  # `aws-chunked`
            body = _unchunked(body)[:size]
        content = self._bucket(bucket)
        if not key:
            return 200, {}, self._list(bucket, query) if method == "GET" else b""
        if method in ("PUT", "POST") and ("uploadId" in query or "uploads" in query):
            return self._multipart(method, bucket, key, query, body)
        if method == "PUT":
            self._put(bucket, key, body)
            return 200, {"ETag": _etag(body)}, b""
        if method == "DELETE":
            content.pop(key, None)
            self._sorted.pop(bucket, None)
            return 204, {}, b""
        if key not in content:
            return 404, {}, b"<Error><Code>NoSuchKey</Code><Message>none</Message></Error>"
        return _get(content[key], headers.get("range", ""))

    def _bucket(self, name: str) -> dict[str, bytes]:
        if name not in self._buckets:
            kind, _, count = name.partition("-")
            self._buckets[name] = _FILL[kind](int(count)) if kind in _FILL else {}
        return self._buckets[name]

    def _put(self, bucket: str, key: str, body: bytes) -> None:
        if key not in self._buckets[bucket]:
            self._sorted.pop(bucket, None)
        self._buckets[bucket][key] = body

    def _list(self, bucket: str, query: dict[str, str]) -> bytes:
        content = self._buckets[bucket]
        keys = self._sorted.get(bucket)
        if keys is None:
            keys = self._sorted[bucket] = sorted(content)
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after = query.get("continuation-token") or query.get("start-after", "")
        limit, start = int(query.get("max-keys", 1000)), bisect_right(keys, max(prefix, after))
        if prefix in content and prefix > after:
            start -= 1
        page: list[str] = []
        commons: list[str] = []
        more = ""
        for key in keys[start:] if delimiter else keys[start : start + limit + 1]:
            if not key.startswith(prefix):
                break
            if len(page) + len(commons) == limit:
                more = page[-1] if page else commons[-1]
                break
            common = key[len(prefix) :].partition(delimiter)[0] if delimiter else ""
            if delimiter and delimiter in key[len(prefix) :]:
                if f"{prefix}{common}{delimiter}" not in commons:
                    commons.append(f"{prefix}{common}{delimiter}")
            else:
                page.append(key)
        shown = "".join(
            f"<Contents><Key>{escape(k)}</Key><LastModified>{_ISO}</LastModified>"
            f'<ETag>"{len(content[k]):x}"</ETag><Size>{len(content[k])}</Size>'
            "<StorageClass>STANDARD</StorageClass></Contents>"
            for k in page
        )
        shown += "".join(
            f"<CommonPrefixes><Prefix>{escape(c)}</Prefix></CommonPrefixes>" for c in commons
        )
        token = f"<NextContinuationToken>{escape(more)}</NextContinuationToken>" if more else ""
        head = (
            f"<Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix><MaxKeys>{limit}</MaxKeys>"
            f"<KeyCount>{len(page) + len(commons)}</KeyCount>"
            f"<IsTruncated>{str(bool(more)).lower()}</IsTruncated>{token}"
        )
        return _xml("ListBucketResult", head + shown)

    def _multipart(
        self, method: str, bucket: str, key: str, query: dict[str, str], body: bytes
    ) -> Answer:
        if "uploads" in query:
            upload = f"upload-{len(self._uploads)}"
            self._uploads[upload] = {}
            about = f"<Bucket>{bucket}</Bucket><Key>{escape(key)}</Key>"
            inner = f"{about}<UploadId>{upload}</UploadId>"
            return 200, {}, _xml("InitiateMultipartUploadResult", inner)
        parts = self._uploads[query["uploadId"]]
        if method == "PUT":
            parts[int(query["partNumber"])] = body
            return 200, {"ETag": _etag(body)}, b""
        whole = b"".join(parts[number] for number in sorted(parts))
        self._put(bucket, key, whole)
        inner = f"<Key>{escape(key)}</Key><ETag>{_etag(whole)}</ETag>"
        return 200, {}, _xml("CompleteMultipartUploadResult", inner)


class Connection(asyncio.Protocol):
    """One client's connection: one request after the other."""

    def __init__(self, buckets: Buckets, delay: float) -> None:
        self._buckets, self._delay = buckets, delay
        self._data = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what to answer through."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take bytes, and answer once a request is whole."""
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        first, *rest = self._data[:end].decode("latin-1").split("\r\n")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in rest)}
        size = int(headers.get("content-length", 0))
        if headers.get("expect") and len(self._data) == end + 4:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        chunked = headers.get("transfer-encoding") == "chunked"
        if len(self._data) < end + 4 + size or (chunked and self._data[-5:] != b"0\r\n\r\n"):
            return
        method, target, _ = first.split(" ", 2)
        body = bytes(self._data[end + 4 :])
        body = _unchunked(body) if chunked else body[:size]
        self._data.clear()
        status, found, content = self._buckets.answer(method, target, headers, body)
        length = found.pop("Content-Length", str(len(content)))
        lines = "".join(f"{k}: {v}\r\n" for k, v in found.items())
        head = f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Length: {length}\r\n{lines}\r\n"
        whole = head.encode() + (b"" if method == "HEAD" else content)
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._transport.write, whole)
        else:
            self._transport.write(whole)


def _get(body: bytes, wanted: str) -> Answer:
    headers = {
        "ETag": f'"{len(body):x}"',
        "Last-Modified": _DATE,
        "Accept-Ranges": "bytes",
        "Content-Type": "application/octet-stream",
    }
    if not wanted:
        return 200, headers, body
    first, _, last = wanted.removeprefix("bytes=").partition("-")
    start = int(first) if first else max(0, len(body) - int(last))
    end = min(int(last), len(body) - 1) if first and last else len(body) - 1
    headers["Content-Range"] = f"bytes {start}-{end}/{len(body)}"
    return 206, headers, body[start : end + 1]


def _unchunked(body: bytes) -> bytes:
    """What is inside of chunks: a size in hexadecimal and a line, again and again."""
    out, at = bytearray(), 0
    while True:
        end = body.index(b"\r\n", at)
        size = int(body[at:end].partition(b";")[0], 16)
        if not size:
            return bytes(out)
        out += body[end + 2 : end + 2 + size]
        at = end + 4 + size


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def _xml(name: str, inner: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<{name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{inner}</{name}>'
    ).encode()


async def _main(port: int, delay: float) -> None:
    buckets = Buckets()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(buckets, delay), "127.0.0.1", port, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], datetime.now(UTC).isoformat(), flush=True)
    # Ends with whoever started it: that closes this process's standard input.
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), float(sys.argv[2])))

"""CopyObject without botocore's ceremony, which takes four times the processor time of the request itself.

Botocore signs and sends; left out are its models, rules and events. Whatever is not a plain success is not judged
here: the caller asks again the long way, which knows every answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

_OK, _PRECONDITION_FAILED = 200, 412
_MISSES = 3  # so many in a row, and the service is one of those that want to be asked the long way
_FOUND = re.compile(rb"<(ETag|ChecksumSHA256|ChecksumType)>([^<]*)</")


class QuickCopies:
    """Copies into one bucket; safe to use from several threads.

    Args:
        client: botocore's, whose address, credentials and connections are used.
        bucket: the destination.
        path_style: whether the service takes the bucket's name in the path; others are asked the long way.
    """

    def __init__(self, client: Any, bucket: str, *, path_style: bool) -> None:
        self._client, self._bucket = client, bucket
        self._misses = 0 if path_style and ":" not in bucket else _MISSES

    def copy(self, key: str, source_bucket: str, source_key: str, headers: Mapping[str, str]) -> dict[str, str] | None:
        """What CopyObjectResult says, by name; None when the long way has to be gone.

        Args:
            key: of the new object, in the bucket.
            source_bucket: where the object lies.
            source_key: its key there.
            headers: conditions and attributes of the new object.
        """
        if self._misses >= _MISSES:
            return None
        from botocore.exceptions import BotoCoreError

        try:
            status, body = self._send(key, {"x-amz-copy-source": quote(f"/{source_bucket}/{source_key}"), **headers})
        except (BotoCoreError, OSError):
            return None
        found = {name.decode(): value.decode() for name, value in _FOUND.findall(body)}
        # A copy that breaks while the service is at it is an error inside of an answer that began with 200.
        if status == _OK and b"<CopyObjectResult" in body and b"<Error" not in body and "ETag" in found:
            self._misses = 0
            return found
        if status != _PRECONDITION_FAILED:
            self._misses += 1
        return None

    def _send(self, key: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest

        client = self._client
        url = f"{client.meta.endpoint_url.rstrip('/')}/{self._bucket}/{quote(key)}"
        request = AWSRequest("PUT", url, headers=dict(headers))
        credentials = client._request_signer._credentials.get_frozen_credentials()
        S3SigV4Auth(credentials, "s3", client.meta.region_name).add_auth(request)
        answer = client._endpoint.http_session.send(request.prepare())
        return answer.status_code, answer.content

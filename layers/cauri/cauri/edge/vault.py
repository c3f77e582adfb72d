"""The bucket of the seals, whose objects are locked when they are put."""

from __future__ import annotations

import functools
import os
from typing import Any, Final

from botocore.exceptions import ClientError

from cauri.values import dataclass

THERE: Final = frozenset({"PreconditionFailed", "412"})
NOT_THERE: Final = frozenset({"NoSuchKey", "404"})


@dataclass(frozen=True)
class S3Vault:
    bucket: str

    def put(self, key: str, body: bytes) -> None:
        """Keep `body`, if nothing is there yet: a copy is the same whenever it is made."""
        try:
            _client().put_object(Bucket=self.bucket, Key=key, Body=body, IfNoneMatch="*", ChecksumAlgorithm="SHA256")
        except ClientError as error:
            if error.response["Error"]["Code"] not in THERE:
                raise

    def get(self, key: str) -> bytes | None:
        try:
            body: bytes = _client().get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in NOT_THERE:
                return None
            raise
        return body


@functools.cache
def _client() -> Any:
    """S3 speaks XML, which only botocore's own client does; it takes long to make, and few ask for it."""
    import botocore.session
    from botocore.config import Config

    config = Config(connect_timeout=1, read_timeout=5, retries={"max_attempts": 2})
    return botocore.session.get_session().create_client("s3", region_name=os.environ["AWS_REGION"], config=config)

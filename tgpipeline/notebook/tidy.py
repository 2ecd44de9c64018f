"""What a lesson makes up is gone when its cell ends, in a real lake above all."""

from collections.abc import Iterator
from contextlib import contextmanager

from tgpipeline.settings import Settings, aws_client


@contextmanager
def made_up(settings: Settings, *keys: str) -> Iterator[None]:
    """Delete objects of the raw bucket at the end of the block, also where something in it fails.

    Args:
        settings: name the bucket.
        *keys: of the objects that the block stores; those that it does not store do no harm.
    """
    try:
        yield
    finally:
        s3 = aws_client("s3", settings)
        for key in keys:
            s3.delete_object(Bucket=settings.raw_bucket, Key=key)

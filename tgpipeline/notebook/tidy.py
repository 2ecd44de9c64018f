"""What a lesson makes up is gone when its cell ends, in a real lake above all."""

from contextlib import ExitStack

from tgpipeline.settings import Settings, aws_client


def made_up(settings: Settings, *keys: str) -> ExitStack:
    """Delete objects of the raw bucket at the end of a block, also where something in it fails.

    Args:
        settings: name the bucket.
        *keys: of the objects that the block stores; those that it does not store do no harm.
    """
    end, s3 = ExitStack(), aws_client("s3", settings)
    for key in keys:
        end.callback(s3.delete_object, Bucket=settings.raw_bucket, Key=key)
    return end

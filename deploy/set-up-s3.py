"""Create the S3 bucket named on the command line unless it is there: `python deploy/create-bucket.py nightjar`.

Endpoint and credentials come from boto3's own variables (AWS_ENDPOINT_URL_S3, AWS_ACCESS_KEY_ID, ...).
"""

from __future__ import annotations

import sys


def create_bucket(bucket: str) -> bool:
    """Whether the bucket had to be created. Wrong credentials or a refused connection raise."""
    import boto3
    from botocore.exceptions import ClientError

    s3 = boto3.client("s3")
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
        s3.create_bucket(Bucket=bucket)
        return True
    return False


def main() -> None:
    """Create the bucket and say which of the two it was."""
    (bucket,) = sys.argv[1:]
    print(f"bucket {bucket}: {'created' if create_bucket(bucket) else 'already there'}")


if __name__ == "__main__":
    main()

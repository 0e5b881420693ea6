"""S3, as far as a store of states needs it: conditions, the clock, Regions."""

from __future__ import annotations

import concurrent.futures
import secrets
import urllib.error
import urllib.request

from botocore.exceptions import ClientError

from . import support
from .support import REGION, Case


class Conditions(Case):
    def setUp(self) -> None:
        super().setUp()
        self.s3 = self.account.client("s3")
        self.bucket = "states-" + secrets.token_hex(6)
        self.s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})

    def put(self, body: bytes, **condition: str) -> str:
        return self.s3.put_object(Bucket=self.bucket, Key="a/state.json", Body=body, **condition)["ETag"]

    def test_absent_and_unchanged(self):
        first = self.put(b"1", IfNoneMatch="*")
        with self.refused("PreconditionFailed", 412):
            self.put(b"2", IfNoneMatch="*")
        second = self.put(b"2", IfMatch=first)
        self.assertNotEqual(first, second)
        with self.refused("PreconditionFailed", 412):
            self.put(b"3", IfMatch=first)
        found = self.s3.get_object(Bucket=self.bucket, Key="a/state.json")
        self.assertEqual((b"2", second), (found["Body"].read(), found["ETag"]))
        self.s3.delete_object(Bucket=self.bucket, Key="a/state.json")
        with self.refused("NoSuchKey", 404):
            self.put(b"4", IfMatch=second)
        self.assertEqual(first, self.put(b"1", IfNoneMatch="*"), "an ETag is its content's")

    def test_of_many_at_once_one_succeeds(self):
        def attempt(number: int) -> bool:
            try:
                self.put(b"%d" % number, IfNoneMatch="*")
            except ClientError as error:
                self.assertEqual("PreconditionFailed", error.response["Error"]["Code"])
                return False
            return True

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.assertEqual(1, sum(pool.map(attempt, range(16))))

    def test_the_clock_is_told(self):
        self.put(b"1")
        headers = self.s3.get_object(Bucket=self.bucket, Key="a/state.json")["ResponseMetadata"]["HTTPHeaders"]
        self.assertIn("date", headers)
        self.assertIn("last-modified", headers)

    def test_another_region(self):
        self.account.control("POST", "call/s3/CreateBucket?region=eu-west-1", {"Bucket": f"{self.bucket}-eu"})
        scope = f"{self.account.key}/20261125/{REGION}/s3/aws4_request"
        request = urllib.request.Request(f"{support.ENDPOINT}/{self.bucket}-eu/x")
        request.add_header("Authorization", f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0")
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        self.assertEqual(301, caught.exception.code)
        self.assertEqual("eu-west-1", caught.exception.headers["x-amz-bucket-region"])

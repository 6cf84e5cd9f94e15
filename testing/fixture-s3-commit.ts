/** Commits an upload to a bucket, in a process of its own that a test kills: `place` as JSON, home, upload, digest. */
import { openS3Blobs } from "#drivers/blobs/s3.ts";
import { openBucket, type S3Place } from "#drivers/blobs/s3-bucket.ts";

const [, , place = "", home = "", upload = "", digest = ""] = process.argv;
const bucket = openBucket(JSON.parse(place) as S3Place);
const blobs = await openS3Blobs({ home, bucket, folder: "" });
await blobs.commit(upload, digest);

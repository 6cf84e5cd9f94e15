/** One prefix of an S3 bucket, and what the store of blobs asks of it. Failures of the service are refusals with what to do. */
import type { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  ListMultipartUploadsCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { refuse, RefusalError } from "#api/errors.ts";
import type { ByteRange } from "./contract.ts";

export interface S3Place {
  bucket: string;
  /** In front of every key: empty, or ending with a slash. */
  prefix: string;
  region: string;
  /** `https://s3.example.com`; undefined for AWS itself. */
  endpoint: string | undefined;
  /** Undefined: from where AWS's own programs take them (environment, files, the machine's role). */
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined;
}

export interface Listed {
  key: string;
  changedAt: Date;
}

export interface Multipart extends Listed {
  uploadId: string;
}

/** Of an object, or of a part of it. */
export interface Body {
  stream: Readable;
  /** Bytes that are to come. */
  size: number;
}

/** Keys are without the prefix. */
export interface Bucket {
  /** Bytes of an object; undefined when there is none. */
  size(key: string): Promise<number | undefined>;
  /** What comes must be read to its end or destroyed. Undefined when there is no such object. */
  get(key: string, range?: ByteRange): Promise<Body | undefined>;
  /** Shows the object when all of it is there, and not before. */
  put(key: string, body: Readable, size: number): Promise<void>;
  /** A missing one is no error. */
  delete(key: string): Promise<void>;
  list(under: string): AsyncIterable<Listed>;
  /** Uploads in parts that were begun and neither ended nor given up. */
  multiparts(under: string): AsyncIterable<Multipart>;
  /** Gives up an upload in parts; a missing one is no error. */
  abort(multipart: Pick<Multipart, "key" | "uploadId">): Promise<void>;
  /** Throws the refusal that the use of it would meet. */
  check(): Promise<void>;
}

/** Small questions are answered within so long, or the service is away. */
const answerMs = 30_000;
/** Who looks at the platform's health waits less for each of its parts, and is to hear what to do. */
const checkMs = 3_000;
/** A connection on which nothing moves for so long is given up; a slow reader of ours holds one. */
const idleMs = 5 * 60_000;
const mostConnections = 256;
/** What the SDK gathers and copies for a part is collected late, so parts are small and go up one by one. AWS takes ten thousand of them, others a thousand. */
const partBytes = 5 * 1024 * 1024;
const partsAtOnce = 1;
const mostParts = 1000;
/** Uploads in parts at a time; the others wait. */
const uploadsAtOnce = 2;

export function openBucket(place: S3Place): Bucket {
  const client = connect(place);
  return { ...objectsIn(place, client), ...listsOf(place, client) };
}

function connect({ region, endpoint, credentials }: S3Place): S3Client {
  return new S3Client({
    region,
    // Only AWS answers under a host name for each bucket everywhere.
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(credentials ? { credentials } : {}),
    requestHandler: {
      connectionTimeout: 5_000,
      socketTimeout: idleMs,
      httpAgent: { maxSockets: mostConnections, keepAlive: true },
      httpsAgent: { maxSockets: mostConnections, keepAlive: true },
    },
    // Checksums beyond the signature's own are not understood by many services that speak S3; scrub reads all content anyway.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
}

const soon = (withinMs = answerMs) => ({ abortSignal: AbortSignal.timeout(withinMs) });

function objectsIn(place: S3Place, client: S3Client): Pick<Bucket, "size" | "get" | "put" | "delete" | "check"> {
  const { asked, orNothing } = asking(place);
  const at = (key: string) => ({ Bucket: place.bucket, Key: place.prefix + key });
  const inTurn = createLines(uploadsAtOnce);
  return {
    size: async (key) => (await orNothing(client.send(new HeadObjectCommand(at(key)), soon())))?.ContentLength,
    async get(key, range) {
      const part = range ? { Range: `bytes=${range.first}-${range.last}` } : {};
      const answer = await orNothing(client.send(new GetObjectCommand({ ...at(key), ...part })));
      return answer && { stream: answer.Body as Readable, size: answer.ContentLength ?? 0 };
    },
    async put(key, body, size) {
      const partSize = Math.max(partBytes, Math.ceil(size / mostParts));
      const upload = new Upload({ client, params: { ...at(key), Body: body }, partSize, queueSize: partsAtOnce });
      const send = () => asked(upload.done());
      await (size > partSize ? inTurn(send) : send());
    },
    delete: async (key) => void (await orNothing(client.send(new DeleteObjectCommand(at(key)), soon()))),
    check: async () => void (await asked(client.send(new HeadBucketCommand({ Bucket: place.bucket }), soon(checkMs)))),
  };
}

/** Work in so many lines, in each of which one waits for the one before it. */
function createLines(count: number): <T>(work: () => Promise<T>) => Promise<T> {
  const ends = Array.from({ length: count }, (): Promise<unknown> => Promise.resolve());
  let next = 0;
  return async (work) => {
    const line = next++ % count;
    const done = Promise.resolve(ends[line]).then(work);
    ends[line] = done.catch(() => undefined);
    return done;
  };
}

function listsOf(place: S3Place, client: S3Client): Pick<Bucket, "list" | "multiparts" | "abort"> {
  const { bucket: Bucket, prefix } = place;
  const { asked, orNothing } = asking(place);
  return {
    async *list(under) {
      const pages = paginateListObjectsV2({ client }, { Bucket, Prefix: prefix + under });
      for (;;) {
        const { done, value } = await asked(pages.next());
        if (done) return;
        for (const { Key = "", LastModified: changedAt = new Date(0) } of value.Contents ?? [])
          yield { key: Key.slice(prefix.length), changedAt };
      }
    },
    async *multiparts(under) {
      for (let marker = {}; ;) {
        const page = { Bucket, Prefix: prefix + under, ...marker };
        const found = await asked(client.send(new ListMultipartUploadsCommand(page), soon()));
        for (const { Key = "", UploadId: uploadId = "", Initiated: changedAt = new Date(0) } of found.Uploads ?? [])
          yield { key: Key.slice(prefix.length), uploadId, changedAt };
        if (!found.IsTruncated) return;
        marker = { KeyMarker: found.NextKeyMarker, UploadIdMarker: found.NextUploadIdMarker };
      }
    },
    async abort({ key, uploadId: UploadId }) {
      const upload = { Bucket, Key: prefix + key, UploadId };
      await orNothing(client.send(new AbortMultipartUploadCommand(upload), soon()));
    },
  };
}

/** The service's failures as refusals. */
function asking({ bucket, endpoint = "S3" }: S3Place) {
  const understood = (error: unknown): unknown => {
    const kind = kindOf(error);
    if (kind === undefined) return error;
    const { name = "", message = "" } = error as Partial<Error>;
    const said = `${endpoint}, bucket ${bucket}: ${[name, message].filter((each) => each !== "").join(": ")}`;
    return new RefusalError(
      kind === "away"
        ? refuse("store.away", `The store of blobs does not answer: ${said}`, { fix: "Try again in a moment." })
        : refuse("store.refused", `The store of blobs refuses: ${said}`, { fix: "Check the TOWLINE_S3_* settings." }),
    );
  };
  return {
    asked: <T>(work: Promise<T>): Promise<T> => work.catch((error: unknown) => Promise.reject(understood(error))),
    /** Undefined where there is no such thing. */
    orNothing: <T>(work: Promise<T>): Promise<T | undefined> =>
      work.catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw understood(error);
      }),
  };
}

interface ServiceError {
  name?: string;
  code?: unknown;
  $metadata?: { httpStatusCode?: number };
}

/** A missing bucket is something else than a missing object; only an answer without a body, to HEAD, cannot tell them apart. */
function isMissing(error: unknown): boolean {
  const { name, $metadata } = error as ServiceError;
  return $metadata?.httpStatusCode === 404 && name !== "NoSuchBucket";
}

/** Undefined for what is no failure of the service. */
function kindOf(error: unknown): "away" | "refused" | undefined {
  const { name = "", code, $metadata } = error as ServiceError;
  const status = $metadata?.httpStatusCode;
  if (status === undefined) {
    if (name === "CredentialsProviderError") return "refused";
    return typeof code === "string" || ["TimeoutError", "AbortError"].includes(name) ? "away" : undefined;
  }
  if (status >= 500 || status === 408 || status === 429) return "away";
  return status >= 300 ? "refused" : undefined;
}

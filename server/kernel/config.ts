/** Configuration: one schema, read once from TOWLINE_* variables; its descriptions make the manual. */
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import { type KeepRule, parseKeepReleases } from "#api/keep-releases.ts";
import { nearest } from "#api/nearest.ts";

const port = z.coerce.number().int().min(0).max(65535);

const schema = z.object({
  TOWLINE_HOME: z.string().describe("Folder of all that this installation keeps."),
  TOWLINE_HOST: z.string().default("127.0.0.1").describe("Address that the server and the load balancer listen on."),
  TOWLINE_PORT: port.default(7300).describe("Port of the API, Git and the image registry; 0 takes a free one."),
  TOWLINE_HTTP_PORT: port.default(8300).describe("Port of the load balancer that users of the services reach."),
  TOWLINE_PUBLIC_URL: z
    .url()
    .optional()
    .describe("Address under which people reach the server, where a proxy stands in front."),
  TOWLINE_REGISTRY_ADDRESS: z
    .string()
    .regex(/^[a-z0-9.-]+:\d{1,5}$/, "host:port, such as 10.0.0.1:7300")
    .optional()
    .describe(
      "`host:port` under which the machines of a swarm reach the image registry (default: 127.0.0.1, right for a swarm of one machine).",
    ),
  TOWLINE_DATABASE_URL: z
    .string()
    .optional()
    .describe("Your own PostgreSQL (14 or later) in place of the embedded one."),
  TOWLINE_LOG_LEVEL: z
    .enum(["trace", "debug", "info", "warn", "error", "silent"])
    .default("info")
    .describe("Least level that is logged."),
  TOWLINE_HAPROXY_IMAGE: z.string().default("towline/base-haproxy:stable").describe("Image of the load balancer."),
  TOWLINE_DISK_FLOOR: z.coerce
    .number()
    .int()
    .nonnegative()
    .default(1024)
    .describe("MiB that stay free: below it no build starts and no upload is taken."),
  TOWLINE_DISK_MARK: z.coerce
    .number()
    .int()
    .nonnegative()
    .default(5120)
    .describe("MiB: while less is free, images that nothing needs go at once, not once an hour."),
  TOWLINE_CACHE_DAYS: z.coerce
    .number()
    .int()
    .positive()
    .max(36_500)
    .default(30)
    .describe("Days that a copy of another registry's image is kept without being used."),
  TOWLINE_LOG_DAYS: z.coerce
    .number()
    .int()
    .positive()
    .max(36_500)
    .default(90)
    .describe("Days after the end of a job that its log is kept."),
  TOWLINE_TEST_DAYS: z.coerce
    .number()
    .int()
    .positive()
    .max(36_500)
    .default(180)
    .describe("Days that the results of tests are kept."),
  TOWLINE_LOG_ROOM: z.coerce
    .number()
    .int()
    .positive()
    .default(20)
    .describe("GiB that the logs of ended jobs may take together: the oldest go first."),
  TOWLINE_IMAGE_ROOM: z.coerce
    .number()
    .int()
    .positive()
    .optional()
    .describe(
      "GiB that all images in the registry may take together: what would pass it is refused (default: no limit).",
    ),
  TOWLINE_IMAGE_REPOSITORY_ROOM: z.coerce
    .number()
    .int()
    .positive()
    .optional()
    .describe("GiB that the images of one repository may take (default: no limit)."),
  TOWLINE_S3_BUCKET: z
    .string()
    .regex(/^[a-zA-Z0-9][\w.-]{2,62}$/, "the name of a bucket")
    .optional()
    .describe("Bucket that images, artifacts and dumps of backing services lie in, in place of TOWLINE_HOME."),
  TOWLINE_S3_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("Address of a service that speaks S3, such as `https://s3.example.com` (default: AWS)."),
  TOWLINE_S3_REGION: z.string().default("us-east-1").describe("Region of the bucket."),
  TOWLINE_S3_PREFIX: z
    .string()
    .regex(/^([\w.-]+\/)*$/, "folders, each with a slash behind it, such as towline/")
    .default("")
    .describe("What the names of all objects begin with, such as `towline/`."),
  TOWLINE_S3_ACCESS_KEY_ID: z
    .string()
    .optional()
    .describe("Key of the bucket (default: from where programs of AWS take it, such as the role of the machine)."),
  TOWLINE_S3_SECRET_ACCESS_KEY: z.string().optional().describe("The secret of that key."),
  TOWLINE_ARTIFACT_DAYS: z.coerce
    .number()
    .int()
    .positive()
    .max(36_500)
    .default(90)
    .describe("Days after the end of a build that the artifacts of its jobs are kept."),
  TOWLINE_BUILD_DAYS: z.coerce
    .number()
    .int()
    .positive()
    .max(36_500)
    .default(400)
    .describe("Days after its end that a build is kept; what a release was made of stays with the release."),
  TOWLINE_KEEP_BUILDS: z.coerce
    .number()
    .int()
    .positive()
    .default(100)
    .describe("Newest builds of each repository that are kept whatever their age."),
  TOWLINE_WEBHOOK_HOSTS: z
    .string()
    .transform((text) => text.split(/[\s,]+/).filter((each) => each !== ""))
    .pipe(
      z.array(
        z.string().regex(/^(https?:\/\/)?(\*\.)?[\w.:-]+(\/\d{1,3})?$/, "no host: name, *.name, address or network"),
      ),
    )
    .default([])
    .describe(
      "Hosts that webhooks of contracts may call, and no others: `ci.example.com *.example.org 10.0.0.0/8`; with `http://` before it, without encryption too. Where nothing is said: every public one.",
    ),
  TOWLINE_EVENT_DAYS: z.coerce
    .number()
    .int()
    .min(31)
    .max(36_500)
    .default(400)
    .describe("Days that events are kept, which are the audit log."),
  TOWLINE_KEEP_SERVED: z.coerce
    .number()
    .int()
    .positive()
    .max(100)
    .default(5)
    .describe(
      "Releases that served last in an environment and whose images stay on its host: going back to them needs no registry.",
    ),
  TOWLINE_KEEP_RELEASES: z
    .string()
    .default("keep the last 20 releases, and everything deployed")
    .transform((text, context) => {
      const rules = parseKeepReleases(text);
      if (!isRefusal(rules)) return rules;
      context.addIssue({ code: "custom", message: rules.message, params: { fix: rules.fix } });
      return z.NEVER;
    })
    .describe(
      "Releases of each service whose images stay in the registry, in words: `the last 20 releases`, `the releases of the last 90 days` (or `weeks`), `every release`, with commas between them. What is deployed or may be gone back to stays in any case.",
    ),
});

export interface Config {
  home: string;
  host: string;
  port: number;
  httpPort: number;
  publicUrl: string | undefined;
  registryAddress: string | undefined;
  databaseUrl: string | undefined;
  logLevel: "trace" | "debug" | "info" | "warn" | "error" | "silent";
  haproxyImage: string;
  /** Bytes. */
  diskFloor: number;
  diskMark: number;
  artifactDays: number;
  /** Days that a copy of another registry's image stays unused. */
  cacheDays: number;
  logDays: number;
  testDays: number;
  /** Bytes. */
  logRoom: number;
  /** Bytes; undefined for no limit. */
  imageRoom: { all: number | undefined; repository: number | undefined };
  /** Where contents lie that are not to lie in the home. */
  s3: S3Config | undefined;
  buildDays: number;
  webhookHosts: readonly string[];
  eventDays: number;
  /** Builds and what served are counted from the newest. */
  keep: { builds: number; served: number; releases: readonly KeepRule[] };
}

export interface S3Config {
  bucket: string;
  endpoint: string | undefined;
  region: string;
  prefix: string;
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined;
}

/** Variables of the client and the agent, known here so that they are not refused as misspelt. */
const clientVariables = ["TOWLINE_TOKEN", "TOWLINE_URL"];

export function readConfig(environment: Record<string, string | undefined>): Config | Refusal {
  const known = [...Object.keys(schema.shape), ...clientVariables];
  const unknown = Object.keys(environment).find((name) => name.startsWith("TOWLINE_") && !known.includes(name));
  if (unknown) return unknownVariable(unknown, known);
  const parsed = schema.safeParse({ TOWLINE_HOME: join(homedir(), ".towline"), ...withoutEmpty(environment) });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const fix: unknown = issue?.code === "custom" ? issue.params?.["fix"] : undefined;
    return refuse(
      "config.invalid",
      `${issue?.path.join(".")}: ${issue?.message}`,
      typeof fix === "string" ? { fix } : {},
    );
  }
  const v = parsed.data;
  const s3 = s3Config(v);
  if (isRefusal(s3)) return s3;
  return {
    s3,
    home: v.TOWLINE_HOME,
    host: v.TOWLINE_HOST,
    port: v.TOWLINE_PORT,
    httpPort: v.TOWLINE_HTTP_PORT,
    publicUrl: v.TOWLINE_PUBLIC_URL,
    registryAddress: v.TOWLINE_REGISTRY_ADDRESS,
    databaseUrl: v.TOWLINE_DATABASE_URL,
    logLevel: v.TOWLINE_LOG_LEVEL,
    haproxyImage: v.TOWLINE_HAPROXY_IMAGE,
    diskFloor: v.TOWLINE_DISK_FLOOR * 1024 * 1024,
    diskMark: v.TOWLINE_DISK_MARK * 1024 * 1024,
    artifactDays: v.TOWLINE_ARTIFACT_DAYS,
    cacheDays: v.TOWLINE_CACHE_DAYS,
    logDays: v.TOWLINE_LOG_DAYS,
    testDays: v.TOWLINE_TEST_DAYS,
    logRoom: v.TOWLINE_LOG_ROOM * 1024 ** 3,
    imageRoom: { all: gibibytes(v.TOWLINE_IMAGE_ROOM), repository: gibibytes(v.TOWLINE_IMAGE_REPOSITORY_ROOM) },
    buildDays: v.TOWLINE_BUILD_DAYS,
    webhookHosts: v.TOWLINE_WEBHOOK_HOSTS,
    eventDays: v.TOWLINE_EVENT_DAYS,
    keep: {
      builds: v.TOWLINE_KEEP_BUILDS,
      ...{ served: v.TOWLINE_KEEP_SERVED, releases: v.TOWLINE_KEEP_RELEASES },
    },
  };
}

function s3Config(v: z.infer<typeof schema>): S3Config | undefined | Refusal {
  const { TOWLINE_S3_ACCESS_KEY_ID: accessKeyId, TOWLINE_S3_SECRET_ACCESS_KEY: secretAccessKey } = v;
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined))
    return refuse("config.invalid", "TOWLINE_S3_ACCESS_KEY_ID and TOWLINE_S3_SECRET_ACCESS_KEY go together");
  const bucket = v.TOWLINE_S3_BUCKET;
  if (bucket === undefined) {
    const alone = v.TOWLINE_S3_ENDPOINT ?? accessKeyId;
    return alone === undefined
      ? undefined
      : refuse("config.invalid", "TOWLINE_S3_BUCKET is missing beside TOWLINE_S3_*");
  }
  const [endpoint, region, prefix] = [v.TOWLINE_S3_ENDPOINT, v.TOWLINE_S3_REGION, v.TOWLINE_S3_PREFIX];
  const credentials =
    accessKeyId !== undefined && secretAccessKey !== undefined ? { accessKeyId, secretAccessKey } : undefined;
  return { bucket, endpoint, region, prefix, credentials };
}

const gibibytes = (count: number | undefined) => (count === undefined ? undefined : count * 1024 ** 3);

/** Name, default and meaning of each setting, for the manual. */
export function configManual(): { name: string; meaning: string; fallback: string }[] {
  const { properties = {} } = z.toJSONSchema(schema, { io: "input" });
  return Object.entries(properties).map(([name, property]) => {
    const { description = "", default: fallback = "" } = property as { description?: string; default?: unknown };
    return { name, meaning: description, fallback: String(fallback) };
  });
}

function unknownVariable(name: string, known: string[]): Refusal {
  const suggestion = nearest(name, known);
  return refuse("config.invalid", `${name} is not a setting`, suggestion ? { fix: `Did you mean ${suggestion}?` } : {});
}

function withoutEmpty(environment: Record<string, string | undefined>) {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ""));
}

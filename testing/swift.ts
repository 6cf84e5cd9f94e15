/** OpenStack Swift, which speaks S3, on this machine: one replica, in a temporary folder, started in seconds. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { endianness, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { request } from "undici";
import type { S3Place } from "#drivers/blobs/s3-bucket.ts";
import { findProgram } from "../tools/host/programs.ts";
import { freePort } from "./free-port.ts";
import { until } from "./until.ts";

export interface Swift extends AsyncDisposable {
  port: number;
  /** A bucket of that name, which is made. */
  place(bucket: string): Promise<S3Place>;
}

const stores = ["account", "container", "object"] as const;
/** Seconds that its parts give each other; half of one by themselves, which a busy machine needs longer for. */
const patience = "conn_timeout = 30\nnode_timeout = 60\ncontainer_update_timeout = 60";
type Part = (typeof stores)[number] | "proxy";
const credentials = { accessKeyId: "test:tester", secretAccessKey: "secret-of-the-tests" };

export async function startSwift(): Promise<Swift> {
  await using stack = new AsyncDisposableStack();
  const home = await mkdtemp(join(tmpdir(), "towline-swift-"));
  stack.defer(() => rm(home, { recursive: true, force: true }));
  await mkdir(join(home, "devices", "disk"), { recursive: true });
  for (const part of stores) await startStore(home, part, stack);
  const port = await freePort();
  stack.use(await start(home, "proxy", proxyConfig(home, port)));
  const endpoint = `http://127.0.0.1:${port}`;
  const answers = async () =>
    (await request(`${endpoint}/healthcheck`)
      .then(({ statusCode }) => statusCode)
      .catch(() => 0)) === 200;
  await until(answers, { deadlineMs: 120_000, describe: () => "Swift's proxy does not answer" });
  const kept = stack.move();
  return {
    port,
    async place(bucket) {
      const place = { bucket, prefix: "", region: "us-east-1", endpoint, credentials };
      await makeBucket(place);
      return place;
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Why it cannot be started here. */
export async function whyNoSwift(): Promise<string | undefined> {
  for (const part of [...stores, "proxy"])
    if (!(await findProgram(`swift-${part}-server`)))
      return `Swift is not installed here: apt-get install swift-${part}`;
  return undefined;
}

async function makeBucket({ bucket: Bucket, region, endpoint, credentials: known }: S3Place): Promise<void> {
  const { CreateBucketCommand, S3Client } = await import("@aws-sdk/client-s3");
  const client = new S3Client({
    region,
    endpoint: endpoint ?? "",
    forcePathStyle: true,
    credentials: known ?? credentials,
  });
  // The parts behind the proxy are not waited for one by one.
  let why = "";
  const made = async () => {
    why = await client.send(new CreateBucketCommand({ Bucket })).then(() => "", String);
    return why === "";
  };
  await until(made, { describe: () => `no bucket in Swift: ${why}` });
  client.destroy();
}

async function startStore(home: string, part: Exclude<Part, "proxy">, stack: AsyncDisposableStack): Promise<void> {
  const port = await freePort();
  await writeFile(join(home, `${part}.ring.gz`), ring(port));
  const config = `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
user = ${userInfo().username}
workers = 0
swift_dir = ${home}
devices = ${join(home, "devices")}
mount_check = false
disable_fallocate = true
${patience}
[pipeline:main]
pipeline = ${part}-server
[app:${part}-server]
use = egg:swift#${part}
`;
  stack.use(await start(home, part, config));
}

const proxyConfig = (home: string, port: number) => `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
user = ${userInfo().username}
workers = 0
swift_dir = ${home}
${patience}
[pipeline:main]
pipeline = catch_errors healthcheck cache s3api tempauth copy slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
# Stores that were asked before they were there would be left alone for a minute.
error_suppression_limit = 1000000
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:healthcheck]
use = egg:swift#healthcheck
# Tempauth wants one, and does without when it does not answer: then nothing is stale either.
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = ${credentials.secretAccessKey} .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
`;

/** Where each partition lies, in the form of `swift-ring-builder`: all of them on the one device. */
function ring(port: number): Buffer {
  const at = { ip: "127.0.0.1", port, replication_ip: "127.0.0.1", replication_port: port };
  const device = { id: 0, region: 1, zone: 1, device: "disk", weight: 1, meta: "", ...at };
  const byteorder = endianness() === "LE" ? "little" : "big";
  const text = Buffer.from(JSON.stringify({ byteorder, devs: [device], part_shift: 24, replica_count: 1, version: 1 }));
  const head = Buffer.alloc(10);
  head.write("R1NG");
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(text.length, 6);
  const devices = Buffer.alloc(2 * 2 ** 8);
  return gzipSync(Buffer.concat([head, text, devices]));
}

async function start(home: string, part: Part, config: string): Promise<AsyncDisposable> {
  const path = join(home, `${part}.conf`);
  await writeFile(path, config);
  const program = await findProgram(`swift-${part}-server`);
  const child: ChildProcess = spawn(program ?? "", [path, "--verbose"], { stdio: "ignore" });
  const exited = once(child, "exit");
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** The same HAProxy with a configuration written by hand, and an instance that answers faster than any service. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { haproxyImage } from "#testing/balancer-bed.ts";

const run = promisify(execFile);

export interface Proxy extends AsyncDisposable {
  container: string;
  /** IPv4 on the network of the services. */
  address: string;
}

interface Wish {
  name: string;
  network: string;
  config: string;
  /** Port of this machine for its port 8080. */
  port?: number;
}

/** As somebody would write it who wants the same of it: nothing is sent twice, and over no connection that may just be closing. */
export const byHand = (instances: readonly string[], reuse: boolean) => `global
  maxconn 4000
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  timeout http-keep-alive 95s
  ${reuse ? "http-reuse safe" : "option http-server-close"}
  option forwardfor
frontend public
  bind *:8080
  use_backend orders if { hdr(host) -i orders.test.localhost }
backend orders
  balance roundrobin
  option httpchk GET /health
${instances.map((address, at) => `  server s${at} ${address}:8080 check`).join("\n")}
`;

export const instanceConfig = `global
  maxconn 4000
defaults
  mode http
  timeout client 60s
  timeout http-keep-alive 95s
frontend all
  bind *:8080
  http-request return status 200 content-type text/plain string "hello from an instance"
`;

export async function startProxy({ name, network, config, port }: Wish): Promise<Proxy> {
  const folder = await mkdtemp(join(tmpdir(), "towline-bench-balancer-"));
  const file = join(folder, "haproxy.cfg");
  await writeFile(file, config);
  const published = port === undefined ? [] : ["--publish", `127.0.0.1:${port}:8080`];
  // As ours: the published port is on the engine's own network, the instances are on another.
  const first = port === undefined ? network : "bridge";
  const options = ["--network", first, ...published, "--volume", `${file}:/haproxy.cfg:ro`, "--user", "0"];
  await run("docker", [
    "run",
    "--detach",
    "--name",
    name,
    ...options,
    haproxyImage,
    "haproxy",
    "-W",
    "-f",
    "/haproxy.cfg",
  ]);
  const remove = async () => {
    await run("docker", ["rm", "--force", name]);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    if (first !== network) await run("docker", ["network", "connect", network, name]);
    const format = `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`;
    const { stdout } = await run("docker", ["inspect", "--format", format, name]);
    return { container: name, address: stdout.trim(), [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

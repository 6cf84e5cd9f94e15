/** Machines that take traffic besides the one of the server. */
import { join } from "node:path";
import { serveIngress } from "#agent/serve-ingress.ts";
import { isRefusal, refuse } from "#api/errors.ts";
import { createClient } from "#client/client.ts";
import { createHaproxyBalancer } from "#drivers/balancer/haproxy/balancer.ts";
import { readConfig } from "#kernel/config.ts";
import { installationId } from "#kernel/installation.ts";
import { createLog } from "#kernel/log.ts";
import { lockProcess } from "#kernel/process-lock.ts";
import { accepted, CommandRefused, paint, print, printJson, table, tell } from "../output.ts";
import { prepareHost, type PrepareFlags } from "../prepare.ts";
import { openClient, readSession, type SessionFlags } from "../session.ts";
import { untilSignal } from "../signals.ts";

interface Flags extends SessionFlags {
  json?: boolean;
}

interface RunFlags extends SessionFlags, PrepareFlags {
  home?: string;
}

export async function createIngress(flags: Flags, name: string): Promise<void> {
  const made = accepted(await (await openClient(flags)).createIngress({ body: { name } }));
  if (flags.json) return printJson(made);
  const next = `token of ${made.name}, shown this one time; on that machine: TOWLINE_TOKEN=… towline ingress run --url <server>`;
  tell(paint("dim", next, process.stderr));
  print(made.secret);
}

export async function listIngresses(flags: Flags): Promise<void> {
  const { ingresses } = accepted(await (await openClient(flags)).listIngresses({}));
  if (flags.json) return printJson({ ingresses });
  if (ingresses.length === 0) return print("Only the machine of the server takes traffic.");
  print(
    table(
      ["NAME", "STATE", "FAULT"],
      ingresses.map(({ name, state, fault }) => [name, state, fault ?? ""]),
    ),
  );
}

export async function removeIngress(flags: Flags, name: string): Promise<void> {
  const removed = accepted(await (await openClient(flags)).removeIngress({ params: { name } }));
  if (flags.json) return printJson(removed);
  print(`${removed.name} takes no traffic any more`);
}

/** Until a signal, or until the server says that it is no ingress any more. */
export async function runIngress(flags: RunFlags): Promise<void> {
  const config = readConfig(process.env);
  if (isRefusal(config)) throw new CommandRefused(config);
  const { url, token } = await readSession(flags);
  if (!token) {
    const fix = "towline ingress create <name> gives it";
    throw new CommandRefused(refuse("auth.required", "an ingress needs its token", { fix }));
  }
  await prepareHost(flags, ["haproxy"]);
  const home = flags.home ?? join(config.home, "ingress");
  const install = await installationId(home);
  await using _ = accepted(await lockProcess(join(home, "lock"), `another ingress runs with ${home}`));
  const balancer = createHaproxyBalancer({
    ...{ install, image: config.haproxyImage, directory: join(home, "balancer"), isIngress: true },
    publish: { host: config.host, port: config.httpPort },
  });
  const stop = new AbortController();
  void untilSignal().then(() => stop.abort());
  tell(`this machine takes traffic at ${config.host}:${config.httpPort} as ${url} says`);
  const log = createLog(config.logLevel);
  const ended = await serveIngress({ client: createClient({ url, token }), balancer, log }, stop.signal);
  if (ended) {
    tell("this machine takes no traffic any more: the server knows it no more, or another one is in its place");
    throw new CommandRefused(ended);
  }
  tell("the load balancer goes on; without this process nobody counts on it after half a minute");
}

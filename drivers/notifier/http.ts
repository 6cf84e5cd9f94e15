import { lookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { Agent, request } from "undici";
import type { Notifier, Reach } from "./contract.ts";

const deadlineMs = 10_000;

const mostBytes = 4096;

const own = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
] as const)
  own.addSubnet(network, prefix, "ipv4");
for (const [network, prefix] of [
  ["::", 127],
  ["fe80::", 10],
] as const)
  own.addSubnet(network, prefix, "ipv6");

const privately = new BlockList();
for (const [network, prefix] of [
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
] as const)
  privately.addSubnet(network, prefix, "ipv4");
privately.addSubnet("fc00::", 7, "ipv6");

/** Also as an IPv4 address inside an IPv6 one. */
export function isForbidden(address: string, reach: Reach = "network"): boolean {
  if (isIP(address) === 0) return true;
  const family = isIP(address) === 6 ? "ipv6" : "ipv4";
  if (reach === "anywhere") return false;
  return own.check(address, family) || (reach === "public" && privately.check(address, family));
}

const where: Record<Reach, string> = {
  public: "this machine, a private network or a link-local address",
  network: "this machine or a link-local address",
  anywhere: "no address",
};

export interface NotifierOptions {
  /** Addresses of this machine too: for tests, whose receivers stand there. */
  allowLocal?: boolean;
}

export function createHttpNotifier({ allowLocal = false }: NotifierOptions = {}): Notifier {
  const reachOf = (reach: Reach = "network"): Reach => (allowLocal ? "anywhere" : reach);

  /** Decided for the very address that is connected to: a name that is looked up twice may lead elsewhere. */
  const guarded =
    (reach: Reach): LookupFunction =>
    (hostname, options, done) =>
      lookup(hostname, { ...options, all: true }, (error, addresses) => {
        const first = addresses?.find(({ address }) => !isForbidden(address, reach));
        if (error) return done(error, "", 0);
        if (!first) return done(new Error(`${hostname} leads to ${where[reach]}`), "", 0);
        return options.all ? done(null, [first]) : done(null, first.address, first.family);
      });
  const dispatcher = (reach: Reach) =>
    new Agent({ connect: { lookup: guarded(reach), timeout: deadlineMs }, pipelining: 0 });
  const dispatchers = {
    public: dispatcher("public"),
    network: dispatcher("network"),
    anywhere: dispatcher("anywhere"),
  };

  return {
    async post({ url, headers, body, reach: asked }) {
      const reach = reachOf(asked);
      const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
      // An address needs no lookup.
      if (isIP(host) && isForbidden(host, reach)) throw new Error(`${host} is ${where[reach]}`);
      const answer = await request(url, {
        ...{ method: "POST", headers, body, dispatcher: dispatchers[reach] },
        signal: AbortSignal.timeout(deadlineMs),
      });
      return { status: answer.statusCode, body: await beginningOf(answer.body) };
    },
  };
}

/** Ends the connection there, if more comes. */
async function beginningOf(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of body) {
    parts.push(part);
    length += part.length;
    if (length >= mostBytes) break;
  }
  return Buffer.concat(parts).subarray(0, mostBytes).toString();
}

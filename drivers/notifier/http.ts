import { lookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { Agent, request } from "undici";
import type { Notifier } from "./contract.ts";

const deadlineMs = 10_000;

const forbidden = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
] as const)
  forbidden.addSubnet(network, prefix, "ipv4");
for (const [network, prefix] of [
  ["::", 127],
  ["fe80::", 10],
] as const)
  forbidden.addSubnet(network, prefix, "ipv6");

/** Also as an IPv4 address inside an IPv6 one. */
export const isForbidden = (address: string): boolean =>
  isIP(address) === 0 || forbidden.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");

export interface NotifierOptions {
  /** Addresses of this machine too: for tests, whose receivers stand there. */
  allowLocal?: boolean;
}

export function createHttpNotifier({ allowLocal = false }: NotifierOptions = {}): Notifier {
  const refuses = (address: string) => !allowLocal && isForbidden(address);

  /** Decided for the very address that is connected to: a name that is looked up twice may lead elsewhere. */
  const guarded: LookupFunction = (hostname, options, done) =>
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const first = addresses?.find(({ address }) => !refuses(address));
      if (error) return done(error, "", 0);
      if (!first) return done(new Error(`${hostname} leads to this machine or to a link-local address`), "", 0);
      return options.all ? done(null, [first]) : done(null, first.address, first.family);
    });
  const dispatcher = new Agent({ connect: { lookup: guarded, timeout: deadlineMs }, pipelining: 0 });

  return {
    async post({ url, headers, body }) {
      const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
      // An address needs no lookup.
      if (isIP(host) && refuses(host)) throw new Error(`${host} is this machine or a link-local address`);
      const answer = await request(url, {
        ...{ method: "POST", headers, body, dispatcher },
        signal: AbortSignal.timeout(deadlineMs),
      });
      await answer.body.dump({ limit: 64 * 1024 });
      return { status: answer.statusCode };
    },
  };
}

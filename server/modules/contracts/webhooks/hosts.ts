/** Where webhooks may call: nobody makes the platform a way into the network that it stands in. */
import { BlockList, isIP } from "node:net";
import type { Reach } from "#drivers/notifier/contract.ts";
import { addressOf } from "../core/webhook.ts";

/** Of `TOWLINE_WEBHOOK_HOSTS`: names, `*.names`, addresses, networks; with `http://` before it, without encryption too. */
export type AllowedHosts = readonly string[];

export interface Allowed {
  reach: Reach;
  /** Whether people may read what it answers: not what any server in the internet does. */
  isNamed: boolean;
}

/** What the host may reach; or why it may not be called, a sentence to follow the field's name. */
export function allowedTo(url: string, hosts: AllowedHosts): Allowed | string {
  const [parsed, other] = [parse(url, "placeholder"), parse(url, "differentplaceholder")];
  if (!parsed || !other || !/^https?:$/.test(parsed.protocol)) return "must be an address that begins with https://";
  if (parsed.host !== other.host) return "cannot have a template parameter in the host";
  if (parsed.username !== "" || parsed.password !== "") return "must not hold a user: give user and password apart";
  const host = parsed.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const entry = hosts.map(entryOf).find(({ name }) => fits(name, host));
  if (hosts.length > 0 && !entry)
    return `host must be one that TOWLINE_WEBHOOK_HOSTS names: ${hosts.join(", ")}; whoever runs the server can add it`;
  if (parsed.protocol === "http:" && !entry?.plain)
    return `scheme must be https, unless TOWLINE_WEBHOOK_HOSTS names http://${host}`;
  const reach = !entry ? "public" : entry.name === host ? "anywhere" : "network";
  return { reach, isNamed: entry !== undefined };
}

function parse(url: string, value: string): URL | undefined {
  return (
    URL.parse(addressOf(url.replaceAll(/\$\{[^}]*\}/g, "${pactbroker.eventName}"), { eventName: value })) ?? undefined
  );
}

const entryOf = (text: string) => ({
  plain: text.startsWith("http://"),
  name: text.replace(/^https?:\/\//, "").toLowerCase(),
});

function fits(name: string, host: string): boolean {
  if (name.startsWith("*.")) return host.endsWith(name.slice(1));
  const [network = "", prefix] = name.split("/");
  if (prefix === undefined) return name === host;
  const [family, of] = [isIP(network), isIP(host)];
  if (of === 0 || family !== of) return false;
  const list = new BlockList();
  const kind = family === 6 ? "ipv6" : "ipv4";
  list.addSubnet(network, Number(prefix), kind);
  return list.check(host, kind);
}

/**
 * Addresses that instances keep. The engine gives a container another address at each start, so that after a restart of the
 * host the balancer would send to the wrong ones until the control plane is back. So instances get fixed addresses from
 * the lower half of the subnet, and the engine deals from the upper half to everything else. Pure.
 */

/** The first ones are for the gateway and the balancer. */
const reserved = 10;

export interface Pool {
  subnet: string;
  /** First address as a number, and how many there are in all. */
  base: number;
  size: number;
}

/** `172.18.0.0/16`; nothing for what is no IPv4 subnet of at least 64 addresses. */
export function poolOf(subnet: string): Pool | undefined {
  const [, a, b, c, d, bits] = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(subnet)?.map(Number) ?? [];
  if (a === undefined || b === undefined || c === undefined || d === undefined || bits === undefined) return undefined;
  if (bits > 26) return undefined;
  return { subnet, base: ((a * 256 + b) * 256 + c) * 256 + d, size: 2 ** (32 - bits) };
}

/** The half from which the engine deals, as CIDR. */
export function dealt({ base, size, subnet }: Pool): string {
  return `${text(base + size / 2)}/${Number(subnet.split("/")[1]) + 1}`;
}

/** The gateway's address. */
export function gateway({ base }: Pool): string {
  return text(base + 1);
}

/**
 * A free address, the next one after `last` (absent: after the highest in use), so that one that was given back is not
 * soon another's. Nothing when all are taken.
 */
export function nextAddress(pool: Pool, used: ReadonlySet<string>, last: string | undefined): string | undefined {
  const first = pool.base + reserved;
  const count = pool.size / 2 - reserved;
  const highest = Math.max(first - 1, ...[...used].map(number).filter((each) => each < first + count));
  const after = last === undefined ? highest : number(last);
  for (let step = 1; step <= count; step++) {
    const candidate = text(first + ((((after - first + step) % count) + count) % count));
    if (!used.has(candidate)) return candidate;
  }
  return undefined;
}

function text(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

function number(address: string): number {
  return address.split(".").reduce((total, part) => total * 256 + Number(part), 0);
}

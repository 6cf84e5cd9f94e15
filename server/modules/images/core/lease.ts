/**
 * A push brings layers, hears of others that they are there, and names all of them in a manifest at its end: until then a lease keeps
 * them from being collected.
 */
export const leaseMs = 24 * 60 * 60 * 1000;

/** Every renewal is a write: only one that is this old is renewed. */
const renewedAfterMs = leaseMs / 24;

export function isRenewedAt(now: Date, leasedAt: Date): boolean {
  return now.getTime() - leasedAt.getTime() > renewedAfterMs;
}

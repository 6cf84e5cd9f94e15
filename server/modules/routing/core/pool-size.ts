/** As many slots as a balancer's route can have. */
export const mostSlots = 64;
const fewestSlots = 4;

/**
 * Slots for a pool in which `wanted` instances serve while as many again take over. Powers of two, never fewer than it has:
 * a change reloads the balancer, so it should be rare.
 */
export function poolSize(wanted: number, present = fewestSlots): number {
  let size = Math.max(fewestSlots, present);
  while (size < wanted * 2 && size < mostSlots) size *= 2;
  return Math.min(size, mostSlots);
}

/** The lowest position that nobody has, or undefined when all are taken. */
export function freePosition(taken: readonly number[], size: number): number | undefined {
  const occupied = new Set(taken);
  return Array.from({ length: size }, (_, position) => position).find((position) => !occupied.has(position));
}

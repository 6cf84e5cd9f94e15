/** Instances that ended by themselves once they served, when the watch over their deployment was over. Pure. */
import type { Instance } from "#drivers/runtime/contract.ts";

/** In words, for people; the code is known until it runs again. Nothing where it never ended. */
export function restartOf(instance: Instance): string | undefined {
  const { name, restarts } = instance;
  if (restarts === 0) return undefined;
  const often = restarts === 1 ? "once" : `${restarts} times`;
  const why = instance.exitCode === undefined ? "" : `, last with exit code ${instance.exitCode}`;
  return `${name} ended by itself and was started again ${often}${why}`;
}

/** The first, second, fourth, eighth … is told, so that one that ends again and again does not fill the record. */
export function isTold(restarts: number, toldAt: number): boolean {
  return restarts > 0 && restarts >= 2 * toldAt;
}

import { Unreadable } from "./unreadable.ts";

/** What may still be read of an image: it shrinks as its layers are. */
export interface Budget {
  /** Bytes, unpacked. */
  bytes: number;
  entries: number;
  /** That hold packages or licences. */
  files: number;
}

const overdrawn: Record<keyof Budget, string> = {
  bytes: "it is too large when unpacked",
  entries: "its archives have too many entries",
  files: "it has too many packages",
};

/** Throws `Unreadable` where there is not so much left. */
export function spend(budget: Budget, cost: Partial<Budget>): void {
  for (const [name, amount] of Object.entries(cost) as [keyof Budget, number][]) {
    budget[name] -= amount;
    if (budget[name] < 0) throw new Unreadable(overdrawn[name]);
  }
}

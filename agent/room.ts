/** Room on the disk: what only saves time goes before the agent leases no more. */

export interface RoomDeps {
  /** Bytes that are free. */
  free(): Promise<number>;
  floor: number;
  /** What can go, in this order: each call frees something and answers true, or has nothing more. */
  stores: readonly Removable[];
}

export interface Removable {
  name: string;
  removeOldest(): Promise<boolean>;
}

export interface Room {
  /** Whether the floor is free, after removing what may go; one at a time, however many ask. */
  make(): Promise<boolean>;
}

/** Until this much more than the floor is free, so that it is not for each job anew. */
const spare = 512 * 1024 * 1024;

export function createRoom({ free, floor, stores }: RoomDeps, onRemoved: (name: string) => void = () => {}): Room {
  let running: Promise<boolean> | undefined;

  async function makeRoom(): Promise<boolean> {
    if ((await free()) >= floor) return true;
    for (const { name, removeOldest } of stores) {
      while ((await free()) < floor + spare) {
        if (!(await removeOldest())) break;
        onRemoved(name);
      }
    }
    return (await free()) >= floor;
  }

  return {
    make: () =>
      (running ??= makeRoom().finally(() => {
        running = undefined;
      })),
  };
}

import type { Wake } from "#kernel/wake.ts";

/** A wake within this process: no database notes each part of each log. */
export interface Bell extends Pick<Wake, "on"> {
  ring(channel: string): void;
  ringAll(): void;
}

export function createBell(): Bell {
  const listeners = new Map<string, Set<() => void>>();
  return {
    on(channel, callback) {
      const set = listeners.get(channel) ?? new Set();
      listeners.set(channel, set.add(callback));
      return () => {
        set.delete(callback);
        if (set.size === 0 && listeners.get(channel) === set) listeners.delete(channel);
      };
    },
    ring: (channel) => listeners.get(channel)?.forEach((callback) => callback()),
    ringAll: () => listeners.forEach((set) => set.forEach((callback) => callback())),
  };
}

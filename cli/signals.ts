/** Resolves at the first SIGINT or SIGTERM. */
export function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const names = ["SIGINT", "SIGTERM"] as const;
    const listener = (signal: NodeJS.Signals) => {
      names.forEach((name) => process.off(name, listener));
      resolve(signal);
    };
    names.forEach((name) => process.on(name, listener));
  });
}

import type { Key } from "node:readline";

/**
 * What a person answers to a prompt of `@clack/prompts`, which is to end at the signal; undefined when they break it off by Ctrl-C or
 * Ctrl-D. By itself a prompt takes no notice of Ctrl-D.
 */
export async function answerTo<T>(
  prompt: (signal: AbortSignal) => Promise<T>,
): Promise<Exclude<T, symbol> | undefined> {
  const gone = new AbortController();
  const onKey = (_: unknown, { ctrl, name }: Key) => ctrl && name === "d" && gone.abort();
  process.stdin.on("keypress", onKey);
  const answer = await prompt(gone.signal).finally(() => process.stdin.off("keypress", onKey));
  return typeof answer === "symbol" ? undefined : (answer as Exclude<T, symbol>);
}

/** False also when it is broken off. */
export async function isConfirmed(message: string): Promise<boolean> {
  const { confirm } = await import("@clack/prompts");
  return (await answerTo((signal) => confirm({ message, signal }))) ?? false;
}

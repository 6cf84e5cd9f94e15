import type { Key } from "node:readline";
import { text } from "node:stream/consumers";
import { isCancel, password } from "@clack/prompts";

/** What nobody is to see: from a prompt without an echo, or from standard input, whose last line break does not belong to it. */
export async function readHidden(message: string): Promise<string> {
  return process.stdin.isTTY ? askHidden(message) : (await text(process.stdin)).replace(/\r?\n$/, "");
}

export async function askHidden(message: string): Promise<string> {
  const gone = new AbortController();
  // Without this the end of input would leave the prompt without an answer.
  const onKey = (_: unknown, { ctrl, name }: Key) => ctrl && name === "d" && gone.abort();
  process.stdin.on("keypress", onKey);
  const answer = await password({ message, signal: gone.signal });
  process.stdin.off("keypress", onKey);
  if (isCancel(answer)) process.exit(2);
  return answer;
}

import { text } from "node:stream/consumers";
import { password } from "@clack/prompts";
import { answerTo } from "../tools/host/prompt.ts";

/** What nobody is to see: from a prompt without an echo, or from standard input, whose last line break does not belong to it. */
export async function readHidden(message: string): Promise<string> {
  return process.stdin.isTTY ? askHidden(message) : (await text(process.stdin)).replace(/\r?\n$/, "");
}

export async function askHidden(message: string): Promise<string> {
  const answer = await answerTo((signal) => password({ message, signal }));
  return answer ?? process.exit(2);
}

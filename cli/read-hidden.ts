import { text } from "node:stream/consumers";
import { isCancel, password } from "@clack/prompts";

/** What nobody is to see: from a prompt without an echo, or from standard input, whose last line break does not belong to it. */
export async function readHidden(message: string): Promise<string> {
  return process.stdin.isTTY ? askHidden(message) : (await text(process.stdin)).replace(/\r?\n$/, "");
}

export async function askHidden(message: string): Promise<string> {
  const answer = await password({ message });
  if (isCancel(answer)) process.exit(2);
  return answer;
}

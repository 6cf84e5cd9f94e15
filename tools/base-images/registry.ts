import { connectEngine } from "#drivers/engine/engine.ts";
import { baseImages } from "./catalogue.ts";

const deadlineMs = 5_000;
let answer: Promise<boolean> | undefined;

/**
 * Whether the registry of the official images answers. The engine is asked, since it will do the pulling: it may know
 * a proxy or a mirror that this process does not. Asked once a process.
 */
export function registryAnswers(): Promise<boolean> {
  answer ??= ask();
  return answer;
}

async function ask(): Promise<boolean> {
  const path = `/distribution/${baseImages.debian.official}/json`;
  return connectEngine()
    .json({ method: "GET", path }, { deadlineMs })
    .then(
      () => true,
      () => false,
    );
}

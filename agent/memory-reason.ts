import type { ContainerEnd } from "./containers.ts";

const killed = 137;

/** Why a job ended with this exit status where memory was the reason, or may have been. */
export function memoryReason({
  exitCode,
  outOfMemory,
}: Pick<ContainerEnd, "exitCode" | "outOfMemory">): string | undefined {
  if (outOfMemory) return "it ran out of memory";
  // On a busy machine Docker 20.10 hears of one end in fifteen before it hears that memory was the reason.
  return exitCode === killed ? "it was killed (SIGKILL), perhaps for want of memory" : undefined;
}

/** The engine's sentences as the contract's failures. */
import { EngineError } from "#drivers/engine/engine.ts";
import { RuntimeError, type RuntimeFailure } from "../contract.ts";

const sentences: [RegExp, RuntimeFailure][] = [
  [/no space left on device/i, "disk-full"],
  [
    // The second is a removal that met another's: see `engine/remove-image.ts`.
    /no such image|unrecognized image ID|manifest (for .*)?(unknown|not found)|repository does not exist|name unknown|unknown blob|blob unknown/i,
    "image-missing",
  ],
  [
    /unauthorized|no basic auth|authentication required|denied|connection refused|no such host|i\/o timeout|tls|\bEOF\b/i,
    "registry-unreachable",
  ],
  [/no such (container|network|volume)|network .* not found/i, "not-found"],
  [/has active endpoints|volume is in use|image is being used|is using its referenced image/i, "in-use"],
];

/** A failure of a call to the engine; anything else stays what it is. */
export function translate(error: unknown): unknown {
  if (!(error instanceof EngineError)) return error;
  const { message, reason, cause } = error;
  if (reason === "unreachable") return new RuntimeError("docker-unreachable", message, { cause });
  if (reason !== "status") return new RuntimeError(reason, message, { cause });
  return new RuntimeError(failureOf(message), message, { cause });
}

export function failureOf(sentence: string): RuntimeFailure {
  return sentences.find(([pattern]) => pattern.test(sentence))?.[1] ?? "engine";
}

export function isFailure(error: unknown, code: RuntimeFailure): error is RuntimeError {
  return error instanceof RuntimeError && error.code === code;
}

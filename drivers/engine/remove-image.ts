import { type Engine, EngineError, type Limits } from "./engine.ts";

/**
 * Takes a name or an id from an image, which goes with its last one: `gone`, also where it was so before, or `in-use` where a container
 * or another image stands on it. Throws an `EngineError` for any other answer.
 */
export async function removeImage(engine: Engine, name: string, limits: Limits): Promise<"gone" | "in-use"> {
  try {
    await engine.json({ method: "DELETE", path: `/images/${name}` }, limits);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    if (error.status === 409) return "in-use";
    if (error.status !== 404 && !isRemovedByAnother(error)) throw error;
  }
  return "gone";
}

/**
 * Removals at one time of images that share layers meet at those, and the engine calls the later one's failure its own
 * (https://github.com/moby/moby/blob/v20.10.24/image/store.go, `Delete`).
 */
function isRemovedByAnother({ status, message }: EngineError): boolean {
  return status === 500 && message.includes("unrecognized image ID");
}

/** What a build's meta-data may be. */
import { metaDataLimit } from "#api/endpoints/job.ts";
import { refuse, type Refusal } from "#api/errors.ts";

const longestKey = 255;
/** Of one build. */
export const mostKeys = 1_000;
/** Of all values of one build together. */
export const mostBytes = 10 * 1024 * 1024;

const encoder = new TextEncoder();

/** Why a value cannot be kept under the key, or undefined. */
export function refuseMetaData(key: string, value: string): Refusal | undefined {
  if (key.length === 0 || key.length > longestKey)
    return refuse("meta-data.invalid", `a key of meta-data has 1 to ${longestKey} characters`);
  if (!isText(key) || /\p{Cc}/u.test(key))
    return refuse("meta-data.invalid", "a key of meta-data is text without control characters");
  if (!isText(value)) return refuse("meta-data.invalid", `the value of ${key} is not text`, { fix: keepFile });
  const bytes = encoder.encode(value).length;
  if (bytes <= metaDataLimit) return undefined;
  return refuse("meta-data.invalid", `the value of ${key} has ${bytes} bytes; ${metaDataLimit} are taken`, {
    fix: keepFile,
  });
}

/** Why a build that has so much cannot take these values too. */
export function refuseAmount(size: { keys: number; bytes: number }): Refusal | undefined {
  if (size.keys > mostKeys) return refuse("meta-data.invalid", `a build has at most ${mostKeys} keys of meta-data`);
  if (size.bytes > mostBytes)
    return refuse("meta-data.invalid", `the meta-data of a build is at most ${mostBytes} bytes`, { fix: keepFile });
  return undefined;
}

const keepFile = "Keep it as an artifact.";

/** PostgreSQL keeps any text but one with a zero in it, or half a character. */
function isText(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}

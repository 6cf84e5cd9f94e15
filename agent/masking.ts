import { createMatcher, type Matcher } from "./secret-matcher.ts";

/** Shorter secrets are not masked: three bytes occur in any log by chance, and masking them would ruin it. */
export const shortestSecretBytes = 4;

/** Of a secret of several lines each line is masked alone too, but not its `"id": 7` and `}`. */
export const shortestLineBytes = 8;

export const mask = "***";

/**
 * Hides secrets in a byte stream. `push` answers the bytes that are certain by now (it holds back what may become a
 * secret, at most the longest form), `flush` the rest. Overlapping and adjacent secrets become one `***`, so the output
 * is the same for every way of cutting the input into chunks. No secret is left in the output, except one that itself
 * holds a `*` where text beside a mask can happen to spell it.
 */
export interface Masker {
  push(chunk: Buffer): Buffer;
  flush(): Buffer;
}

/** A masker for `secrets`, each also in base64 (at any alignment), URL-encoded, JSON-escaped, and line by line. */
export function createMasker(secrets: readonly string[]): Masker {
  const forms = [...new Set(secrets.flatMap(formsOf))];
  if (forms.length === 0) return { push: (chunk) => chunk, flush: () => Buffer.alloc(0) };
  return createStream(createMatcher(forms.map((form) => Buffer.from(form, "utf8"))));
}

/** A whole text with its secrets hidden, for messages that go to the server outside of the log. */
export function maskText(secrets: readonly string[], text: string): string {
  const masker = createMasker(secrets);
  return Buffer.concat([masker.push(Buffer.from(text)), masker.flush()]).toString("utf8");
}

/** Every spelling under which `secret` may turn up in a log. */
export function formsOf(secret: string): string[] {
  const lines = secret
    .trim()
    .split(/\r?\n/)
    .map((line) => line.trim());
  const shortestLine = lines.length > 1 ? shortestLineBytes : shortestSecretBytes;
  return [secret, secret.trim(), ...lines.filter((line) => Buffer.byteLength(line) >= shortestLine)]
    .filter((text) => Buffer.byteLength(text) >= shortestSecretBytes)
    .flatMap((text) => [text, ...urlForms(text), JSON.stringify(text).slice(1, -1), ...base64Forms(Buffer.from(text))])
    .filter((form) => Buffer.byteLength(form) >= shortestSecretBytes);
}

function urlForms(text: string): string[] {
  const sound = text.toWellFormed();
  const encoded = [encodeURIComponent(sound), encodeURI(sound), new URLSearchParams([["", sound]]).toString().slice(1)];
  const withPlus = encoded.map((form) => form.replaceAll("%20", "+"));
  const lower = [...encoded, ...withPlus].map((form) => form.replace(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase()));
  return [...encoded, ...withPlus, ...lower];
}

/**
 * Base64 depends on how many bytes precede the secret (`user:secret` in basic authentication): for each of the three
 * alignments, the characters that come from the secret alone.
 */
function base64Forms(secret: Buffer): string[] {
  const aligned = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), secret]).toString("base64");
    const bits = (shift + secret.length) * 8;
    return encoded.slice(Math.ceil((shift * 8) / 6), Math.floor(bits / 6));
  });
  return [secret.toString("base64"), ...aligned].flatMap((form) => [form, toBase64Url(form)]);
}

function toBase64Url(base64: string): string {
  return base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function createStream(matcher: Matcher): Masker {
  const held = new HeldBytes();
  let state = matcher.start;

  function push(chunk: Buffer): Buffer {
    held.append(chunk);
    for (let index = held.length - chunk.length; index < held.length; index++) {
      state = matcher.step(state, held.at(index));
      const length = matcher.matchLength(state);
      if (length > 0) held.cover(index + 1 - length, index + 1);
    }
    return held.release(held.length - matcher.depth(state));
  }

  return { push, flush: () => held.release(held.length) };
}

/** Bytes not yet released, and which of them belong to a secret. */
class HeldBytes {
  #bytes = Buffer.alloc(0);
  #covered = Buffer.alloc(0);
  #insideMask = false;

  get length(): number {
    return this.#bytes.length;
  }

  at(index: number): number {
    return this.#bytes[index] ?? 0;
  }

  append(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    this.#covered = Buffer.concat([this.#covered, Buffer.alloc(chunk.length)]);
  }

  /** A match may begin before what is held only by bytes that are held: the matcher's depth keeps them here. */
  cover(from: number, to: number): void {
    this.#covered.fill(1, from, to);
  }

  release(count: number): Buffer {
    const out: Buffer[] = [];
    for (let from = 0; from < count;) {
      const covered = this.#covered[from];
      let to = from + 1;
      while (to < count && this.#covered[to] === covered) to++;
      if (covered === 0) out.push(this.#bytes.subarray(from, to));
      else if (!(from === 0 && this.#insideMask)) out.push(Buffer.from(mask));
      from = to;
    }
    if (count > 0) this.#insideMask = this.#covered[count - 1] === 1;
    this.#bytes = this.#bytes.subarray(count);
    this.#covered = this.#covered.subarray(count);
    return Buffer.concat(out);
  }
}

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
  /** Hides one more secret from here on, also in what is held back. */
  add(secret: string): void;
}

/**
 * A masker for `secrets`, each also in base64 (at any alignment), hexadecimal, URL-encoded, JSON-escaped, as a shell traces
 * it, and line by line.
 */
export function createMasker(secrets: readonly string[]): Masker {
  let forms = new Set(secrets.flatMap(formsOf));
  const stream = new MaskStream(matcherOf(forms));
  return {
    push: (chunk) => stream.push(chunk),
    flush: () => stream.flush(),
    add(secret) {
      forms = forms.union(new Set(formsOf(secret)));
      stream.replace(matcherOf(forms));
    },
  };
}

function matcherOf(forms: ReadonlySet<string>): Matcher {
  return createMatcher([...forms].map((form) => Buffer.from(form, "utf8")));
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
    .flatMap((text) => [
      ...[text, JSON.stringify(text).slice(1, -1), ...urlForms(text)],
      ...[...base64Forms(Buffer.from(text)), ...hexForms(Buffer.from(text)), ...shellForms(text)],
    ])
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

function hexForms(secret: Buffer): string[] {
  const hex = secret.toString("hex");
  return [hex, hex.toUpperCase()];
}

/** As `set -x` and `printf %q` write what has quotes or other characters of the shell's own in it. */
function shellForms(text: string): string[] {
  return [
    text.replaceAll("'", `'\\''`),
    text.replaceAll("'", `'"'"'`),
    text.replaceAll(/[\\"$`]/g, "\\$&"),
    text.replaceAll(/[^\w@%+=:,./\u0080-\uFFFF-]/g, "\\$&"),
    text.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("\n", "\\n").replaceAll("\t", "\\t"),
  ];
}

/** Part of what is held, in bytes from its begin. */
interface Span {
  from: number;
  to: number;
}

/** The bytes that are held back, and which of them belong to a secret. */
class MaskStream {
  #matcher: Matcher;
  #state: number;
  #held: Buffer = Buffer.alloc(0);
  /** In order, neither overlapping nor touching. */
  #covered: Span[] = [];
  /** The last byte that was let go belonged to a secret: its mask stands there already. */
  #insideMask = false;

  constructor(matcher: Matcher) {
    this.#matcher = matcher;
    this.#state = matcher.start;
  }

  push(chunk: Buffer): Buffer {
    const before = this.#held.length;
    this.#held = before === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#search(before);
    return this.#release(this.#held.length - this.#matcher.depth(this.#state));
  }

  flush(): Buffer {
    this.#state = this.#matcher.start;
    return this.#release(this.#held.length);
  }

  replace(matcher: Matcher): void {
    const before = this.#covered;
    this.#covered = [];
    this.#matcher = matcher;
    this.#state = matcher.start;
    this.#search(0);
    // Of a secret whose first bytes are gone from here, the new search knows nothing.
    const spans = [...before, ...this.#covered].toSorted((a, b) => a.from - b.from);
    this.#covered = [];
    for (const span of spans) this.#cover(span);
  }

  #search(from: number): void {
    for (let at = from; at < this.#held.length;) {
      ({ at, state: this.#state } = this.#matcher.scan(this.#held, at, this.#state));
      const length = this.#matcher.matchLength(this.#state);
      // It begins within what is held: `depth` kept its first bytes here.
      if (length > 0) this.#cover({ from: at - length, to: at });
    }
  }

  #cover({ from, to }: Span): void {
    const span = { from, to };
    for (let last = this.#covered.at(-1); last && last.to >= span.from; last = this.#covered.at(-1)) {
      span.from = Math.min(span.from, last.from);
      span.to = Math.max(span.to, last.to);
      this.#covered.pop();
    }
    this.#covered.push(span);
  }

  #release(count: number): Buffer {
    if (count === 0) return Buffer.alloc(0);
    const bytes = this.#held;
    const out: Buffer[] = [];
    let at = 0;
    for (const { from, to } of this.#covered.filter((span) => span.from < count)) {
      if (from > at) out.push(bytes.subarray(at, from));
      if (from > 0 || !this.#insideMask) out.push(Buffer.from(mask));
      at = Math.min(to, count);
    }
    this.#insideMask = at === count && this.#covered.some(({ from }) => from < count);
    if (at < count) out.push(bytes.subarray(at, count));
    // A copy: it is short, and what it was cut from would stay in memory with it.
    this.#held = Buffer.from(bytes.subarray(count));
    this.#covered = this.#covered
      .filter(({ to }) => to > count)
      .map(({ from, to }) => ({ from: Math.max(0, from - count), to: to - count }));
    return out.length === 1 ? (out[0] ?? Buffer.alloc(0)) : Buffer.concat(out);
  }
}

import type { LateSecret } from "./attempt-records.ts";
import { createMasker, maskText } from "./masking.ts";

/** A masker of output that may be written again from its beginning: what was hidden from a byte on is then hidden from the same byte on. */
export interface ReplayMasker {
  push(bytes: Buffer): Buffer;
  flush(): Buffer;
  /** As `flush`; the output that counts begins here, and no secret is looked for across. */
  restart(): Buffer;
  /** Hides one more value from now on; answers all that came since the beginning. */
  add(secret: string): LateSecret[];
  maskText(text: string): string;
}

export function createReplayMasker(secrets: readonly string[], before: LateSecret[] = []): ReplayMasker {
  const known = new Set(secrets);
  let masker = createMasker([...known]);
  let pushed = 0;
  let late = before;
  /** How many of `late` are hidden by now. */
  let applied = 0;

  function hide(secret: string): void {
    known.add(secret);
    masker.add(secret);
  }

  function push(bytes: Buffer): Buffer {
    for (; (late[applied]?.at ?? Infinity) <= pushed; applied++) hide(late[applied]?.value ?? "");
    const untilNext = (late[applied]?.at ?? Infinity) - pushed;
    const part = bytes.subarray(0, untilNext);
    pushed += part.length;
    const masked = masker.push(part);
    return part.length < bytes.length ? Buffer.concat([masked, push(bytes.subarray(part.length))]) : masked;
  }

  return {
    push,
    flush: () => masker.flush(),
    restart() {
      const held = masker.flush();
      masker = createMasker([...known]);
      [pushed, late, applied] = [0, [], 0];
      return held;
    },
    add(secret) {
      hide(secret);
      if (applied === late.length) applied++;
      late = [...late, { at: Math.max(pushed, late.at(-1)?.at ?? 0), value: secret }];
      return late;
    },
    maskText: (text) => maskText([...known], text),
  };
}

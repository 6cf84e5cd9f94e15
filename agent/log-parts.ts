/** A piece of a job's log that begins at the byte `offset`. */
export interface LogPart {
  offset: number;
  bytes: Buffer;
  /** When its bytes came: pairs of a byte within the part and milliseconds since 1970, the first of byte 0. */
  times: [byte: number, ms: number][];
}

export interface LogPartsOptions {
  /**
   * Delivers one part; called in order, one at a time. A throw means "not known to have arrived": the same part is sent
   * again until it is taken, so the receiver must ignore bytes that it has. `refused` (the lease is gone) ends the log:
   * nothing more is sent.
   */
  send: (part: LogPart) => Promise<"taken" | "refused">;
  /** Gives up on delivery; what is not yet sent is dropped. */
  signal?: AbortSignal;
  /**
   * Bytes that the receiver has already of a log that another process began: the caller writes the log again from its first
   * byte, and that much of it is not sent.
   */
  from?: number;
  /** Bytes of a part at most; default 1 MiB. */
  partBytes?: number;
  /** Times of a part at most; default 128. */
  partTimes?: number;
  /** Milliseconds that a byte waits for more while nothing is under way; default 60. */
  delayMs?: number;
  /** Bytes that may wait for delivery before `write` makes its caller wait; default 4 MiB. */
  queueBytes?: number;
  /** Bytes after which the log is cut with a notice; default 256 MiB. */
  totalBytes?: number;
}

export interface LogSummary {
  ended: "complete" | "refused" | "aborted";
  /** What the receiver has, `from` included. */
  bytes: number;
  /** Bytes cut off by `totalBytes`. */
  cutBytes: number;
}

export interface LogParts {
  /** Takes output; resolves when there is room for more. Await it, so that a slow server slows the job, not the memory. */
  write(bytes: Buffer): Promise<void>;
  /** Sends what is left and answers when all has been taken (or refused, or aborted). */
  close(): Promise<LogSummary>;
}

const retryMs = { first: 100, most: 5_000 };
/** Times are no finer than this: they are for people. */
const timeGrainMs = 50;

/** Cuts a job's output into parts and delivers each of them at least once, in order: small ones at once, large ones under load. */
export function createLogParts(options: LogPartsOptions): LogParts {
  return new Parts(options);
}

class Parts implements LogParts {
  readonly #options: Required<Omit<LogPartsOptions, "signal" | "send">> & Pick<LogPartsOptions, "signal" | "send">;
  readonly #summary: LogSummary;
  /** Written and not yet sent, and how many bytes that are. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Byte of the log at which what waits begins. */
  #offset: number;
  #accepted = 0;
  /** Bytes still to come that the receiver has. */
  #known: number;
  /** Bytes of the log at which time was taken, from the one before `#offset` on. */
  #times: [byte: number, ms: number][] = [];
  #closing = false;
  #delivering: Promise<void> | undefined;
  #enough: (() => void) | undefined;
  #room: (() => void)[] = [];

  constructor(options: LogPartsOptions) {
    const limits = { partBytes: 1024 * 1024, partTimes: 128, queueBytes: 4 * 1024 * 1024 };
    this.#options = { ...limits, from: 0, delayMs: 60, totalBytes: 256 * 1024 * 1024, ...options };
    this.#offset = this.#options.from;
    this.#known = this.#options.from;
    this.#summary = { ended: "complete", bytes: this.#options.from, cutBytes: 0 };
  }

  async write(bytes: Buffer): Promise<void> {
    if (this.#hasEnded()) return;
    this.#append(this.#withinTotal(bytes));
    if (this.#waitingBytes >= this.#options.queueBytes) await new Promise<void>((go) => this.#room.push(go));
  }

  async close(): Promise<LogSummary> {
    this.#closing = true;
    this.#enough?.();
    await this.#delivering;
    return { ...this.#summary };
  }

  #withinTotal(bytes: Buffer): Buffer {
    const kept = bytes.subarray(0, Math.max(0, this.#options.totalBytes - this.#accepted));
    this.#accepted += kept.length;
    const first = kept.length < bytes.length && this.#summary.cutBytes === 0;
    this.#summary.cutBytes += bytes.length - kept.length;
    return first ? Buffer.concat([kept, cutNotice(this.#options.totalBytes)]) : kept;
  }

  #append(written: Buffer): void {
    const bytes = written.subarray(this.#known);
    this.#known -= written.length - bytes.length;
    if (bytes.length === 0) return;
    const now = Date.now();
    const last = this.#times.at(-1);
    if (!last || now - last[1] >= timeGrainMs) this.#times.push([this.#offset + this.#waitingBytes, now]);
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes >= this.#options.partBytes) this.#enough?.();
    this.#delivering ??= this.#deliver();
  }

  async #deliver(): Promise<void> {
    while (this.#waitingBytes > 0) {
      await this.#untilEnough();
      const part = this.#take();
      const answer = await this.#sendUntilAnswered(part);
      if (answer === "taken") this.#taken(part);
      else this.#end(answer);
    }
    // In the same turn as the last look, or bytes that come between would wait for ever.
    this.#delivering = undefined;
  }

  /** A moment for the rest of what is being written; none where it fills a part, or nothing more will come. */
  async #untilEnough(): Promise<void> {
    const { partBytes, delayMs, signal } = this.#options;
    if (this.#closing || this.#waitingBytes >= partBytes) return;
    const enough = Promise.withResolvers<void>();
    this.#enough = enough.resolve;
    await Promise.race([enough.promise, pause(delayMs, signal)]);
    this.#enough = undefined;
  }

  #take(): LogPart {
    const { partBytes, partTimes } = this.#options;
    const offset = this.#offset;
    // The last time holds until the next one.
    const current = this.#times.findLastIndex(([byte]) => byte <= offset);
    this.#times = this.#times.slice(Math.max(0, current));
    const tooMany = this.#times[partTimes];
    const most = tooMany ? Math.min(partBytes, tooMany[0] - offset) : partBytes;
    const all = this.#waiting.length === 1 ? (this.#waiting[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#waiting);
    const bytes = all.subarray(0, most);
    const times = this.#times
      .filter(([byte]) => byte < offset + bytes.length)
      .map(([byte, ms]): [number, number] => [Math.max(0, byte - offset), ms]);
    this.#waiting = bytes.length < all.length ? [all.subarray(bytes.length)] : [];
    this.#waitingBytes -= bytes.length;
    this.#offset += bytes.length;
    return { offset, bytes, times };
  }

  #taken({ offset, bytes }: LogPart): void {
    this.#summary.bytes = offset + bytes.length;
    if (this.#waitingBytes < this.#options.queueBytes) this.#wake();
  }

  async #sendUntilAnswered(part: LogPart): Promise<"taken" | "refused" | "aborted"> {
    const { send, signal } = this.#options;
    for (let wait = retryMs.first; !signal?.aborted; wait = Math.min(wait * 2, retryMs.most)) {
      try {
        return await send(part);
      } catch {
        await pause(wait, signal);
      }
    }
    return "aborted";
  }

  #end(how: "refused" | "aborted"): void {
    this.#summary.ended = how;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#wake();
  }

  #hasEnded(): boolean {
    return this.#summary.ended !== "complete";
  }

  #wake(): void {
    for (const go of this.#room.splice(0)) go();
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
  });
}

function cutNotice(limit: number): Buffer {
  return Buffer.from(`\n[towline] the log has reached its limit of ${limit} bytes; the rest is cut off\n`);
}

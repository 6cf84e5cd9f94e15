import { pino } from "pino";

/** Structured JSON lines on standard error; standard output belongs to the command line. */
export function createLog(level: string) {
  return pino({ level, base: null, redact: ["req.headers.authorization", "req.headers.cookie"] }, pino.destination(2));
}

export type Log = ReturnType<typeof createLog>;

/**
 * What is said over the WebSocket `GET /api/programs/:service/:environment`, by which a person runs a program inside of an
 * instance. Texts are these messages as JSON. Bytes are, from the caller, the program's input: one message at a time, the next
 * after `taken`; from the server, a byte that tells the stream and what the program wrote on it.
 */
import { z } from "zod";
import type { ErrorCode, Refusal } from "./errors.ts";

/** First byte of a message of bytes from the server. */
export const outputStream = 1;
export const errorStream = 2;

export const mostInputBytes = 64 * 1024;

const text = (most: number) =>
  z
    .string()
    .max(most)
    .refine((value) => !value.includes("\0"), "text without a zero byte");

const size = { columns: z.int().min(1).max(1_000), rows: z.int().min(1).max(1_000) };

export const beginProgram = z.strictObject({
  type: z.literal("begin"),
  /** Arguments, never a shell line. */
  command: z
    .array(text(4_096))
    .min(1)
    .max(100)
    .refine((words) => words.join("").length <= 16_384, "all arguments together have at most 16384 characters"),
  reason: text(500).trim().min(3, "say why, in 3 characters or more"),
  /** Absent: one of those that serve. */
  instance: z.string().max(120).optional(),
  /** Absent: output and errors are two streams, and the input has an end. */
  terminal: z.strictObject(size).optional(),
});
export type BeginProgram = z.output<typeof beginProgram>;

/** What the caller says once its program runs: another size of its terminal, or the end of its input. */
export const programSteering = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("size"), ...size }),
  z.strictObject({ type: z.literal("end") }),
]);

/** Why a program ended: by itself, or what ended it. `lost`: the server that ran it died. */
export const programEnds = ["exited", "left", "late", "stopped", "denied", "failed", "lost"] as const;
export type ProgramEnd = (typeof programEnds)[number];

export type ProgramNews =
  | { type: "refused"; error: { code: ErrorCode } & Omit<Refusal, "refused"> }
  /** `until`: it is ended then. */
  | { type: "begun"; instance: string; until: string }
  /** The input that was sent last; send more. */
  | { type: "taken" }
  /** `exitCode` is null unless it exited by itself; `reason` says what happened otherwise. */
  | { type: "ended"; end: ProgramEnd; exitCode: number | null; reason: string | null };

/** Time and randomness come from outside, so that tests can hold them still. */
import { randomBytes, randomUUID } from "node:crypto";

export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

export const newId = (): string => randomUUID();

/** 256 bits, URL-safe: secrets of tokens and fencing tokens of leases. */
export const newSecret = (): string => randomBytes(32).toString("base64url");

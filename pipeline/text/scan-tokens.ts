import { Lexer } from "yaml";
import type { FaultCode } from "../fault.ts";
import { limits } from "./limits.ts";

export interface TokenFault {
  code: FaultCode;
  message: string;
  offset: number;
}

/**
 * Looks at the words of the text before the real parse, which is slow and hungry on hostile ones (a megabyte of `}` took 8 s
 * and 800 MB, one of `a: b` lines 420 MB).
 */
export function scanTokens(text: string): TokenFault | undefined {
  let depth = 0;
  let count = 0;
  let scalars = 0;
  let offset = 0;
  let isContent = false;
  for (const token of new Lexer().lex(text)) {
    const at = offset;
    offset += controlTokens.has(token) ? 0 : token.length;
    const wasContent = isContent;
    isContent = token === scalarFollows;
    if (++count > limits.tokens)
      return {
        code: "yaml.limit",
        message: `the file has more words of YAML than the limit of ${limits.tokens}`,
        offset: at,
      };
    if (isContent && ++scalars > limits.scalars)
      return {
        code: "yaml.limit",
        message: `the file has more keys and values than the limit of ${limits.scalars}`,
        offset: at,
      };
    if (wasContent) continue;
    if (token === "[" || token === "{") depth++;
    if (token === "]" || token === "}") depth--;
    if (depth < 0) return { code: "yaml.syntax", message: `\`${token}\` closes nothing`, offset: at };
    if (depth > limits.depth)
      return {
        code: "yaml.limit",
        message: `lists and maps are nested deeper than the limit of ${limits.depth}`,
        offset: at,
      };
  }
  return undefined;
}

const scalarFollows = "\u001f";

/** Tokens by which the lexer marks documents, flow errors and scalars; they have no text of their own. */
const controlTokens = new Set(["\u0002", "\u0018", scalarFollows]);

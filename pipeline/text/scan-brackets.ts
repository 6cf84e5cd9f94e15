import { Lexer } from "yaml";
import type { FaultCode } from "../fault.ts";

export interface BracketFault {
  code: FaultCode;
  message: string;
  offset: number;
}

/**
 * Looks at brackets before the real parse, which is slow and hungry on texts of nothing but brackets (a megabyte of
 * `}` took 8 s and 800 MB).
 */
export function scanBrackets(text: string, maximumDepth: number): BracketFault | undefined {
  let depth = 0;
  let offset = 0;
  let isContent = false;
  for (const token of new Lexer().lex(text)) {
    const at = offset;
    offset += controlTokens.has(token) ? 0 : token.length;
    const wasContent = isContent;
    isContent = token === scalarFollows;
    if (wasContent) continue;
    if (token === "[" || token === "{") depth++;
    if (token === "]" || token === "}") depth--;
    if (depth < 0) return { code: "yaml.syntax", message: `\`${token}\` closes nothing`, offset: at };
    if (depth > maximumDepth)
      return {
        code: "yaml.limit",
        message: `lists and maps are nested deeper than the limit of ${maximumDepth}`,
        offset: at,
      };
  }
  return undefined;
}

const scalarFollows = "\u001f";

/** Tokens by which the lexer marks documents, flow errors and scalars; they have no text of their own. */
const controlTokens = new Set(["\u0002", "\u0018", scalarFollows]);

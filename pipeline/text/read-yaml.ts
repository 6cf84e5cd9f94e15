/** YAML or JSON text → value with places. Never throws and never hangs on any text. */
import { LineCounter, parseDocument, type Document, type YAMLError } from "yaml";
import type { Place } from "#api/errors.ts";
import type { Fault, FaultCode, Parsed } from "../fault.ts";
import { convert } from "./convert.ts";
import { limits } from "./limits.ts";
import type { Located } from "./located.ts";
import { scanTokens } from "./scan-tokens.ts";

/** Reads one document. Anchors, aliases and merge keys (`<<`) are followed. */
export function readYaml(file: string, text: string): Parsed<Located> {
  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const tooLarge = Buffer.byteLength(text) > limits.bytes;
  if (tooLarge) return stop("yaml.limit", `the file is larger than the limit of ${limits.bytes} bytes`, placeAt(0));
  const early = scanTokens(text);
  if (early) {
    lines.addNewLine(0);
    for (const match of text.matchAll(/\n/g)) lines.addNewLine(match.index + 1);
    return stop(early.code, early.message, placeAt(early.offset));
  }
  const document = compose(text, lines);
  if (!document) return stop("yaml.limit", depthMessage, placeAt(0));
  if (document.errors.length > 0)
    return {
      errors: document.errors.slice(0, limits.faults).map((error) => syntaxFault(error, placeAt)),
      warnings: [],
    };
  const converted = convert(document, placeAt);
  const warnings = document.warnings.slice(0, limits.faults).map((warning) => syntaxFault(warning, placeAt));
  return converted.errors ? converted : { ...converted, warnings };
}

const depthMessage = `lists and maps are nested deeper than the limit of ${limits.depth}`;

function stop(code: FaultCode, message: string, place: Place): Parsed<never> {
  return { errors: [{ code, message, place }], warnings: [] };
}

/** Nothing when the text is nested so deep that the parser's own recursion ends. */
function compose(text: string, lineCounter: LineCounter): Document.Parsed | undefined {
  try {
    // Its check of unique keys takes time in the square of the keys; `convert` does it.
    const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false, merge: true });
    return document.errors.some((error) => error.message.includes("call stack")) ? undefined : document;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function syntaxFault(error: YAMLError, placeAt: (offset: number) => Place): Fault {
  const several = error.code === "MULTIPLE_DOCS";
  const message = several ? "the file has more than one YAML document (`---`)" : error.message;
  return {
    code: "yaml.syntax",
    message,
    place: placeAt(error.pos[0]),
    ...(several ? { fix: "keep one document in a file" } : {}),
  };
}

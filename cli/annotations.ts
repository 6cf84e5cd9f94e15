/** What jobs wrote about their build, on a terminal. It is job code's text: nothing of it may steer the terminal. */
import type { Annotation } from "#api/endpoints/build-records.ts";
import { paint } from "./output.ts";

const mostLines = 40;
const colours = { default: "dim", info: "blue", success: "green", warning: "yellow", error: "red" } as const;

/** Each with a bar in the colour of its style; long ones are cut. */
export function renderAnnotations(annotations: readonly Annotation[]): string {
  return annotations.map(renderAnnotation).join("\n\n");
}

function renderAnnotation({ context, style, body }: Annotation): string {
  const bar = paint(colours[style], "│");
  const lines = markdownText(body).split("\n");
  const shown = lines.slice(0, mostLines).map((line) => `  ${bar} ${line}`.trimEnd());
  const more = lines.length - shown.length;
  const rest = more > 0 ? [`  ${bar} ${paint("dim", `… ${more} more lines`)}`] : [];
  return [`  ${bar} ${paint("dim", withoutControls(context))}`, ...shown, ...rest].join("\n");
}

/** Headings and strong words are bold, links tell where they lead; the rest reads well as it is. */
export function markdownText(markdown: string): string {
  return withoutControls(markdown.replaceAll("\r\n", "\n"))
    .replaceAll(/<\/?[a-z][^<>\n]{0,200}>/gi, "")
    .replaceAll(/^#{1,6} +(.*)$/gm, (_, title: string) => paint("bold", title))
    .replaceAll(/\*\*([^*\n]+)\*\*/g, (_, words: string) => paint("bold", words))
    .replaceAll(/!?\[([^\]\n]*)\]\(([^()\s]+)\)/g, "$1 ($2)")
    .trim();
}

function withoutControls(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu, "");
}

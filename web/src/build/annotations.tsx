import { Alert, type MantineColor } from "@mantine/core";
import DOMPurify from "dompurify";
import { marked } from "marked";
import { useMemo } from "react";
import type { Output } from "../api/call.ts";
import classes from "./annotations.module.css";

type Annotation = Output<"listAnnotations">["annotations"][number];
type Artifact = Output<"listArtifacts">["artifacts"][number];

const colors: Record<Annotation["style"], MantineColor> = {
  default: "gray",
  info: "blue",
  success: "teal",
  warning: "yellow",
  error: "red",
};

interface Props {
  annotations: Annotation[];
  artifacts: Artifact[];
}

/** What jobs wrote for people. */
export default function Annotations({ annotations, artifacts }: Props) {
  return annotations.map(({ context, style, body }) => (
    <Alert key={context} color={colors[style]} variant="outline" role="note" aria-label={`Note: ${context}`}>
      <Markdown body={body} artifacts={artifacts} />
    </Alert>
  ));
}

/** What a job wrote is not to be trusted: whatever could run, look like ours or call elsewhere is taken out; the page's policy lets nothing of it run either. */
function Markdown({ body, artifacts }: { body: string; artifacts: Artifact[] }) {
  const html = useMemo(() => {
    const written = marked.parse(body, { async: false, gfm: true });
    const clean = DOMPurify.sanitize(written, {
      USE_PROFILES: { html: true },
      FORBID_TAGS: ["style", "form", "input", "button", "textarea", "select", "dialog"],
      FORBID_ATTR: ["style", "class", "id", "name"],
      ADD_URI_SAFE_ATTR: [],
      ALLOWED_URI_REGEXP: /^(https?:|mailto:|artifact:\/\/|#)/i,
      RETURN_DOM_FRAGMENT: true,
    });
    linkArtifacts(clean, artifacts);
    const holder = document.createElement("div");
    holder.append(clean);
    return holder.innerHTML;
  }, [body, artifacts]);
  return <div className={classes["markdown"]} dangerouslySetInnerHTML={{ __html: html }} />;
}

/** `artifact://path` is a file of this build; other links open beside, and pictures of elsewhere become links. */
function linkArtifacts(fragment: DocumentFragment, artifacts: Artifact[]): void {
  const addressOf = (given: string) => {
    const path = /^artifact:\/\/(.*)$/.exec(given)?.[1];
    const found = path === undefined ? undefined : artifacts.find((each) => each.path === decodeURI(path));
    return found ? `/api/artifacts/${found.id}/content` : undefined;
  };
  for (const link of fragment.querySelectorAll("a")) {
    const given = link.getAttribute("href") ?? "";
    if (given.startsWith("artifact:")) link.setAttribute("href", addressOf(given) ?? "#");
    else link.setAttribute("target", "_blank");
    link.setAttribute("rel", "noreferrer noopener");
  }
  for (const image of fragment.querySelectorAll("img")) {
    const given = image.getAttribute("src") ?? "";
    const address = addressOf(given);
    if (address) image.setAttribute("src", address);
    else image.replaceWith(image.alt || given);
  }
}

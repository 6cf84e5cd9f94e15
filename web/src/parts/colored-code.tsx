import "./code-colors.css";
import { Code } from "@mantine/core";
import { type ReactNode, useMemo } from "react";
import { refractor } from "refractor/core";
import json from "refractor/json";
import yaml from "refractor/yaml";

refractor.register(json);
refractor.register(yaml);

type Node = ReturnType<typeof refractor.highlight>["children"][number];

interface Props {
  /** What it is, for those who do not see it. */
  name: string;
  text: string;
  language: "json" | "yaml";
}

/** A file to read, in the colours of the diffs. */
export function ColoredCode({ name, text, language }: Props) {
  const nodes = useMemo(() => refractor.highlight(text, language).children, [text, language]);
  return (
    <Code
      block
      className="code-colors"
      mah={420}
      style={{ overflow: "auto" }}
      role="group"
      tabIndex={0}
      aria-label={name}
    >
      {nodes.map(shown)}
    </Code>
  );
}

function shown(node: Node, index: number): ReactNode {
  if (node.type === "text") return node.value;
  if (node.type !== "element") return null;
  const { className = [] } = node.properties;
  return (
    <span key={index} className={String(className).replaceAll(",", " ")}>
      {node.children.map(shown)}
    </span>
  );
}

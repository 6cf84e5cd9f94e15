/** The lines of one file with their colours and what was said about them. */
import "react-diff-view/style/index.css";
import "../parts/code-colors.css";
import "./diff-colors.css";
import { Box, VisuallyHidden } from "@mantine/core";
import { IconMessagePlus } from "@tabler/icons-react";
import { type KeyboardEvent, type ReactNode, useMemo, useState } from "react";
import {
  type ChangeData,
  Decoration,
  Diff,
  findChangeByNewLineNumber,
  findChangeByOldLineNumber,
  getChangeKey,
  Hunk,
  type HunkData,
  markEdits,
  parseDiff,
  tokenize,
} from "react-diff-view";
import { refractor } from "refractor";
import { call } from "../api/call.ts";
import { useActing } from "../parts/acting.ts";
import { type Layout, languageOf, placeOf, type Side, type Threads } from "./diff-lines.ts";
import { Said } from "./said.tsx";
import classes from "./said.module.css";
import type { Comment, Detail } from "./standing.ts";
import { WordBox } from "./word-box.tsx";

interface Props {
  path: string;
  patch: string;
  threads: Threads;
  pullRequest: Detail;
  layout: Layout;
}

interface Writing {
  key: string;
  side: Side;
  line: number;
}

export function DiffView({ path, patch, threads, pullRequest, layout }: Props) {
  const file = useMemo(() => parseDiff(patch)[0], [patch]);
  const hunks = file?.hunks ?? [];
  const tokens = useMemo(() => colored(file?.hunks ?? [], path), [file, path]);
  const [writing, setWriting] = useState<Writing>();
  const write = (change: ChangeData | null, side?: Side) =>
    change && pullRequest.state === "open" && setWriting({ key: getChangeKey(change), ...placeOf(change, side) });
  const lines = useLines(hunks, write);
  const widgets = widgetsOf({ path, hunks, threads, pullRequest, writing, close: () => setWriting(undefined) });
  return (
    <Box
      role="group"
      tabIndex={0}
      aria-label={`Lines of ${path}`}
      aria-describedby="diff-keys"
      onKeyDown={lines.onKeyDown}
    >
      <VisuallyHidden id="diff-keys">Arrow keys choose a line, Enter comments it.</VisuallyHidden>
      <VisuallyHidden aria-live="polite">{lines.said}</VisuallyHidden>
      <Diff
        className="code-colors"
        viewType={layout}
        diffType={file?.type ?? "modify"}
        hunks={hunks}
        tokens={tokens}
        widgets={widgets}
        selectedChanges={lines.chosen ? [lines.chosen] : []}
        generateAnchorID={(change) => `${path}:${getChangeKey(change)}`}
        renderGutter={({ renderDefault, inHoverState, side, change }) => (
          <>
            {inHoverState && pullRequest.state === "open" && placeOf(change, side).side === side && (
              <IconMessagePlus size={14} className="diff-plus" aria-hidden />
            )}
            {renderDefault()}
          </>
        )}
        gutterEvents={{ onClick: ({ change, side }) => write(change, side) }}
      >
        {(parts) => parts.flatMap(hunkWithHead)}
      </Diff>
    </Box>
  );
}

function hunkWithHead(hunk: HunkData) {
  return [
    <Decoration key={`head ${hunk.content}`}>
      <div className="diff-hunk-head">{hunk.content}</div>
    </Decoration>,
    <Hunk key={hunk.content} hunk={hunk} />,
  ];
}

/** One line at a time is chosen by the arrow keys, so that the lines of a file are a single stop for the Tab key. */
function useLines(hunks: HunkData[], write: (change: ChangeData) => void) {
  const [at, setAt] = useState<number>();
  const changes = hunks.flatMap((hunk) => hunk.changes);
  const change = at === undefined ? undefined : changes[at];
  const go = (to: number) => {
    const next = Math.max(0, Math.min(to, changes.length - 1));
    setAt(next);
    const chosen = changes[next];
    if (chosen) document.querySelector(".diff-line-selected")?.scrollIntoView({ block: "nearest" });
  };
  return {
    chosen: change && getChangeKey(change),
    said: change ? `${change.type} line ${placeOf(change).line}: ${change.content}` : "",
    onKeyDown(event: KeyboardEvent) {
      if (event.target !== event.currentTarget) return;
      if (event.key === "ArrowDown") go((at ?? -1) + 1);
      else if (event.key === "ArrowUp") go((at ?? 1) - 1);
      else if (event.key === "Enter" && change) write(change);
      else return;
      event.preventDefault();
    },
  };
}

interface Widgets extends Omit<Props, "patch" | "layout"> {
  hunks: HunkData[];
  writing: Writing | undefined;
  close: () => void;
}

/** Below each line that somebody spoke about, or that is being commented. */
function widgetsOf({ path, hunks, threads, pullRequest, writing, close }: Widgets): Record<string, ReactNode> {
  const found = new Map<string, { comments: Comment[]; writing?: Writing }>();
  for (const [place, comments] of threads.at) {
    const [side, line] = place.split(":");
    const find = side === "old" ? findChangeByOldLineNumber : findChangeByNewLineNumber;
    const change = find(hunks, Number(line));
    if (!change) continue;
    const key = getChangeKey(change);
    found.set(key, { comments: [...(found.get(key)?.comments ?? []), ...comments] });
  }
  if (writing) found.set(writing.key, { comments: found.get(writing.key)?.comments ?? [], writing });
  return Object.fromEntries(
    [...found].map(([key, thread]) => [
      key,
      <Thread key={key} path={path} pullRequest={pullRequest} close={close} {...thread} />,
    ]),
  );
}

interface ThreadProps {
  path: string;
  pullRequest: Detail;
  comments: Comment[];
  writing?: Writing;
  close: () => void;
}

function Thread({ path, pullRequest, comments, writing, close }: ThreadProps) {
  const acting = useActing();
  const { repository, number, base, head } = pullRequest;
  const say = (body: string, { side, line }: Writing) => {
    const place = { path, side, line, revision: side === "old" && base ? base : head };
    const run = () => call("addComment", { params: { repository, number }, body: { body, place } });
    return acting.mutateAsync({ what: "comment", run });
  };
  return (
    <Box className={classes.thread ?? ""} m="xs">
      {comments.map((comment) => (
        <Said key={comment.id} comment={comment} of={pullRequest} />
      ))}
      {writing && (
        <WordBox label={`On line ${writing.line} of ${path}`} say={(body) => say(body, writing)} close={close} />
      )}
    </Box>
  );
}

/** Characters of a patch; colouring more would stop the page for a moment. */
const mostColored = 200_000;

function colored(hunks: HunkData[], path: string) {
  const length = hunks.reduce(
    (sum, { changes }) => sum + changes.reduce((inner, { content }) => inner + content.length, 0),
    0,
  );
  if (length > mostColored) return null;
  const language = languageOf(path);
  const enhancers = [markEdits(hunks, { type: "block" })];
  if (!language || !refractor.registered(language)) return tokenize(hunks, { enhancers });
  return tokenize(hunks, { highlight: true, refractor: flat, language, enhancers });
}

/** The library reads what earlier versions of the highlighter answered: the nodes without their root. */
const flat = { highlight: (code: string, language: string) => refractor.highlight(code, language).children } as never;

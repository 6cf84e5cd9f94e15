import { ActionIcon, Box, Button, Loader, Text } from "@mantine/core";
import { useIntersection } from "@mantine/hooks";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { read } from "../api/read.ts";
import { Copy } from "../parts/copy.tsx";
import { Failed } from "../parts/states.tsx";
import classes from "./changes.module.css";
import { Counts } from "./counts.tsx";
import { anchorOf, type Layout, threadsOf, whyFolded } from "./diff-lines.ts";
import { DiffView } from "./diff-view.tsx";
import { Said } from "./said.tsx";
import said from "./said.module.css";
import type { Comment, Detail } from "./standing.ts";

interface Props {
  file: Detail["files"][number];
  pullRequest: Detail;
  comments: readonly Comment[];
  layout: Layout;
}

/** One file, read when it comes near what is seen. */
export function FileDiff(props: Props) {
  const { path, added, removed } = props.file;
  const why = whyFolded(props.file);
  const [open, setOpen] = useState(why === undefined);
  const [whole, setWhole] = useState(false);
  const { ref, entry } = useIntersection({ rootMargin: "800px" });
  const [near, setNear] = useState(false);
  if (entry?.isIntersecting && !near) setNear(true);
  const Chevron = open ? IconChevronDown : IconChevronRight;
  return (
    <section ref={ref} id={anchorOf(path)} className={classes.file} aria-label={path}>
      <div className={classes.head}>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={24}
          aria-label={`${open ? "Fold" : "Unfold"} ${path}`}
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          <Chevron size={16} />
        </ActionIcon>
        <span className={classes.name}>
          <Copy value={path} what="path" />
        </span>
        <Counts added={added} removed={removed} />
        {open && added !== null && (
          <Button size="compact-xs" variant="subtle" aria-pressed={whole} onClick={() => setWhole(!whole)}>
            {whole ? "Changes only" : "Whole file"}
          </Button>
        )}
      </div>
      {!open ? (
        why && (
          <Text size="sm" c="dimmed" className={classes.told ?? ""}>
            {why} It is folded; unfold it to read it.
          </Text>
        )
      ) : near ? (
        <Content {...props} whole={whole} />
      ) : (
        <Box mih={Math.min((added ?? 1) + (removed ?? 1), 400) * 20} />
      )}
    </section>
  );
}

const wholeFile = 100_000;

function Content({ file: { path }, pullRequest, comments, layout, whole }: Props & { whole: boolean }) {
  const { repository, base, head } = pullRequest;
  const query = { from: base ?? head, to: head, path, context: whole ? wholeFile : 3 };
  const diff = useQuery({
    ...read("showDiff", { params: { repository }, query }),
    placeholderData: (before) => before,
  });
  if (diff.isPending)
    return (
      <Box className={classes.told ?? ""} role="status" aria-label={`Reading ${path}`}>
        <Loader type="dots" size="sm" />
      </Box>
    );
  if (diff.error) return <Failed what={path} error={diff.error} again={() => void diff.refetch()} />;
  const threads = threadsOf(comments, path);
  const { kind, patch } = diff.data;
  return (
    <>
      {patch === null ? (
        <Text size="sm" c="dimmed" className={classes.told ?? ""}>
          {told[kind]}
        </Text>
      ) : (
        <DiffView path={path} patch={patch} threads={threads} pullRequest={pullRequest} layout={layout} />
      )}
      {threads.outdated.length > 0 && <Outdated comments={threads.outdated} pullRequest={pullRequest} />}
    </>
  );
}

const told: Record<string, string> = {
  binary: "A binary file: it has no lines to compare.",
  "too-large": "Its change is over a mebibyte, which is not shown here. Read it with git diff.",
  same: "Its content is the same; only its mode may differ.",
  text: "",
};

function Outdated({ comments, pullRequest }: { comments: Comment[]; pullRequest: Detail }) {
  return (
    <Box component="details" className={classes.told ?? ""} fz="sm">
      <summary>
        {comments.length === 1 ? "1 comment is" : `${comments.length} comments are`} on lines that have changed since
      </summary>
      {comments.map((comment) => (
        <Box key={comment.id} className={said.thread ?? ""} mt="xs">
          <code className={said.quoted}>{comment.place?.text}</code>
          <Said comment={comment} of={pullRequest} />
        </Box>
      ))}
    </Box>
  );
}

import { Box, Button, Group, Popover, SegmentedControl, Text } from "@mantine/core";
import { useLocalStorage, useMediaQuery } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { read } from "../api/read.ts";
import { Empty } from "../parts/states.tsx";
import classes from "./changes.module.css";
import { Counts } from "./counts.tsx";
import { anchorOf, type Layout } from "./diff-lines.ts";
import { FileDiff } from "./file-diff.tsx";
import type { PageSearch } from "./pull-request-search.ts";
import { ReviewBox } from "./review-box.tsx";
import type { Detail } from "./standing.ts";

/** What it changes, file by file; each is read when it comes into sight. */
export function Changes({ pullRequest }: { pullRequest: Detail }) {
  const { repository, number, files } = pullRequest;
  const narrow = useMediaQuery("(width < 62em)");
  const [wanted, setWanted] = useLocalStorage<Layout>({ key: "diff-layout", defaultValue: "unified" });
  const said = useQuery(read("listComments", { params: { repository, number } }));
  const comments = said.data?.comments ?? [];
  useFileOfAddress(files.length);
  if (files.length === 0) return <Empty title="Nothing is changed">Both sides have the same files.</Empty>;
  return (
    <>
      <Toolbar pullRequest={pullRequest} layout={wanted} choose={narrow ? undefined : setWanted} />
      <Box className={classes.columns ?? ""}>
        <FileList files={files} />
        <Box miw={0}>
          {files.map((file) => (
            <FileDiff
              key={file.path}
              file={file}
              pullRequest={pullRequest}
              comments={comments}
              layout={narrow ? "unified" : wanted}
            />
          ))}
          {files.length === 1000 && <Text size="sm">The first 1000 files are shown.</Text>}
        </Box>
      </Box>
    </>
  );
}

function useFileOfAddress(files: number): void {
  const { file }: PageSearch = useSearch({ from: "/pull-requests/$repository/$number" });
  useEffect(() => {
    if (file !== undefined && files > 0) document.getElementById(anchorOf(file))?.scrollIntoView();
  }, [file, files]);
}

interface ToolbarProps {
  pullRequest: Detail;
  layout: Layout;
  /** Undefined where there is no room for a choice. */
  choose: ((layout: Layout) => void) | undefined;
}

function Toolbar({ pullRequest, layout, choose }: ToolbarProps) {
  const { files, state } = pullRequest;
  const [open, setOpen] = useState(false);
  const sum = (of: "added" | "removed") => files.reduce((total, file) => total + (file[of] ?? 0), 0);
  return (
    <Group justify="space-between" mb="sm" gap="sm">
      <Text size="sm" c="dimmed">
        {files.length === 1 ? "1 file" : `${files.length} files`}, {sum("added")} lines added, {sum("removed")} removed
      </Text>
      <Group gap="sm">
        {choose && (
          <SegmentedControl
            size="xs"
            aria-label="Layout"
            data={["unified", "split"]}
            value={layout}
            onChange={(value) => choose(value === "split" ? "split" : "unified")}
          />
        )}
        {state === "open" && (
          <Popover
            opened={open}
            onChange={setOpen}
            position="bottom-end"
            width="min(380px, calc(100vw - 24px))"
            trapFocus
            shadow="md"
          >
            <Popover.Target>
              <Button size="xs" onClick={() => setOpen(!open)}>
                Review…
              </Button>
            </Popover.Target>
            <Popover.Dropdown>
              <ReviewBox pullRequest={pullRequest} done={() => setOpen(false)} />
            </Popover.Dropdown>
          </Popover>
        )}
      </Group>
    </Group>
  );
}

function FileList({ files }: Pick<Detail, "files">) {
  return (
    <nav className={classes.files} aria-label="Files">
      {files.map(({ path, added, removed }) => (
        <a
          key={path}
          href={`#${encodeURIComponent(anchorOf(path))}`}
          title={path}
          onClick={(event) => {
            event.preventDefault();
            document.getElementById(anchorOf(path))?.scrollIntoView();
          }}
        >
          <span className={classes.path}>
            <bdi>{path}</bdi>
          </span>
          <Counts added={added} removed={removed} />
        </a>
      ))}
    </nav>
  );
}

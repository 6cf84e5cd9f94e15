import { ActionIcon, Tooltip } from "@mantine/core";
import { IconArrowBarDown, IconClock, IconDownload, IconFoldDown, IconFoldUp } from "@tabler/icons-react";
import { Tool } from "./tool.tsx";
import type { Folding } from "./use-folding.ts";

interface Props {
  job: string;
  attempt: number;
  title: string;
  complete: boolean;
  following: boolean;
  showTime: boolean;
  setShowTime: (show: boolean) => void;
  hasGroups: boolean;
  folding: Folding;
  toEnd: () => void;
}

export function LogTools(props: Props) {
  const { job, attempt, title, complete, following, showTime, setShowTime, hasGroups, folding, toEnd } = props;
  const { allOpen, setAll } = folding;
  return (
    <>
      <Tool label="Times" pressed={showTime} press={() => setShowTime(!showTime)}>
        <IconClock size={16} aria-hidden />
      </Tool>
      {hasGroups && (
        <Tool label={allOpen ? "Close all groups" : "Open all groups"} press={() => setAll(!allOpen)}>
          {allOpen ? <IconFoldUp size={16} aria-hidden /> : <IconFoldDown size={16} aria-hidden />}
        </Tool>
      )}
      <Tool label={complete ? "To the end" : "Follow"} {...(complete ? {} : { pressed: following })} press={toEnd}>
        <IconArrowBarDown size={16} aria-hidden />
      </Tool>
      <Tooltip label="Download">
        <ActionIcon
          component="a"
          variant="subtle"
          color="gray"
          c="var(--mantine-color-text)"
          href={`/api/jobs/${job}/log/raw?attempt=${attempt}`}
          download={`${title.replaceAll(/[^\w.-]+/g, "-")}-${attempt}.log`}
          aria-label="Download"
        >
          <IconDownload size={16} aria-hidden />
        </ActionIcon>
      </Tooltip>
    </>
  );
}

import { Text, TextInput } from "@mantine/core";
import { IconChevronDown, IconChevronUp, IconSearch } from "@tabler/icons-react";
import { Tool } from "./tool.tsx";
import { mostMatches, type Search } from "./use-search.ts";

interface SearchProps {
  needle: string;
  setNeedle: (needle: string) => void;
  search: Search | undefined;
  current: number;
  setCurrent: (current: number) => void;
  total: number;
}

export function SearchField({ needle, setNeedle, search, current, setCurrent, total }: SearchProps) {
  const count = search?.matches.length ?? 0;
  const step = (by: number) => count > 0 && setCurrent((current + by + count) % count);
  return (
    <>
      <TextInput
        type="search"
        size="xs"
        w={{ base: "100%", xs: 260 }}
        aria-label="Search in the log"
        placeholder="Search in the log"
        leftSection={<IconSearch size={14} aria-hidden />}
        maxLength={500}
        value={needle}
        onChange={({ currentTarget }) => setNeedle(currentTarget.value)}
        onKeyDown={(event) => event.key === "Enter" && step(event.shiftKey ? -1 : 1)}
      />
      {needle !== "" && (
        <>
          <Text size="xs" role="status">
            {wordsOf(search, current, total)}
          </Text>
          <Tool label="Find before" press={() => step(-1)}>
            <IconChevronUp size={16} aria-hidden />
          </Tool>
          <Tool label="Next find" press={() => step(1)}>
            <IconChevronDown size={16} aria-hidden />
          </Tool>
        </>
      )}
    </>
  );
}

function wordsOf(search: Search | undefined, current: number, total: number): string {
  if (!search) return "…";
  if (search.error) return search.error.message;
  const count = search.matches.length;
  const found = count === 0 ? "nothing found" : `${current + 1} of ${count.toLocaleString("en")}`;
  if (search.searched === undefined) return found;
  if (count >= mostMatches) return `${found}, and more`;
  return `${count === 0 ? "searching" : found}, ${Math.floor((search.searched / Math.max(1, total)) * 100)} % searched`;
}

import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { pages } from "./pages.ts";

const places = Object.fromEntries(pages.map(({ key, to }) => [key, to]));
/** Between the two keys. */
const patienceMs = 1_000;

/** `g` and the key of a page go there; not while somebody writes. */
export function useShortcuts(): void {
  const navigate = useNavigate();
  useEffect(() => {
    let since = 0;
    const hear = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
      const to = event.timeStamp - since < patienceMs ? places[event.key] : undefined;
      since = event.key === "g" ? event.timeStamp : 0;
      if (to) void navigate({ to });
    };
    document.addEventListener("keydown", hear);
    return () => document.removeEventListener("keydown", hear);
  }, [navigate]);
}

function isWriting(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

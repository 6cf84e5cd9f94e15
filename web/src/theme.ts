/** All tokens of the interface: colours, type, radii. Components are the library's, changed here and nowhere else. */
import {
  Button,
  createTheme,
  type CSSVariablesResolver,
  List,
  Modal,
  Tooltip,
  type MantineColorsTuple,
} from "@mantine/core";

const tow: MantineColorsTuple = [
  "#e6f6f8",
  "#cfe9ee",
  "#a0d3dc",
  "#6dbccb",
  "#45a9bc",
  "#2c9db3",
  "#1a8ba1",
  "#0b7285",
  "#075f70",
  "#004c5b",
];

export const theme = createTheme({
  colors: { tow },
  primaryColor: "tow",
  primaryShade: { light: 7, dark: 7 },
  autoContrast: true,
  fontFamily: "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', Menlo, Consolas, monospace",
  defaultRadius: "md",
  cursorType: "pointer",
  components: {
    Button: Button.extend({ defaultProps: { size: "sm" } }),
    // A sign stands beside the first line of its sentence, not beside the middle of all of them.
    List: List.extend({
      styles: { itemWrapper: { alignItems: "flex-start" }, itemIcon: { display: "flex", flex: "none", marginTop: 2 } },
    }),
    Modal: Modal.extend({
      defaultProps: {
        centered: true,
        size: "lg",
        closeButtonProps: { "aria-label": "Close" },
      },
    }),
    // What a tooltip says is for keyboards and fingers too.
    Tooltip: Tooltip.extend({
      defaultProps: {
        ...{ openDelay: 300, withArrow: true, multiline: true, maw: 360 },
        events: { hover: true, focus: true, touch: true },
      },
    }),
  },
});

/** The library's own greys, and its yellow on a yellow ground, are too light to read. */
export const readable: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    ...{ "--mantine-color-dimmed": "#5b646c", "--mantine-color-placeholder": "#6b747c" },
    "--mantine-color-yellow-light-color": "#864800",
  },
  dark: { "--mantine-color-dimmed": "#a3abb2", "--mantine-color-placeholder": "#98a0a7" },
});

/** What a state looks like; the word and the sign say it too. */
export const tones = {
  good: "teal",
  busy: "blue",
  waiting: "yellow",
  bad: "red",
  /** Wrong, and let pass. */
  soft: "orange",
  none: "gray",
} as const;
export type Tone = keyof typeof tones;

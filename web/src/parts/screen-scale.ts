/** How much larger everything is on this screen than on a usual one; see `main.css`. */
export function screenScale(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
}

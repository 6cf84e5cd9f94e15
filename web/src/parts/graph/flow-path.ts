/** A line that flows from left to right through points, as the path of an SVG. Pure. */

export interface Point {
  x: number;
  y: number;
}

/** Flat at each point, so that it leaves and meets boxes at a right angle. */
export function flowPath(points: readonly Point[]): string {
  return points
    .map(({ x, y }, index) => {
      const before = points[index - 1];
      if (!before) return `M${x} ${y}`;
      const middle = (before.x + x) / 2;
      return `C${middle} ${before.y} ${middle} ${y} ${x} ${y}`;
    })
    .join("");
}

/** The middle of the longest piece, where a label has most room. */
export function labelPoint(points: readonly Point[]): Point {
  const pieces = points.slice(1).map((to, index) => ({ from: points[index] ?? to, to }));
  const [longest] = pieces.toSorted((a, b) => lengthOf(b) - lengthOf(a));
  if (!longest) return points[0] ?? { x: 0, y: 0 };
  return { x: (longest.from.x + longest.to.x) / 2, y: (longest.from.y + longest.to.y) / 2 };
}

function lengthOf({ from, to }: { from: Point; to: Point }): number {
  return Math.hypot(to.x - from.x, to.y - from.y);
}

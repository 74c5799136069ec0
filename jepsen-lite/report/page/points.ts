/**
 * A moment for each operation of an order, between its call and its return and after the one
 * before it: in the middle of what is possible, so that no point hugs an edge without need.
 */
export function drawnPoints(
  order: readonly number[],
  callMs: Float64Array,
  returnMs: Float64Array,
): Float64Array {
  const points = new Float64Array(order.length);
  let earliest = -Infinity;
  order.forEach((operation, i) => {
    earliest = Math.max(earliest, callMs[operation]!);
    points[i] = earliest;
  });
  // What never returned has no latest moment of its own: that of the last to return will do.
  let latest = order.reduce((ms, operation) => {
    const end = returnMs[operation]!;
    return end === Infinity ? ms : Math.max(ms, end);
  }, earliest);
  for (let i = order.length - 1; i >= 0; i--) {
    latest = Math.min(latest, returnMs[order[i]!]!);
    points[i] = (points[i]! + latest) / 2;
  }
  return points;
}

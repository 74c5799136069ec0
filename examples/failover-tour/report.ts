/** What the tour prints, and whether everything it promised held. */
const started = performance.now();
let failures = 0;
let checks = 0;

export function say(line: string): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(2).padStart(7);
  process.stdout.write(`${seconds} s  ${line}\n`);
}

/** Prints a promise and whether it held; `details` only when it did not. */
export function check(promise: string, held: boolean, details = ''): void {
  checks++;
  if (!held) failures++;
  say(`${held ? 'ok  ' : 'FAIL'} ${promise}${held || details === '' ? '' : `: ${details}`}`);
}

/** The exit code. */
export function summary(): number {
  const held = failures === 0;
  say(held ? `all ${checks} promises held` : `${failures} of ${checks} promises did not hold`);
  return held ? 0 : 1;
}

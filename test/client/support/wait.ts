import { settle, type VirtualTime } from './virtual-time.ts';

/** Lets virtual time pass in small steps until something holds. */
export async function eventually(
  time: VirtualTime,
  what: string,
  holds: () => boolean,
  limitMs = 60_000,
): Promise<void> {
  const untilMs = time.now() + limitMs;
  await settle();
  while (!holds()) {
    if (time.now() > untilMs) throw new Error(`${what}: not within ${limitMs} ms`);
    await time.advance(10);
  }
}

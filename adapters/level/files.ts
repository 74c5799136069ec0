/** The files of a LevelDB directory. */

/** As LevelDB writes the number of a file in its name. */
export function numberInName(number: number): string {
  return String(number).padStart(6, '0');
}

/** Whether a file is not there: a process that has the directory open may just have removed it. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

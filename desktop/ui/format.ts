import { locale } from './messages.ts';

const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB'];

/** 1,234,567 → "1.2 MB": decimal units, as file managers show them. */
export function formatBytes(bytes: number): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), byteUnits.length - 1);
  const value = bytes / 1000 ** power;
  return `${value.toLocaleString(locale, { maximumFractionDigits: power === 0 || value >= 100 ? 0 : 1 })} ${byteUnits[power]}`;
}

/** 100 → "2 min": rounded up, coarse on purpose, since it is a guess. */
export function formatDuration(seconds: number): string {
  if (seconds < 60) return `${Math.max(Math.ceil(seconds), 1)} s`;
  if (seconds < 3600) return `${Math.ceil(seconds / 60)} min`;
  const minutes = Math.ceil(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** 72,500 ms into a video, or as its length → "1:12"; from an hour on "1:02:03". To the nearest second. */
export function formatTimecode(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const parts = hours > 0 ? [hours, String(minutes).padStart(2, '0')] : [minutes];
  return [...parts, String(seconds % 60).padStart(2, '0')].join(':');
}

/** 97.84 → "97 %": rounded down, so that it never reads higher than a threshold it missed. */
export function formatPercent(percent: number): string {
  return `${Math.floor(percent)} %`;
}

/** A photo's own time: cameras know no time zone, so it is shown as it is written. */
export function formatTaken(iso: string): string {
  return new Date(iso).toLocaleString(locale, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });
}

/** `2024-06-30` → "30 June 2024". */
export function formatDay(day: string): string {
  return new Date(`${day}T00:00:00Z`).toLocaleDateString(locale, { dateStyle: 'long', timeZone: 'UTC' });
}

/** When something happened, in the viewer's time zone. */
export function formatMoment(iso: string): string {
  return new Date(iso).toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'short' });
}

/** To the second, for the steps of a history. */
export function formatClockTime(iso: string): string {
  return new Date(iso).toLocaleTimeString(locale, { timeStyle: 'medium' });
}

/** Splits a path, of any system, into the folder with its last separator and the name. */
export function splitPath(path: string): { folder: string; name: string } {
  const cut = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1;
  return { folder: path.slice(0, cut), name: path.slice(cut) };
}

export function formatPlace({ latitude, longitude }: { latitude: number; longitude: number }): string {
  return `${Math.abs(latitude).toFixed(4)}° ${latitude < 0 ? 'S' : 'N'}, ${Math.abs(longitude).toFixed(4)}° ${longitude < 0 ? 'W' : 'E'}`;
}

/**
 * A notification's body that shows exactly `text`. On Linux servers may take the body, unlike the title, for markup.
 * https://specifications.freedesktop.org/notification-spec/latest/markup.html
 */
export function plainBody(text: string, platform: NodeJS.Platform): string {
  if (platform !== 'linux') return text;
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** A parameter's name as a refusal may repeat it: a keyword or a tag, and nothing else that somebody put in its place. */
export function repeated(name: string): string {
  return /^[A-Za-z0-9]{1,64}$/.test(name) ? `"${name}"` : '"…"';
}

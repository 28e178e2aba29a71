/**
 * How well typed words fit a command, 0 (not at all) to 1. Every word must occur in the title, the group or the detail; a word
 * that begins a word of the title counts most. Letters scattered over a name do not match: they surprise more than they help.
 */
export function matchScore(search: string, [title = '', ...others]: readonly string[]): number {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return 1
  const name = title.toLowerCase()
  const rest = others.join(' ').toLowerCase()
  let sum = 0
  for (const word of words) {
    if (name.startsWith(word)) sum += 1
    else if (name.split(/[\s,·-]+/).some((part) => part.startsWith(word))) sum += 0.8
    else if (name.includes(word)) sum += 0.6
    else if (rest.includes(word)) sum += 0.3
    else return 0
  }
  return sum / words.length
}

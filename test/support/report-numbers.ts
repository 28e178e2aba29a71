/** What a report says, read back from its file. */
export interface ReportNumbers {
  readonly title: string
  readonly pairs: readonly {
    readonly heading: string
    /** First, second and change of each measure as they are written; '–' for what there is not. */
    readonly measures: Readonly<Record<string, readonly [a: string, b: string, change: string, interval: string]>>
    readonly matrix: Readonly<Record<'both' | 'broken' | 'fixed' | 'neither', number>>
    readonly p: string
  }[]
}

export function reportNumbers(html: string): ReportNumbers {
  const title = /<h1>(.*?)<\/h1>/s.exec(html)![1]!
  const sections = html.split('<section class="pair">').slice(1)
  return { title: plainText(title), pairs: sections.map(pairOf) }
}

function pairOf(section: string): ReportNumbers['pairs'][number] {
  const table = /<table>.*?<\/table>/s.exec(section)![0]
  const rows = [...table.matchAll(/<tr><th scope="row">(.*?)<\/th>(.*?)<\/tr>/gs)].map(([, name, rest]) => [plainText(name!), [...rest!.matchAll(/<td[^>]*>(.*?)<\/td>/gs)].map((cell) => plainText(cell[1]!))] as const)
  const matrix = Object.fromEntries([...section.matchAll(/<td class="n">(both|broken|fixed|neither) ([\d,]+)<\/td>/g)].map(([, cell, n]) => [cell!, Number(n!.replaceAll(',', ''))])) as ReportNumbers['pairs'][number]['matrix']
  return {
    heading: plainText(/<h2>(.*?)<\/h2>/s.exec(section)![1]!), matrix, p: plainText(/Exact McNemar of the hits: p (.*?);/s.exec(section)![1]!),
    measures: Object.fromEntries(rows.map(([name, cells]) => [name, [cells[0] ?? '–', cells[1] ?? '–', cells[2] ?? '–', cells[3] ?? '–'] as const])),
  }
}

const ENTITIES: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" }

const plainText = (markup: string): string => markup.replace(/<[^>]+>/g, '').replace(/&[a-z#0-9]+;/g, (entity) => ENTITIES[entity] ?? entity).replaceAll('−', '-').trim()

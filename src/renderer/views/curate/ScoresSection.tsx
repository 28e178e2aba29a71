import { ArrowRight } from 'lucide-react'
import { useLayoutEffect, useMemo, useRef } from 'react'
import { type ConsistencyScores, scoreRegion } from '../../../shared/consistency.ts'
import type { Region } from '../../../shared/domain.ts'
import { type Box, sameBox } from '../../../shared/geometry.ts'
import { t } from '../../../shared/messages/messages.ts'
import { boxesOnly, type Outline, type Shape } from '../../../shared/shape.ts'
import { fixed, signed } from '../../app/format.ts'
import { liveRegionShape } from '../../canvas/scene-state.ts'
import { cx } from '../../ui/cx.ts'
import { Icon } from '../../ui/Icon.tsx'
import { Section } from '../../ui/Pane.tsx'
import type { Workbench } from './workbench.ts'
import { tone } from './words.ts'
import styles from './inspector.module.css'

const TONES = { negative: 'neg', warning: 'warn', positive: 'pos' } as const
const SPOKEN_AFTER_MS = 600

/**
 * Scores of the phrase in hand. The heat is prepared once; each frame of a drag scores the boxes as they stand and writes
 * the numbers straight into the page, in the same frame as the canvas.
 */
export function ScoresSection({ work, region }: { work: Workbench; region: Region }) {
  const { prepared, image, scene, proposals, isFree, heat } = work
  const proposed = useMemo(() => (prepared && image && proposals.length > 0 && !isFree ? scoreRegion(prepared, boxesOnly(proposals), image) : null), [prepared, image, proposals, isFree])
  const stored = useMemo(() => (prepared && image ? scoreRegion(prepared, region, image) : null), [prepared, image, region.boxes, region.outlines])
  const cells = useRef(new Map<string, HTMLElement>())
  const cell = (name: string) => (element: HTMLElement | null) => {
    if (element) cells.current.set(name, element)
    else cells.current.delete(name)
  }

  useLayoutEffect(() => {
    let spoken = 0
    const put = (name: string, text: string, className?: string) => {
      const element = cells.current.get(name)
      if (!element) return
      if (element.textContent !== text) element.textContent = text
      if (className !== undefined && element.className !== className) element.className = className
    }
    let last: Shape | null = null
    const write = () => {
      if (!prepared || !image || !stored) return
      const state = scene.store.getState()
      const shape = state.image === image ? liveRegionShape(state) : region
      if (last && sameBoxes(last.boxes, shape.boxes) && sameOutlines(last.outlines, shape.outlines)) return
      last = shape
      const now = scoreRegion(prepared, shape, image)
      put('now', fixed(now.insideEnergy), cx('t20', TONES[tone(now.insideEnergy)]))
      const change = now.insideEnergy - stored.insideEnergy
      put('change', Math.abs(change) < 0.005 ? '' : signed(change))
      for (const row of ROWS) put(row.name, row.text(now), row.tone(now))
      const bar = cells.current.get('bar')
      if (bar) {
        bar.style.width = `${now.insideEnergy * 100}%`
        bar.style.background = `var(--${tone(now.insideEnergy)})`
      }
      window.clearTimeout(spoken)
      spoken = window.setTimeout(() => put('spoken', t('Consistency {consistency}, pointing {outcome, select, hit {hit} other {miss}}', { consistency: fixed(now.insideEnergy), outcome: now.pointingHit ? 'hit' : 'miss' })), SPOKEN_AFTER_MS)
    }
    write()
    const unsubscribe = scene.subscribe(write)
    return () => {
      unsubscribe()
      window.clearTimeout(spoken)
    }
  }, [prepared, image, scene, stored, region.boxes, region.outlines])

  if (!prepared || !stored) {
    return (
      <Section title={t('Scores')}>
        <p className="t12 c3">{work.chosen.length === 0 ? t('Scores need a checkpoint.') : heat.error ? t('No scores without heat.') : !region.phrase.trim() ? t('Scores need a phrase.') : t('Waiting for the heat.')}</p>
      </Section>
    )
  }
  const match = heat.heat ? fixed(heat.heat.matchProbability) : '–'
  return (
    <Section title={t('Scores')} action={<span className="t11 c3">{heat.stale ? t('waiting for the heat') : t('moves while you drag')}</span>} className={heat.stale ? styles.stale : undefined}>
      <div className={styles.headline}>
        <span ref={cell('now')} className="t20" data-testid="score-now" />
        <span ref={cell('change')} className="t12 c2" data-testid="score-change" />
        {proposed ? <><Icon of={ArrowRight} size="s" className="c3" /><span className="t20" data-testid="score-proposed">{fixed(proposed.insideEnergy)}</span></> : null}
        <span className={cx('grow', 't12', 'c3', styles.right)}>{t('consistency')}</span>
      </div>
      <div className={styles.bar}>
        <i ref={cell('bar')} />
        {proposed ? <b style={{ left: `calc(${proposed.insideEnergy * 100}% - 1px)` }} title={t('with the proposed box')} /> : null}
      </div>
      <table className={styles.table}>
        <thead><tr><th scope="col"><span className="visually-hidden">{t('Score')}</span></th><th scope="col">{t('now')}</th>{proposed ? <th scope="col">{t('proposed')}</th> : null}</tr></thead>
        <tbody>
          {ROWS.map((row) => (
            <tr key={row.name}>
              <th scope="row">{row.label}</th>
              <td><span ref={cell(row.name)} data-testid={`score-${row.name}`} /></td>
              {proposed ? <td><span className={row.tone(proposed)}>{row.text(proposed)}</span></td> : null}
            </tr>
          ))}
          <tr><th scope="row">{t('Match probability')}</th><td>{match}</td>{proposed ? <td>{match}</td> : null}</tr>
        </tbody>
      </table>
      <span ref={cell('spoken')} className="visually-hidden" aria-live="polite" />
    </Section>
  )
}

/** The same lists, not the same numbers: what is not being changed stays what it was. */
const sameOutlines = (a: readonly Outline[], b: readonly Outline[]): boolean => a.length === b.length && a.every((outline, i) => outline === b[i] || (outline.length === 0 && b[i]!.length === 0))
const sameBoxes = (a: readonly Box[], b: readonly Box[]): boolean => a.length === b.length && a.every((box, i) => box === b[i] || sameBox(box, b[i]!))

const ROWS: readonly { readonly name: string; readonly label: string; readonly text: (scores: ConsistencyScores) => string; readonly tone: (scores: ConsistencyScores) => string }[] = [
  { name: 'pointing', label: t('Pointing, AMC strict'), text: (scores) => (scores.pointingHit ? t('hit') : t('miss')), tone: (scores) => (scores.pointingHit ? 'pos' : 'neg') },
  { name: 'mean-margin', label: t('Mean margin'), text: (scores) => fixed(scores.meanMargin), tone: () => '' },
  { name: 'max-margin', label: t('Max margin'), text: (scores) => fixed(scores.maxMargin), tone: () => '' },
]

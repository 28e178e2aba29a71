/**
 * A card in the corner and an outline around what it speaks of. Nothing is blocked: a person may try each thing while it stands
 * there. It shows itself once, as soon as there is a dataset, and can be called again from the palette and the settings.
 */
import { ArrowLeft, Compass, X } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { t } from '../../../shared/messages/messages.ts'
import { useDatasets } from '../../state/queries.ts'
import { Button } from '../../ui/Button.tsx'
import { IconButton } from '../../ui/IconButton.tsx'
import { useCommands } from '../commands.ts'
import { leftAt, navigate } from '../routes.ts'
import { TOUR } from './steps.ts'
import { endTour, startTour, stepTour, useTour, wasSeen } from './tour.ts'
import styles from './tour.module.css'

export function Tour() {
  const at = useTour()
  const datasets = useDatasets()
  const offered = useRef(false)
  const any = (datasets.data?.length ?? 0) > 0
  useEffect(() => {
    if (!any || offered.current) return
    offered.current = true
    if (!wasSeen()) startTour()
  }, [any])
  useCommands([
    { id: 'tour.start', title: t('Take the tour'), group: t('Everywhere'), icon: Compass, run: startTour },
    { id: 'tour.end', title: t('End the tour'), group: t('Everywhere'), keys: 'Escape', hidden: true, enabled: at !== null, run: endTour },
  ])
  return at === null ? null : <Card at={at} />
}

function Card({ at }: { at: number }) {
  const step = TOUR[at]!
  const datasets = useDatasets()
  const newest = useRef(datasets.data)
  newest.current = datasets.data
  useEffect(() => {
    navigate(step.screen, { ...leftAt(step.screen, newest.current?.map((dataset) => dataset.id)), ...step.params })
  }, [step])
  const last = at === TOUR.length - 1
  return (
    <>
      <Outline targets={step.targets} />
      <section className={styles.card} aria-label={t('Tour')} data-testid="tour">
        <div className={styles.head}>
          <h2 className="t15">{step.title}</h2>
          <IconButton icon={X} label={t('End the tour')} size="s" onClick={endTour} />
        </div>
        <p className="c2" aria-live="polite">{step.text}</p>
        <div className={styles.foot}>
          <span className="t12 c3">{t('{at} of {total}', { at: at + 1, total: TOUR.length })}</span>
          <span className="grow" />
          {last ? null : <Button kind="ghost" onClick={endTour}>{t('Skip')}</Button>}
          {at > 0 ? <Button icon={ArrowLeft} onClick={() => stepTour(-1)}>{t('Back')}</Button> : null}
          <Button kind="primary" onClick={() => stepTour(1)}>{last ? t('Done') : t('Next', undefined, 'tour')}</Button>
        </div>
      </section>
    </>
  )
}

interface Frame {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

const LOOK_MS = 200
const AROUND_PX = 3

/** Follows its target, which may come late, move with a pane's width, or go. */
function Outline({ targets }: { targets: readonly string[] }) {
  const [frame, setFrame] = useState<Frame | null>(null)
  useEffect(() => {
    const look = (): void => {
      const next = frameOf(targets)
      setFrame((before) => (JSON.stringify(before) === JSON.stringify(next) ? before : next))
    }
    look()
    const timer = setInterval(look, LOOK_MS)
    return () => clearInterval(timer)
  }, [targets])
  return frame ? <div className={styles.outline} style={frame} aria-hidden="true" /> : null
}

function frameOf(targets: readonly string[]): Frame | null {
  for (const target of targets) {
    const box = document.querySelector(target)?.getBoundingClientRect()
    if (!box || box.width === 0) continue
    const left = Math.max(AROUND_PX, box.left)
    const top = Math.max(AROUND_PX, box.top)
    return { left, top, width: Math.min(box.right, window.innerWidth - AROUND_PX) - left, height: Math.min(box.bottom, window.innerHeight - AROUND_PX) - top }
  }
  return null
}

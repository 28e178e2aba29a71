import { Eye, EyeOff, Lock, LockOpen, Plus } from 'lucide-react'
import { type KeyboardEvent, useEffect, useState } from 'react'
import { useStore } from 'zustand'
import type { Region } from '../../../shared/domain.ts'
import { type Box, boxFlags, boxHeight, boxWidth } from '../../../shared/geometry.ts'
import { t } from '../../../shared/messages/messages.ts'
import { MINUS } from '../../app/format.ts'
import { cx } from '../../ui/cx.ts'
import { Icon } from '../../ui/Icon.tsx'
import { IconButton } from '../../ui/IconButton.tsx'
import { Section } from '../../ui/Pane.tsx'
import { useKeptDraft } from './edits.ts'
import { MoreButton, useLongList } from './LongList.tsx'
import { BoxMenu } from './BoxMenu.tsx'
import { boxMark, mark } from './marks.ts'
import { boxKey } from './scene-boxes.ts'
import type { Workbench } from './workbench.ts'
import { moveLabel, px } from './words.ts'
import styles from './inspector.module.css'

const FLAG_WORDS = { 'outside-image': t('lies outside the image'), 'crosses-edge': t('crosses the image’s edge'), 'no-area': t('has no area'), inverted: t('has its corners swapped') } as const

/** The boxes as numbers. This list is also how the canvas is read without seeing it. */
export function BoxesSection({ work, region }: { work: Workbench; region: Region }) {
  const { scene, verbs, image, marks } = work
  const [hidden, locked] = [marks.hidden.has(region.id), marks.locked.has(region.id)]
  const selected = useStore(scene.store, (state) => state.selected)
  const at = region.boxes.findIndex((_, index) => selected === boxKey(region.id, index))
  const list = useLongList(region.boxes, 40, at)
  const replace = (index: number, box: Box) => {
    const before = region.boxes[index]
    if (before) verbs.editOf(region, moveLabel(before, box), { boxes: region.boxes.map((old, i) => (i === index ? box : old)) })
  }
  return (
    <Section title={t('Boxes')} aside={region.boxes.length} action={
      <span className={styles.actions}>
        <IconButton size="s" icon={hidden ? EyeOff : Eye} label={t('Hide the boxes of this phrase')} keys="Shift+h" pressed={hidden} onClick={() => mark('hidden', [region.id], !hidden)} />
        <IconButton size="s" icon={locked ? Lock : LockOpen} label={t('Lock the boxes of this phrase')} keys="l" pressed={locked} data-testid="lock" onClick={() => mark('locked', [region.id], !locked)} />
        <IconButton size="s" icon={Plus} label={t('Draw another box')} keys="b" disabled={locked} onClick={() => scene.setTool('draw')} />
      </span>
    }>
      {hidden || locked ? <p className="t12 c3" data-testid="marks">{hidden && locked ? t('Hidden and locked') : hidden ? t('Hidden on the canvas') : t('Locked: the boxes stay as they are')}</p> : null}
      {region.boxes.length === 0 ? <p className="t12 c3">{t('No box yet. Draw one on the image, or propose one from the heat.')}</p> : null}
      <ul className={styles.boxes} aria-label={t('Boxes of this phrase')}>
        {list.shown.map((box, index) => {
          const isSelected = selected === boxKey(region.id, index)
          const flags = image ? boxFlags(box, image) : []
          const id = boxMark(region.id, box)
          const [isHidden, isLocked] = [marks.hidden.has(id), marks.locked.has(id)]
          const state = isHidden && isLocked ? t('Hidden and locked') : isHidden ? t('Hidden') : isLocked ? t('Locked') : null
          return (
            <li key={index} className={cx(styles.box, isSelected && styles.boxSelected)} aria-current={isSelected || undefined} data-testid={`box-${index}`} onFocus={() => scene.select(boxKey(region.id, index))}>
              <button type="button" className={cx(styles.swatch, state !== null && styles.marked)} aria-label={t('Select box {n}', { n: index + 1 })} title={state ?? undefined} data-marks={[isHidden ? 'hidden' : '', isLocked ? 'locked' : ''].join(' ').trim() || undefined} aria-pressed={isSelected} onClick={() => scene.select(boxKey(region.id, index))}>
                {state === null ? null : <Icon of={isHidden ? EyeOff : Lock} size="xs" />}
              </button>
              <Coordinate name="x" label={t('Left of box {n}', { n: index + 1 })} value={box[0]} disabled={locked || isLocked} onChange={(x) => replace(index, [x, box[1], x + boxWidth(box), box[3]])} />
              <Coordinate name="y" label={t('Top of box {n}', { n: index + 1 })} value={box[1]} disabled={locked || isLocked} onChange={(y) => replace(index, [box[0], y, box[2], y + boxHeight(box)])} />
              <Coordinate name="w" label={t('Width of box {n}', { n: index + 1 })} value={boxWidth(box)} least={Number.MIN_VALUE} disabled={locked || isLocked} onChange={(w) => replace(index, [box[0], box[1], box[0] + w, box[3]])} />
              <Coordinate name="h" label={t('Height of box {n}', { n: index + 1 })} value={boxHeight(box)} least={Number.MIN_VALUE} disabled={locked || isLocked} onChange={(h) => replace(index, [box[0], box[1], box[2], box[1] + h])} />
              <BoxMenu index={index} count={region.boxes.length} hidden={isHidden} locked={isLocked} phraseLocked={locked} verbs={verbs} />
              {flags.length > 0 ? <span className={styles.flag}>{t('This box {faults}.', { faults: flags.map((flag) => FLAG_WORDS[flag]).join(t(', ')) })}</span> : null}
            </li>
          )
        })}
      </ul>
      <MoreButton of={list} label={(n) => t('Show more of {n, plural, one {# other box} other {# other boxes}}', { n })} />
    </Section>
  )
}

/** One number. Enter or leaving takes it over, Escape does not, arrows step; what cannot be read is not taken over. */
function Coordinate({ name, label, value, least, disabled, onChange }: { name: string; label: string; value: number; least?: number; disabled: boolean; onChange: (value: number) => void }) {
  const [text, setText] = useState<string | null>(null)
  const shown = px(value)
  const rest = Math.abs(value) >= 100 ? px(Math.round(value)) : shown
  useEffect(() => setText(null), [value])
  const parse = (entry: string) => {
    const number = Number(entry.replace(',', '.').replace(MINUS, '-'))
    return entry.trim() !== '' && Number.isFinite(number) && (least === undefined || number >= least) ? number : null
  }
  const take = () => {
    // Untouched text keeps the exact value behind it; only what was typed replaces it.
    const number = text === null || text === shown ? null : parse(text)
    if (number !== null && number !== value) onChange(number)
    setText(null)
  }
  useKeptDraft(take)
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    const step = event.key === 'ArrowUp' ? 1 : event.key === 'ArrowDown' ? -1 : 0
    if (event.key === 'Enter') take()
    else if (event.key === 'Escape') setText(null)
    else if (step !== 0) {
      const from = text === null || text === shown ? value : parse(text)
      const next = from === null ? null : from + step * (event.shiftKey ? 10 : 1)
      if (next !== null && (least === undefined || next >= least)) onChange(next)
    } else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <label className={cx(styles.number, (text ?? rest).length > 4 && styles.long, text !== null && parse(text) === null && styles.wrong)}>
      <span>{name}</span>
      <input aria-label={label} disabled={disabled} inputMode="decimal" autoComplete="off" value={text ?? rest} onChange={(event) => setText(event.currentTarget.value)} onBlur={take} onFocus={(event) => {
        const field = event.currentTarget
        // At rest the number is as short as the field; under the caret it has one decimal. What is stored stays behind either until it is typed over.
        setText(shown)
        window.setTimeout(() => field.select())
      }} onKeyDown={onKeyDown} />
    </label>
  )
}

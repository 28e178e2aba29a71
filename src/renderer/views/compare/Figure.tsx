import { Copy, ImageDown, Shapes } from 'lucide-react'
import type { ReactNode } from 'react'
import { type ChartInk, PAGE_INK, PAPER_INK, type SvgNode } from '../../../shared/charts/svg.ts'
import { currentLanguage, t } from '../../../shared/messages/messages.ts'
import { savePng, saveSvg } from '../../charts/save.ts'
import { SvgTree } from '../../charts/SvgTree.tsx'
import { Button } from '../../ui/Button.tsx'
import { toast } from '../../ui/toast.tsx'
import styles from './compare.module.css'

/** Above figures on a page of another language: what is saved goes into papers, and is English. */
export function InEnglish() {
  return currentLanguage() === 'en' ? null : <p className="t12 c2">{t('Files, figures and their captions are written in English.')}</p>
}

/** A chart with its caption, to be saved as it is; what it shows stands in a table behind it. */
export function Figure({ name, draw, caption, children }: { name: string; draw: (ink: ChartInk) => SvgNode; caption: string; children?: ReactNode }) {
  const failed = () => toast({ tone: 'negative', title: t('The picture could not be made. Save it as SVG instead.') })
  const copied = () => toast({ tone: 'positive', title: t('Caption copied') })
  return (
    <figure className={styles.figure} data-testid="figure">
      <div className={styles.drawn} tabIndex={0} role="group" aria-label={t('Chart')}><SvgTree of={draw(PAGE_INK)} /></div>
      <figcaption className="t12 c2" data-selectable>{caption}</figcaption>
      <div className={styles.figureActions}>
        <Button size="s" icon={Shapes} onClick={() => saveSvg(name, draw(PAPER_INK))}>{'SVG'}</Button>
        <Button size="s" icon={ImageDown} onClick={() => void savePng(name, draw(PAPER_INK)).catch(failed)}>{'PNG'}</Button>
        <Button size="s" icon={Copy} onClick={() => void navigator.clipboard.writeText(caption).then(copied, () => toast({ tone: 'negative', title: t('The caption could not be copied. Select it instead.') }))}>{t('Caption')}</Button>
      </div>
      {children}
    </figure>
  )
}

/** What the tour shows, in order: six stops of about fifteen seconds each, on the person's own data. */
import { t } from '../../../shared/messages/messages.ts'
import type { Screen } from '../routes.ts'

export interface TourStep {
  readonly screen: Screen
  readonly params?: Readonly<Record<string, string>>
  readonly title: string
  readonly text: string
  /** What is outlined; the first of these that is there. Nothing is outlined where none is. */
  readonly targets: readonly string[]
}

export const TOUR: readonly TourStep[] = [
  {
    screen: 'library', title: t('Everything begins with a dataset'),
    text: t('A dataset is images with regions: a phrase and its boxes. Drop a folder here to add your own; its format is recognised, and you see ten samples before anything is stored.'),
    targets: ['[data-testid="dataset-row"]'],
  },
  {
    screen: 'curate', title: t('Walk the queue'),
    text: t('J and K go to the next and the previous region. A accepts, X rejects, D skips, and the next one comes by itself. Everything is saved at once; Ctrl Z takes back any edit.'),
    targets: ['[data-testid="queue"]'],
  },
  {
    screen: 'curate', title: t('See where the model looks'),
    text: t('Beside the image stands the heat of the checkpoint for this very phrase. Edit the phrase and the heat follows. Drag a box: its consistency, the share of the heat inside, moves in the same frame.'),
    targets: ['[data-heat]', '[data-canvas="image"]'],
  },
  {
    screen: 'curate', params: { view: 'suspects' }, title: t('Wrong boxes come to you'),
    text: t('Suspects are the regions the model disagrees with most, each with the reason in words and a proposal. F uses the proposal and goes on.'),
    targets: ['[data-testid="banner"]', '[data-testid="queue"]'],
  },
  {
    screen: 'train', title: t('Train on what you curated'),
    text: t('Choose a preset, look at the estimate of time and memory, start. Curves and sample heatmaps follow while it runs; it can be stopped at any step and goes on from there.'),
    targets: ['main[data-screen="train"]'],
  },
  {
    screen: 'compare', title: t('Know which checkpoint is better'),
    text: t('Two checkpoints on the same regions: what was fixed, what was broken, and whether the difference is more than luck. Pick any region to see both heatmaps under one camera.'),
    targets: ['[data-testid^="headline-"]', 'main[data-screen="compare"]'],
  },
]

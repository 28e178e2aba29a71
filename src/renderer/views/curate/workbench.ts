/** What the parts of Curate share: the sample in hand and everything that can be done with it. */
import type { PreparedHeat } from '../../../shared/consistency.ts'
import type { Checkpoint, Dataset, ImageRecord, Region, RegionState, Scores } from '../../../shared/domain.ts'
import type { Box } from '../../../shared/geometry.ts'
import type { Shape } from '../../../shared/shape.ts'
import type { Scene } from '../../canvas/scene.ts'
import type { TileSource } from '../../canvas/tiles.ts'
import type { Arranging } from './arrange.ts'
import type { ShownImage } from './images.ts'
import type { Marks } from './marks.ts'
import type { Prefs } from './prefs.ts'
import type { QueueSource } from './queue-source.ts'
import type { FreeOffers } from './use-free-offers.ts'
import type { FreePhrase } from './use-free-phrase.ts'
import type { Bulk } from './bulk.ts'
import type { HeatAnswer } from './use-heat.ts'
import type { Mends, Suspicion } from './use-mends.ts'
import type { QueueControl } from './use-queue-control.ts'

export interface Current {
  readonly regionId: string | null
  readonly imageId: string | null
  /** Place in the queue; -1 when the sample is not in it. */
  readonly index: number
}

export interface Workbench {
  readonly dataset: Dataset
  readonly scene: Scene
  readonly queue: QueueSource
  /** Rows selected beside the one in hand, and what is done to all of them. */
  readonly bulk: Bulk
  readonly control: QueueControl
  readonly prefs: Prefs
  readonly marks: Marks
  readonly checkpoints: readonly Checkpoint[]
  /** Chosen checkpoints, the first one scores; empty before any exists. */
  readonly chosen: readonly Checkpoint[]
  /** A better checkpoint than the one the screen was opened with, that came since. */
  readonly newer: Checkpoint | null
  readonly current: Current
  readonly image: ImageRecord | null
  readonly picture: ShownImage
  /** Of an image too large to be loaded whole. */
  readonly tiles: TileSource | null
  /** True while the engine cuts it. */
  readonly isCutting: boolean
  readonly imageError: unknown
  readonly regions: readonly Region[]
  readonly region: Region | null
  /** Stored scores of the image's regions by the first checkpoint. */
  readonly scores: Readonly<Record<string, Scores>>
  /** Heat of the region's phrase (or of what is being typed) by the first checkpoint: what the scores are made of. */
  readonly heat: HeatAnswer
  readonly prepared: PreparedHeat | null
  readonly draftPhrase: string | null
  readonly freePhrase: string
  readonly freeState: FreePhrase['state']
  /** Boxes round the heat of the free phrase; the one shown is what is proposed. */
  readonly freeOffers: FreeOffers
  /** The phrase whose heat the panes show or wait for. */
  readonly shownPhrase: string
  /** True while what is typed has not been asked for yet: the heat on screen is of an earlier phrase. */
  readonly isTyping: boolean
  readonly isFree: boolean
  readonly proposals: readonly Box[]
  readonly proposing: boolean
  /** What would mend the region in hand; the one shown is what is proposed. */
  readonly mends: Mends
  /** Why it may be wrong; null where that is not asked or not known yet. */
  readonly suspicion: Suspicion | null
  readonly announcement: string
  readonly verbs: Verbs
}

export interface Verbs extends Arranging {
  /** Said to those who listen to the page. */
  announce(text: string): void
  show(next: Current): void
  go(step: number): void
  goTo(index: number): void
  decide(status: 'accepted' | 'rejected' | 'skipped'): void
  undo(): void
  redo(): void
  edit(label: string, after: Partial<RegionState>): void
  /** An edit of that region, in hand or not: what was typed into its fields belongs to it. */
  editOf(region: Region, label: string, after: Partial<RegionState>): void
  setDraft(text: string | null): void
  commitPhrase(): void
  setFree(text: string): void
  annotateFree(): void
  newRegion(phrase: string, shape?: Shape): void
  toggleProposals(): void
  useProposal(): void
  deleteBox(index: number): void
  deleteRegion(): void
  duplicateBox(): void
  copyBoxes(from: Region): void
  /** The box in hand, or all of the phrase when none is. */
  copyBox(): void
  /** The phrase with all its boxes. */
  copyPhrase(): void
  /** Adds what was copied to the phrase in hand, or makes a phrase of it. */
  paste(as: 'boxes' | 'phrase'): void
  walkBoxes(step: 1 | -1): void
  walkPhrases(step: 1 | -1): void
  choose(slot: number, checkpointId: string | null): void
}

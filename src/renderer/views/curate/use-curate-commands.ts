/** Everything a key does in Curate, in the one registry that the palette and the shortcut sheet read. */
import { BringToFront, Check, ChevronLeft, ChevronRight, ClipboardCopy, ClipboardPaste, Copy, Eye, EyeOff, Flag, Hand, Lock, LockOpen, Magnet, MousePointer2, Pencil, Pentagon, Plus, Redo2, RotateCcw, RotateCw, Scan, Search, SendToBack, SkipForward, Sparkles, SquareDashedMousePointer, SquarePen, Trash2, Undo2, VectorSquare, X, ZoomIn, ZoomOut } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { t } from '../../../shared/messages/messages.ts'
import { type Command, isField, useCommands } from '../../app/commands.ts'
import { trainOnChanged } from '../train/changed.ts'
import { useUndoLabels } from './edits.ts'
import { mark, unmark } from './marks.ts'
import { outlineKeys } from './outline-keys.ts'
import { LAYOUTS, setPrefs } from './prefs.ts'
import type { Workbench } from './workbench.ts'

const focusOn = (testId: string) => {
  const field = document.querySelector<HTMLInputElement | HTMLTextAreaElement>(`[data-testid="${testId}"]`)
  field?.focus()
  field?.select()
}
export const focusPhrase = () => focusOn('phrase-editor')

const onCanvas = (target: EventTarget | null): boolean => target instanceof Element && target.closest('[data-canvas]') !== null
const isChord = (event: KeyboardEvent): boolean => event.ctrlKey || event.metaKey || event.altKey || event.shiftKey

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] } as const

export function useCurateCommands(work: Workbench): void {
  const { verbs, scene, region, prefs, proposals, isFree } = work
  const { undoLabel, redoLabel } = useUndoLabels()
  const has = region !== null
  const outline = outlineKeys(scene, verbs.announce)
  const selectedIndex = () => {
    const { mine, selected } = scene.store.getState()
    return mine.find((box) => box.key === selected)?.index ?? -1
  }
  const hidden = region !== null && work.marks.hidden.has(region.id)
  const locked = region !== null && work.marks.locked.has(region.id)
  const nudge = (event: KeyboardEvent | undefined) => {
    const step = event ? STEPS[event.key as keyof typeof STEPS] : undefined
    if (!event || !step) return
    const length = event.shiftKey ? 10 : 1
    if (scene.nudge(step[0] * length, step[1] * length, event.altKey)) return outline.say()
    // With no box in hand the arrows walk the queue.
    if (!event.shiftKey && !event.altKey && step[1] !== 0) verbs.go(step[1])
  }
  const escape = () => {
    if (scene.cancel()) return
    if (scene.store.getState().tool !== 'select') scene.setTool('select')
    else if (work.freePhrase) verbs.setFree('')
    else scene.select(null)
  }
  const takeTool = (tool: 'draw' | 'polygon', event: KeyboardEvent | undefined, stays = false) => {
    scene.setTool(tool, stays)
    if (event) outline.explain()
  }
  const layout = LAYOUTS[(LAYOUTS.indexOf(prefs.layout) + 1) % LAYOUTS.length]!
  const arrows = Object.keys(STEPS)
  // Of what is proposed at the moment: mends of the region in hand, or boxes for the phrase that is typed.
  const offers = isFree ? work.freeOffers : work.mends
  const commands: Command[] = [
    { id: 'region.accept', title: t('Accept and next'), group: t('Region'), keys: 'a', icon: Check, enabled: has, run: () => verbs.decide('accepted') },
    { id: 'region.reject', title: t('Reject and next'), group: t('Region'), keys: 'x', icon: X, enabled: has, run: () => verbs.decide('rejected') },
    { id: 'region.skip', title: t('Skip and next'), group: t('Region'), keys: 'd', icon: SkipForward, enabled: has, run: () => verbs.decide('skipped') },
    { id: 'proposal.use', title: t('Use proposal and next'), group: t('Region'), keys: 'f', icon: Flag, enabled: isFree ? work.freeState === 'ready' : has && proposals.length > 0, run: isFree ? verbs.annotateFree : verbs.useProposal },
    { id: 'mend.next', title: t('Next mend'), group: t('Region'), keys: 'w', icon: ChevronRight, enabled: offers.all.length > 1, run: () => offers.step(1) },
    { id: 'mend.previous', title: t('Previous mend'), group: t('Region'), keys: 'Shift+w', icon: ChevronLeft, enabled: offers.all.length > 1, run: () => offers.step(-1) },
    { id: 'proposal.toggle', title: t('Propose boxes'), group: t('Region'), keys: 'p', icon: Sparkles, enabled: has, run: verbs.toggleProposals },
    { id: 'queue.next', title: t('Next sample'), group: t('Region'), keys: ['j', 'PageDown', '$mod+ArrowDown'], repeats: true, run: () => verbs.go(1) },
    { id: 'queue.previous', title: t('Previous sample'), group: t('Region'), keys: ['k', 'PageUp', '$mod+ArrowUp'], repeats: true, run: () => verbs.go(-1) },
    { id: 'phrase.accept', title: t('Accept the phrase and next'), group: t('Region'), keys: '$mod+Enter', hidden: true, enabled: has, run: () => verbs.decide('accepted') },
    { id: 'phrase.edit', title: t('Edit the phrase'), group: t('Region'), keys: 'e', icon: Pencil, enabled: has, run: focusPhrase },
    { id: 'phrase.free', title: t('See where any phrase looks'), group: t('Region'), keys: 't', icon: Eye, run: () => focusOn('free-phrase') },
    { id: 'region.new', title: t('New phrase on this image'), group: t('Region'), keys: 'n', icon: Plus, enabled: work.image !== null, run: () => (verbs.newRegion(''), window.setTimeout(focusPhrase)) },
    { id: 'queue.search', title: t('Search phrases'), group: t('Region'), keys: '/', icon: Search, run: () => focusOn('queue-search') },
    { id: 'edit.undo', title: undoLabel ? t('Undo: {edit}', { edit: undoLabel }) : t('Undo'), group: t('Edit'), keys: '$mod+z', icon: Undo2, inFields: false, enabled: undoLabel !== null, run: verbs.undo },
    { id: 'edit.redo', title: redoLabel ? t('Redo: {edit}', { edit: redoLabel }) : t('Redo'), group: t('Edit'), keys: ['$mod+Shift+z', '$mod+y'], icon: Redo2, inFields: false, enabled: redoLabel !== null, run: verbs.redo },
    { id: 'box.delete', title: t('Delete box'), group: t('Edit'), keys: ['Delete', 'Backspace'], icon: Trash2, enabled: work.image !== null, run: () => void (outline.remove() || verbs.deleteBox(selectedIndex())) },
    { id: 'box.duplicate', title: t('Duplicate box'), group: t('Edit'), keys: '$mod+d', icon: Copy, inFields: false, enabled: has, run: verbs.duplicateBox },
    { id: 'box.copy', title: t('Copy box'), group: t('Edit'), keys: '$mod+c', icon: ClipboardCopy, inFields: false, restsOnSelection: true, enabled: has, run: verbs.copyBox },
    { id: 'phrase.copy', title: t('Copy phrase with its boxes'), group: t('Edit'), icon: ClipboardCopy, enabled: has, run: verbs.copyPhrase },
    { id: 'box.paste', title: t('Paste boxes into the phrase'), group: t('Edit'), keys: '$mod+v', icon: ClipboardPaste, inFields: false, enabled: work.image !== null, run: () => verbs.paste('boxes') },
    { id: 'phrase.paste', title: t('Paste as a new phrase'), group: t('Edit'), keys: '$mod+Shift+v', icon: ClipboardPaste, inFields: false, enabled: work.image !== null, run: () => verbs.paste('phrase') },
    { id: 'box.next', title: t('Next box of the phrase'), group: t('Edit'), keys: '.', repeats: true, enabled: has, run: () => verbs.walkBoxes(1) },
    { id: 'box.previous', title: t('Previous box of the phrase'), group: t('Edit'), keys: ',', repeats: true, enabled: has, run: () => verbs.walkBoxes(-1) },
    { id: 'phrase.next', title: t('Next phrase of the image'), group: t('Region'), keys: 'BracketRight', repeats: true, run: () => verbs.walkPhrases(1) },
    { id: 'phrase.previous', title: t('Previous phrase of the image'), group: t('Region'), keys: 'BracketLeft', repeats: true, run: () => verbs.walkPhrases(-1) },
    { id: 'phrase.lock', title: locked ? t('Unlock the boxes of this phrase') : t('Lock the boxes of this phrase'), group: t('Edit'), keys: 'l', icon: locked ? LockOpen : Lock, enabled: has, run: () => region && mark('locked', [region.id], !locked) },
    { id: 'phrase.hide', title: hidden ? t('Show the boxes of this phrase') : t('Hide the boxes of this phrase'), group: t('Edit'), keys: 'Shift+h', icon: hidden ? Eye : EyeOff, enabled: has, run: () => region && mark('hidden', [region.id], !hidden) },
    { id: 'box.lock', title: t('Lock or unlock the box in hand'), group: t('Edit'), keys: 'Shift+l', icon: Lock, enabled: has, run: () => verbs.toggleBox(selectedIndex(), 'locked') },
    { id: 'box.hide', title: t('Hide or show the box in hand'), group: t('Edit'), keys: 'Shift+e', icon: EyeOff, enabled: has, run: () => verbs.toggleBox(selectedIndex(), 'hidden') },
    { id: 'box.front', title: t('Bring the box to the front'), group: t('Edit'), keys: 'Shift+BracketRight', icon: BringToFront, enabled: has, run: () => verbs.arrangeBox(selectedIndex(), 'front') },
    { id: 'box.back', title: t('Send the box to the back'), group: t('Edit'), keys: 'Shift+BracketLeft', icon: SendToBack, enabled: has, run: () => verbs.arrangeBox(selectedIndex(), 'back') },
    { id: 'phrase.front', title: t('Bring the phrase to the front'), group: t('Edit'), keys: '$mod+BracketRight', icon: BringToFront, inFields: false, enabled: has, run: () => verbs.arrangePhrase('front') },
    { id: 'phrase.back', title: t('Send the phrase to the back'), group: t('Edit'), keys: '$mod+BracketLeft', icon: SendToBack, inFields: false, enabled: has, run: () => verbs.arrangePhrase('back') },
    { id: 'phrase.showAll', title: t('Show and unlock all phrases of the image'), group: t('Edit'), run: () => unmark(work.regions.map((one) => one.id)) },
    { id: 'tool.select', title: t('Select'), group: t('Tools'), keys: 'v', icon: MousePointer2, run: () => scene.setTool('select') },
    { id: 'tool.draw', title: t('Draw box'), group: t('Tools'), keys: 'b', icon: VectorSquare, enabled: work.image !== null, run: (event) => takeTool('draw', event) },
    { id: 'tool.drawMany', title: t('Draw several boxes'), group: t('Tools'), keys: 'Shift+b', icon: VectorSquare, enabled: work.image !== null, run: (event) => takeTool('draw', event, true) },
    { id: 'tool.polygon', title: t('Draw outline'), group: t('Tools'), keys: 'Shift+p', icon: Pentagon, enabled: work.image !== null, run: (event) => takeTool('polygon', event) },
    { id: 'canvas.confirm', title: t('Set a point, or walk an outline’s points'), group: t('Tools'), keys: 'Enter', hidden: true, run: (event) => (scene.store.getState().tool !== 'select' || !event || onCanvas(event.target)) && outline.enter() },
    { id: 'outline.close', title: t('Close the outline'), group: t('Tools'), keys: 'c', run: outline.close },
    { id: 'outline.insert', title: t('Add a point to the outline'), group: t('Tools'), keys: ['i', 'Insert'], run: outline.insert },
    { id: 'tool.pan', title: t('Pan'), group: t('Tools'), keys: 'h', icon: Hand, run: () => scene.setTool('pan') },
    { id: 'tool.snap', title: t('Snap to image edge'), group: t('Tools'), keys: 's', icon: Magnet, run: () => setPrefs({ snap: !prefs.snap }) },
    { id: 'view.fit', title: t('Fit the image'), group: t('Canvas'), keys: '0', icon: SquareDashedMousePointer, run: scene.fit },
    { id: 'view.actual', title: t('Actual size'), group: t('Canvas'), keys: '1', run: () => scene.zoomTo(1) },
    { id: 'view.zoomToRegion', title: t('Zoom to region'), group: t('Canvas'), keys: 'z', icon: Scan, enabled: has, run: scene.zoomToRegion },
    { id: 'view.zoomIn', title: t('Zoom in'), group: t('Canvas'), keys: ['+', 'Shift++', '='], icon: ZoomIn, repeats: true, run: () => scene.zoomBy(1.25) },
    { id: 'view.zoomOut', title: t('Zoom out'), group: t('Canvas'), keys: '-', icon: ZoomOut, repeats: true, run: () => scene.zoomBy(0.8) },
    { id: 'view.layout', title: t('Side by side, overlay, image only'), group: t('Canvas'), keys: 'o', run: () => setPrefs({ layout }) },
    { id: 'view.rotate', title: t('Turn the view right'), group: t('Canvas'), keys: 'r', icon: RotateCw, run: () => scene.rotate(1) },
    { id: 'view.rotateBack', title: t('Turn the view left'), group: t('Canvas'), keys: 'Shift+r', icon: RotateCcw, run: () => scene.rotate(-1) },
    { id: 'view.guides', title: prefs.guides ? t('Hide the crosshair') : t('Show the crosshair'), group: t('Canvas'), keys: 'g', run: () => setPrefs({ guides: !prefs.guides }) },
    { id: 'view.names', title: prefs.names ? t('Hide the names at the boxes') : t('Show the names at the boxes'), group: t('Canvas'), keys: 'Shift+n', run: () => setPrefs({ names: !prefs.names }) },
    { id: 'run.changed', title: t('Train on what I changed'), group: t('Train'), icon: SquarePen, enabled: work.chosen.length > 0, run: () => trainOnChanged(work.dataset.id, work.control.saved.find(({ id }) => id === work.control.view.id), work.chosen[0]?.id) },
    { id: 'view.minimap', title: prefs.minimap ? t('Hide the overview') : t('Show the overview'), group: t('Canvas'), keys: 'm', run: () => setPrefs({ minimap: !prefs.minimap }) },
    { id: 'view.others', title: prefs.others ? t('Hide the other phrases') : t('Show the other phrases'), group: t('Canvas'), keys: 'Shift+o', run: () => setPrefs({ others: !prefs.others }) },
    { id: 'box.nudge', title: t('Move the box 1 px, with Shift 10 px'), group: t('Edit'), keys: [...arrows, ...arrows.map((key) => `Shift+${key}`)], hidden: true, repeats: true, run: nudge },
    { id: 'box.grow', title: t('Grow or shrink the box'), group: t('Edit'), keys: [...arrows.map((key) => `Alt+${key}`), ...arrows.map((key) => `Alt+Shift+${key}`)], hidden: true, inFields: false, repeats: true, run: nudge },
    { id: 'canvas.escape', title: t('Give up the gesture, let go of the box'), group: t('Edit'), keys: 'Escape', hidden: true, run: escape },
  ]
  useCommands(commands)
  const keys = useRef(outline)
  keys.current = outline

  useEffect(() => {
    // A run of arrow presses is one gesture: it ends, and is saved, when the last arrow is let go.
    const held = new Set<string>()
    const down = (event: KeyboardEvent) => {
      if (event.key in STEPS) held.add(event.key)
      // Only on the canvas, and only while a point of an outline is in hand: elsewhere, and after Escape, Tab goes where it always goes.
      if (event.key === 'Tab' && onCanvas(event.target) && keys.current.walk(event.shiftKey ? -1 : 1)) event.preventDefault()
      if (event.code === 'Space' && !isChord(event) && scene.store.getState().caret && onCanvas(event.target)) {
        event.preventDefault()
        if (!event.repeat) keys.current.enter()
        return
      }
      if (event.code === 'Space' && !isField(event.target) && !(event.target instanceof Element && event.target.closest('button, a, input, [role=button]'))) {
        event.preventDefault()
        if (!scene.store.getState().panHeld) scene.store.setState({ panHeld: true, cursor: 'grab' })
      }
    }
    const letGo = () => {
      held.clear()
      scene.endNudge()
      if (scene.store.getState().panHeld) scene.store.setState({ panHeld: false, cursor: 'default' })
    }
    const up = (event: KeyboardEvent) => {
      held.delete(event.key)
      if (held.size === 0 && event.key in STEPS) scene.endNudge()
      if (event.code === 'Space') scene.store.setState({ panHeld: false, cursor: 'default' })
    }
    window.addEventListener('keydown', down)
    window.addEventListener('keyup', up)
    window.addEventListener('blur', letGo)
    return () => {
      window.removeEventListener('keydown', down)
      window.removeEventListener('keyup', up)
      window.removeEventListener('blur', letGo)
      letGo()
    }
  }, [scene])
}

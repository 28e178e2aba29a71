/** Keys of other annotation tools, for hands that have them already. Only what those tools bind; the rest stays as it is here. */
import { t } from '../../shared/messages/messages.ts'
export const PRESETS = ['standard', 'cvat', 'label-studio', 'labelme'] as const
export type Preset = (typeof PRESETS)[number]

export const PRESET_NAMES: Readonly<Record<Preset, string>> = { standard: t('Standard'), cvat: 'CVAT', 'label-studio': 'Label Studio', labelme: 'labelme' }

export const PRESET_KEYS: Readonly<Record<Preset, Readonly<Record<string, readonly string[]>>>> = {
  standard: {},
  cvat: {
    'queue.next': ['f', 'PageDown'], 'queue.previous': ['d', 'PageUp'], 'region.skip': ['v'], 'proposal.use': ['Shift+f'],
    'tool.draw': ['n'], 'tool.drawMany': ['Shift+n'], 'tool.select': ['Shift+v'], 'region.new': ['Shift+Enter'], 'view.names': ['Shift+w'],
    'box.delete': ['Delete', 'Backspace'], 'box.copy': ['$mod+c'], 'box.paste': ['$mod+v'], 'box.duplicate': ['$mod+b'],
    'phrase.lock': ['l'], 'phrase.hide': ['h'], 'tool.pan': ['Shift+h'], 'shortcuts.open': ['F1', '[Shift]+?'], 'go.settings': ['F2'],
    'edit.undo': ['$mod+z'], 'edit.redo': ['$mod+Shift+z', '$mod+y'],
  },
  'label-studio': {
    'queue.next': ['$mod+ArrowRight', 'j'], 'queue.previous': ['$mod+ArrowLeft', 'k'], 'region.accept': ['$mod+Enter', 'a'], 'phrase.accept': [], 'region.skip': ['$mod+Space', 'd'],
    'tool.draw': ['r'], 'tool.polygon': ['p'], 'tool.select': ['v'], 'tool.pan': ['h'], 'proposal.toggle': ['Shift+p'], 'view.rotate': ['Shift+r'], 'view.rotateBack': [],
    'box.delete': ['Backspace', 'Delete'], 'box.duplicate': ['$mod+d'], 'box.next': ['Alt+.'], 'phrase.lock': ['Alt+l'], 'phrase.hide': ['Alt+h'],
    'edit.undo': ['$mod+z'], 'edit.redo': ['$mod+Shift+z'],
  },
  labelme: {
    'queue.next': ['d'], 'queue.previous': ['a'], 'region.accept': ['Shift+a'], 'region.skip': ['Shift+d'],
    'tool.draw': ['$mod+r'], 'tool.select': ['$mod+j'], 'phrase.edit': ['$mod+e'], 'box.delete': ['Delete'], 'box.copy': ['$mod+c'], 'box.paste': ['$mod+v'], 'box.duplicate': ['$mod+d'],
    'view.others': ['t'], 'phrase.free': ['Shift+t'], 'view.fit': ['$mod+f'], 'view.actual': ['$mod+0'], 'edit.undo': ['$mod+z'],
  },
}

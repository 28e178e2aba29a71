/** Keys of other annotation tools, for hands that have them already. Only what those tools bind; the rest stays as it is here. */
import { t } from '../../shared/messages/messages.ts'
export const PRESETS = ['standard', 'cvat', 'label-studio', 'labelme'] as const
export type Preset = (typeof PRESETS)[number]

export const PRESET_NAMES: Readonly<Record<Preset, string>> = { standard: t('Standard'), cvat: 'CVAT', 'label-studio': 'Label Studio', labelme: 'labelme' }

/** With and without Ctrl; plus is pressed with Shift on most keyboards. */
const PLUS = ['+', 'Shift++', '=']
const ZOOM_IN = ['$mod+=', '$mod+Shift++', '$mod++']
const ZOOM_OUT = ['$mod+-']

export const PRESET_KEYS: Readonly<Record<Preset, Readonly<Record<string, readonly string[]>>>> = {
  standard: {},
  cvat: {
    'queue.next': ['f', 'PageDown'], 'queue.previous': ['d', 'PageUp'], 'region.skip': ['Shift+d'], 'proposal.use': ['Shift+f'],
    'tool.draw': ['n'], 'tool.drawMany': ['Shift+n'], 'tool.select': ['Shift+v'], 'region.new': ['Shift+Enter'], 'view.names': ['Shift+g'],
    'box.delete': ['Delete', 'Backspace'], 'box.copy': ['$mod+c'], 'box.paste': ['$mod+v'], 'box.duplicate': ['$mod+b'],
    'box.lock': ['l'], 'box.hide': ['h'], 'phrase.lock': ['Shift+l'], 'phrase.hide': ['Shift+e'], 'tool.pan': ['Shift+h'], 'shortcuts.open': ['F1', '[Shift]+?'], 'go.settings': ['F2'],
    'box.front': PLUS, 'box.back': ['-', 'Shift+_'], 'view.zoomIn': ZOOM_IN, 'view.zoomOut': ZOOM_OUT,
    'view.rotate': ['$mod+r', 'r'], 'view.rotateBack': ['$mod+Shift+r', 'Shift+r'],
    'edit.undo': ['$mod+z'], 'edit.redo': ['$mod+Shift+z', '$mod+y'],
  },
  'label-studio': {
    'queue.next': ['$mod+ArrowRight', 'j'], 'queue.previous': ['$mod+ArrowLeft', 'k'], 'region.accept': ['$mod+Enter', 'Alt+Enter', 'a'], 'phrase.accept': [], 'region.skip': ['$mod+Space', 'd'],
    'tool.draw': ['r'], 'tool.polygon': ['p'], 'tool.select': ['v'], 'tool.pan': ['h'], 'proposal.toggle': ['Shift+p'],
    'view.rotate': ['Alt+ArrowRight', 'Shift+r'], 'view.rotateBack': ['Alt+ArrowLeft'], 'view.zoomIn': [...ZOOM_IN, ...PLUS], 'view.zoomOut': [...ZOOM_OUT, '-'], 'canvas.escape': ['Escape', 'u'],
    // Alt with left and right turns the view there, so a side grows by one pixel with Ctrl as well.
    'box.grow': ['Alt+ArrowUp', 'Alt+ArrowDown', '$mod+Alt+ArrowLeft', '$mod+Alt+ArrowRight', 'Alt+Shift+ArrowUp', 'Alt+Shift+ArrowDown', 'Alt+Shift+ArrowLeft', 'Alt+Shift+ArrowRight'],
    'box.delete': ['Backspace', 'Delete'], 'box.duplicate': ['$mod+d'], 'box.next': ['Alt+.'], 'box.lock': ['Alt+l'], 'box.hide': ['Alt+h'],
    'edit.undo': ['$mod+z'], 'edit.redo': ['$mod+Shift+z'],
  },
  labelme: {
    'queue.next': ['d', '$mod+Shift+d'], 'queue.previous': ['a', '$mod+Shift+a'], 'region.accept': ['Shift+a'], 'region.skip': ['Shift+d'],
    'tool.draw': ['$mod+r'], 'tool.polygon': ['Shift+p', '$mod+n'], 'tool.select': ['$mod+j'], 'phrase.edit': ['$mod+e'], 'box.delete': ['Delete'], 'box.copy': ['$mod+c'], 'box.paste': ['$mod+v'], 'box.duplicate': ['$mod+d'],
    'view.others': ['t'], 'phrase.free': ['Shift+t'], 'view.fit': ['$mod+f'], 'view.actual': ['$mod+0'], 'view.zoomIn': [...ZOOM_IN, ...PLUS], 'view.zoomOut': [...ZOOM_OUT, '-'], 'edit.undo': ['$mod+z'],
  },
}
